"""Questions about the load balancers of the large clouds, by what their annotations say.

A cloud does two things when a pod goes: after some time it sends no new connections, and after
some more it cuts those that are left. The first must be over within ``propagation``, the second
must not begin before the drain has ended.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from lossless.checks.finding import Severity, Trouble
from lossless.checks.setup import Raw, Setup, annotations, labels, named
from lossless.model.durations import format_duration
from lossless.model.status_flag import StatusFlag

_AWS: Final = "service.beta.kubernetes.io/aws-load-balancer-"
#: ``spec.loadBalancerClass`` of the AWS Load Balancer Controller's NLBs. Its webhook writes it into
#: new Services, so no annotation need name the type.
_NLB_CLASS: Final = "service.k8s.aws/nlb"
#: The AWS Load Balancer Controller's defaults for the health check of a Service's pods: the port
#: that clients are sent to, and a TCP connection, to which a path means nothing.
_TRAFFIC_PORT: Final = "traffic-port"
_CHECK_PROTOCOL: Final = "tcp"
_ALB: Final = "alb.ingress.kubernetes.io/"
#: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
_AWS_INJECT: Final = "elbv2.k8s.aws/pod-readiness-gate-inject"
_AWS_GATES: Final = ("target-health.elbv2.k8s.aws/", "target-health.alb.ingress.k8s.aws/")
_GKE_NEG: Final = "cloud.google.com/neg"
_GKE_BACKEND: Final = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")
_AZURE_IDLE: Final = "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout"
_ALIBABA: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
_DELAY: Final = "deregistration_delay.timeout_seconds"
_TERMINATE: Final = "deregistration_delay.connection_termination.enabled"
#: Seconds for which an AWS NLB with IP targets was seen to send new connections to a target that
#: is deregistering, whatever its delay (kubernetes-sigs/aws-load-balancer-controller#2366,
#: aws/containers-roadmap#470).
NLB_NEWCOMERS: Final = 120.0
#: ``deregistration_delay.timeout_seconds`` if nobody sets it (ELB API reference).
_DEFAULT_DELAY: Final = 300


def aws_newcomers(setup: Setup) -> Iterator[Trouble]:
    """Ask whether an NLB has stopped sending new connections when a pod may stop."""
    if setup.valid is None:
        return
    propagation, flag = setup.valid.drain.propagation, setup.valid.status_flag
    for service in setup.services:
        if _sends_newcomers(service, flag, setup.agent_port) and propagation < NLB_NEWCOMERS:
            yield Trouble(
                named(service),
                "an AWS NLB goes on sending new connections to a target that is deregistering, for"
                f" about {format_duration(NLB_NEWCOMERS)}; spec.drain.propagation is"
                f" {format_duration(propagation)}",
                "let its health check ask the agent, which fails at once when a drain starts:"
                f" {_AWS}healthcheck-protocol: http, -healthcheck-port: {setup.agent_port},"
                f" -healthcheck-path: {flag.path}, and set propagation to interval times failures;"
                f" or raise spec.drain.propagation to {format_duration(NLB_NEWCOMERS)}",
            )


def aws_cut(setup: Setup) -> Iterator[Trouble]:
    """Ask whether an AWS load balancer cuts connections while a pod still drains."""
    if setup.valid is None:
        return
    timeout = setup.valid.drain.timeout
    for raw, attributes, always in _target_groups(setup):
        delay = _seconds(attributes.get(_DELAY), _DEFAULT_DELAY)
        cuts = always or attributes.get(_TERMINATE) == "true"
        if cuts and delay < timeout:
            yield Trouble(
                named(raw),
                f"the load balancer cuts connections {delay} s after a pod began to go ({_DELAY}),"
                f" but a drain may take {format_duration(timeout)} (spec.drain.timeout)",
                f"set {_DELAY}={int(timeout)} or more"
                + ("" if always else f", or {_TERMINATE}=false"),
            )


def aws_late(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a new pod waits until an AWS load balancer sends it clients."""
    if setup.workload is None:
        return
    gated = any(
        str(gate.get("conditionType", "")).startswith(_AWS_GATES)
        for gate in setup.pod_spec.get("readinessGates") or ()
    )
    if gated or labels(setup.namespace or {}).get(_AWS_INJECT) == "enabled":
        return
    for raw in _with_pods_as_targets(setup):
        unseen = setup.namespace is None
        yield Trouble(
            named(raw),
            "its targets are the pods themselves, and"
            + (" nobody saw whether their namespace" if unseen else " the namespace does not")
            + f" ask for AWS's readiness gates ({_AWS_INJECT}"
            + ("): if not," if unseen else "):")
            + " a new pod counts as available before the load balancer sends it anybody, and the"
            " last old one may go before that",
            f"label the namespace {_AWS_INJECT}=enabled",
            Severity.NOTE if unseen else None,
        )


