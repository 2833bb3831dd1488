"""Questions about whoever stands between the kubelet and the agent's port: meshes and policies.

None of them does for pods on their node's network: meshes leave those alone, and to policies they
are the node.
"""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.istio import (
    EXCLUDE_INBOUND,
    INBOUND,
    is_ambient,
    lists,
    redirects,
    takes_over,
)
from lossless.checks.services import targets
from lossless.checks.setup import Raw, Setup, annotations, named
from lossless.model.names import AGENT_PORT_NAME

_LINKERD_INJECT: Final = "linkerd.io/inject"
_LINKERD_SKIP: Final = "config.linkerd.io/skip-inbound-ports"


def istio(setup: Setup) -> Iterator[Trouble]:
    """Ask whether Istio takes the kubelet's hold for traffic of the mesh."""
    port = setup.agent_port
    if takes_over(setup, port):
        yield Trouble(
            f"{setup.target} template",
            f"Istio takes over port {port}; with STRICT mTLS the kubelet's hold does not reach"
            " the agent, and the container stops at once",
            f'annotate the template: {EXCLUDE_INBOUND}: "{port}"',
        )


def istio_not_counted(setup: Setup) -> Iterator[Trouble]:
    """Ask whether clients count that Istio leads to another port than theirs."""
    if setup.valid is None or INBOUND in setup.counted:
        return
    ours = {*setup.counted, *targets(setup)} - {setup.agent_port}
    taken = sorted(port for port in ours if redirects(setup, port))
    if taken:
        counted = ", ".join(map(str, setup.counted))
        kept = setup.valid.ports or tuple(port for port in setup.counted if port not in taken)
        wanted = ", ".join(map(str, (*kept, INBOUND)))
        yield Trouble(
            f"{setup.name} spec.ports",
            f"Istio redirects connections to {', '.join(map(str, taken))} to port {INBOUND}, which"
            " does not count"
            + (f" (counted: {counted})" if counted else "")
            + ": requests in flight are not seen, and a pod stops under them",
            f"set spec.ports: [{wanted}]",
        )


def ambient(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the pods are in a mesh that was not measured."""
    if is_ambient(setup):
        yield Trouble(
            f"{setup.target} template",
            "it is in Istio's ambient mode, which was not measured with drains: ztunnel, not the"
            " client, opens the connections that the application sees, and keeps its own to other"
            " nodes for longer than clients do",
            "name the application's ports in spec.ports, never ztunnel's 15006 or 15008, and try a"
            " rollout under load (docs/ingress-and-meshes.md)",
        )


def linkerd(setup: Setup) -> Iterator[Trouble]:
    """Ask whether Linkerd takes the kubelet's hold for traffic of the mesh."""
    if setup.workload is None or setup.on_host_network:
        return
    here = annotations(setup.template).get(_LINKERD_INJECT)
    port = setup.agent_port
    wanted = here or annotations(setup.namespace or {}).get(_LINKERD_INJECT)
    skipped = annotations(setup.template).get(_LINKERD_SKIP) or annotations(
        setup.namespace or {}
    ).get(_LINKERD_SKIP, "")
    if wanted in {"enabled", "ingress"} and not lists(skipped, port):
        yield Trouble(
            f"{setup.target} template",
            f"Linkerd takes over port {port}; where its policy denies what is not"
            " authenticated, the kubelet's hold does not reach the agent",
            f'annotate the template: {_LINKERD_SKIP}: "{port}"',
        )


def policy(setup: Setup) -> Iterator[Trouble]:
    """Ask whether NetworkPolicies let anybody reach the agent."""
    if setup.on_host_network:
        return
    port = setup.agent_port
    closing = [p for p in setup.policies if _closes_ingress(p)]
    if closing and not any(_admits(p, port) for p in closing):
        yield Trouble(
            ", ".join(named(p) for p in closing),
            f"no rule lets anybody reach port {port}: pods drain, but the controller cannot"
            " follow them, so each rollout waits for every pod to be gone",
            f"allow port {port} from the namespace of the installation",
        )


def _closes_ingress(policy_: Raw) -> bool:
    # Ingress is closed unless the policy says that it is about something else
    # (networking/v1 NetworkPolicySpec.policyTypes).
    return "Ingress" in ((policy_.get("spec") or {}).get("policyTypes") or ["Ingress"])


def _admits(policy_: Raw, port: int) -> bool:
    return any(
        not rule.get("ports") or any(_is_open(one, port) for one in rule["ports"])
        for rule in (policy_.get("spec") or {}).get("ingress") or ()
    )


def _is_open(opened: Raw, port: int) -> bool:
    if (opened.get("protocol") or "TCP") != "TCP":
        return False
    first = opened.get("port")
    if first is None or first == AGENT_PORT_NAME:
        return True
    last = opened.get("endPort") or first
    return isinstance(first, int) and isinstance(last, int) and first <= port <= last
