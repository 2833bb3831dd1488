"""Questions about whoever stands between the kubelet and the agent's port: meshes and policies.

None of them does for pods on their node's network: meshes leave those alone, and to policies they
are the node.
"""

from collections.abc import Iterator
from typing import Final

from lossless.model.names import AGENT_PORT_NAME
from lossless.plugin.checks.finding import Trouble
from lossless.plugin.checks.setup import Raw, Setup, annotations, labels, named

_ISTIO_INJECT: Final = "sidecar.istio.io/inject"
_ISTIO_EXCLUDE: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_ISTIO_INCLUDE: Final = "traffic.sidecar.istio.io/includeInboundPorts"
_LINKERD_INJECT: Final = "linkerd.io/inject"
_LINKERD_SKIP: Final = "config.linkerd.io/skip-inbound-ports"


def istio(setup: Setup) -> Iterator[Trouble]:
    """Ask whether Istio takes the kubelet's hold for traffic of the mesh."""
    if setup.workload is None or setup.on_host_network or not _istio_injects(setup):
        return
    said, port = annotations(setup.template), setup.agent_port
    included = said.get(_ISTIO_INCLUDE)
    if _lists(said.get(_ISTIO_EXCLUDE, ""), port) or (
        included is not None and included != "*" and not _lists(included, port)
    ):
        return
    yield Trouble(
        f"{setup.target} template",
        f"Istio takes over port {port}; with STRICT mTLS the kubelet's hold does not reach"
        " the agent, and the container stops at once",
        f'annotate the template: {_ISTIO_EXCLUDE}: "{port}"',
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
    if wanted in {"enabled", "ingress"} and not _lists(skipped, port):
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


def _istio_injects(setup: Setup) -> bool:
    template = setup.template
    own = labels(template).get(_ISTIO_INJECT) or annotations(template).get(_ISTIO_INJECT)
    if own is not None:
        return own == "true"
    return labels(setup.namespace or {}).get("istio-injection") == "enabled" or (
        "istio.io/rev" in labels(setup.namespace or {})
    )


def _lists(text: str, port: int) -> bool:
    """Return whether a list of ports and ranges holds ``port``, the agent's."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        numbers = first.isdecimal() and (not last or last.isdecimal())
        if numbers and int(first) <= port <= int(last or first):
            return True
    return False


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