def _with_pods_as_targets(setup: Setup) -> Iterator[Raw]:
    for ingress in setup.ingresses:
        if annotations(ingress).get(f"{_ALB}target-type") == "ip":
            yield ingress
    for service in setup.services:
        if _is_nlb_of_pods(service):
            yield service


def gke_cut(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a container-native load balancer of Google lets connections drain."""
    for service in setup.services:
        said = annotations(service)
        if _GKE_NEG in said and not any(key in said for key in _GKE_BACKEND):
            timeout = int(setup.valid.drain.timeout) if setup.valid else 0
            yield Trouble(
                named(service),
                f"it has {_GKE_NEG} and no BackendConfig: connection draining is off, and requests"
                " in flight are cut when a pod leaves the endpoints",
                "make a BackendConfig with spec.connectionDraining.drainingTimeoutSec:"
                f" {timeout or 'the drain timeout'} and name it by {_GKE_BACKEND[0]}",
            )


def azure_idle(setup: Setup) -> Iterator[Trouble]:
    """Ask whether Azure forgets a connection before its client does."""
    if setup.valid is None:
        return
    idle = setup.valid.drain.client_idle_timeout
    for service in setup.services:
        minutes = _seconds(annotations(service).get(_AZURE_IDLE), 0)
        if minutes and minutes * 60 < idle:
            yield Trouble(
                named(service),
                f"the load balancer forgets idle connections after {minutes} min ({_AZURE_IDLE}),"
                f" before clients do (spec.drain.clientIdleTimeout {format_duration(idle)})",
                "raise the annotation, or lower the keep-alive time of clients",
            )


def alibaba_cut(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a load balancer of Alibaba lets connections drain, and for long enough."""
    if setup.valid is None:
        return
    timeout = setup.valid.drain.timeout
    for service in setup.services:
        said = {
            key.removeprefix(_ALIBABA): value
            for key, value in annotations(service).items()
            if key.startswith(_ALIBABA)
        }
        if not said:
            continue
        drains = said.get("connection-drain") == "on"
        length = _seconds(said.get("connection-drain-timeout"), 0)
        if drains and length >= timeout:
            continue
        state = f"connection-drain-timeout is {length} s" if drains else "connection-drain is off"
        yield Trouble(
            named(service),
            f"{state}: the load balancer cuts connections before a drain of up to"
            f" {format_duration(timeout)} has ended",
            f'set {_ALIBABA}connection-drain: "on" and'
            f' {_ALIBABA}connection-drain-timeout: "{int(timeout)}" (900 at most)',
        )


def _sends_newcomers(service: Raw, flag: StatusFlag, agent_port: int) -> bool:
    """Return whether it is an NLB with pods as targets whose health check is not the agent's.

    An NLB looks at the status of an answer and not at its text. Without a port of its own the check
    asks the application, which may pass it on, and may speak TLS; the agent speaks HTTP only.
    """
    said = annotations(service)
    falls = flag.draining.status >= HTTPStatus.BAD_REQUEST
    port = said.get(f"{_AWS}healthcheck-port", _TRAFFIC_PORT)
    protocol = said.get(f"{_AWS}healthcheck-protocol", _CHECK_PROTOCOL).lower()
    asks_agent = (
        falls
        and said.get(f"{_AWS}healthcheck-path") in flag.paths
        and (
            (port == _TRAFFIC_PORT and protocol in {"http", "https"})
            or (port == str(agent_port) and protocol == "http")
        )
    )
    return _is_nlb_of_pods(service) and not asks_agent


def _is_nlb_of_pods(service: Raw) -> bool:
    said = annotations(service)
    kind = said.get(f"{_AWS}type", "")
    nlb = kind in {"external", "nlb"} or (
        (service.get("spec") or {}).get("loadBalancerClass") == _NLB_CLASS
    )
    return kind == "nlb-ip" or (nlb and said.get(f"{_AWS}nlb-target-type") == "ip")


def _target_groups(setup: Setup) -> Iterator[tuple[Raw, Mapping[str, str], bool]]:
    """Yield what names a target group, its attributes, and whether its end is always a cut."""
    for service in setup.services:
        said = annotations(service)
        if any(key.startswith(_AWS) for key in said):
            yield service, _pairs(said.get(f"{_AWS}target-group-attributes", "")), False
    for ingress in setup.ingresses:
        said = annotations(ingress)
        if any(key.startswith(_ALB) for key in said):
            yield ingress, _pairs(said.get(f"{_ALB}target-group-attributes", "")), True


def _pairs(text: str) -> dict[str, str]:
    split = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, _, value in split if key.strip()}


def _seconds(text: str | None, default: int) -> int:
    digits = (text or "").strip()
    # No cloud takes a number of ten digits, and Python none of some thousand.
    return int(digits) if digits.isdecimal() and len(digits) < 10 else default  # noqa: PLR2004 # the same
