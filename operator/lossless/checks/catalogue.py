"""All checks, in the order in which their findings are told: the reader's map of ``check``.

Codes are for good: LL1 the LosslessRollout, LL2 the workload, LL3 its pod template, LL4 Services,
LL5 load balancers of clouds, LL6 disruption, LL7 meshes and policies, LL8 proxies' configuration.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from lossless.checks import (
    accepted,
    autoscaling,
    clouds,
    counted_ports,
    disruption,
    envoy,
    haproxy,
    intent,
    mesh,
    nginx,
    nginx_reload,
    services,
    template,
    unseen,
    workload,
)
from lossless.checks.finding import RANK, Check, Finding, Severity, Trouble
from lossless.checks.setup import Setup

_ERROR, _WARNING, _NOTE = Severity


def _unknown_code(setup: Setup) -> Iterator[Trouble]:
    return accepted.unknown(setup, CODES)


CHECKS: Final[Sequence[Check]] = (
    Check("LL101", "The spec cannot be acted on", _ERROR, intent.invalid),
    Check("LL102", "The workload does not exist", _ERROR, intent.no_target),
    Check("LL103", "Two LosslessRollouts on one workload", _ERROR, intent.taken),
    Check("LL104", "Nobody tells clients to leave", _WARNING, intent.no_close_driver),
    Check("LL105", "Idle connections are discarded early", _WARNING, intent.short_idle),
    Check("LL106", "The rollout is paused by hand", _NOTE, intent.paused),
    Check("LL107", "An accepted code does not exist", _WARNING, _unknown_code),
    Check("LL108", "A field does not exist", _ERROR, intent.unknown_field),
    Check("LL201", "One replica", _WARNING, workload.one_replica),
    Check("LL202", "All old pods stop first", _ERROR, workload.recreate),
    Check("LL203", "All pods may stop at once", _ERROR, workload.no_floor),
    Check("LL204", "A drain outlasts the progress deadline", _WARNING, workload.slow_progress),
    Check("LL205", "The Deployment is paused", _WARNING, workload.paused),
    Check("LL206", "No time for the load balancer", _NOTE, workload.no_ready_time),
    Check("LL207", "An autoscaler counts pods that drain", _NOTE, autoscaling.counts_leaving_pods),
    Check("LL301", "The pods cannot be injected", _ERROR, template.not_injectable),
    Check("LL302", "The pods decline the agent", _ERROR, template.declined),
    Check("LL303", "A container keeps its own preStop", _WARNING, template.own_hook),
    Check("LL304", "The status file is hidden", _ERROR, template.hidden_status_file),
    Check("LL305", "A port that counts is not declared", _ERROR, template.unknown_port),
    Check("LL306", "No port is declared", _WARNING, template.no_ports),
    Check("LL307", "No readiness probe", _ERROR, template.no_readiness_probe),
    Check("LL308", "No time to stop", _WARNING, template.no_grace),
    Check("LL309", "Longer than an eviction may take", _WARNING, template.long_grace),
    Check("LL310", "A file, a socket or a hold is out of reach", _ERROR, template.out_of_reach),
    Check("LL311", "A pod may be its own client", _WARNING, template.own_clients),
    Check("LL312", "A metrics port counts", _WARNING, counted_ports.metrics_port),
    Check("LL313", "No container outlasts the others", _WARNING, counted_ports.no_barrier),
    Check("LL314", "A hook ends the server", _ERROR, template.stopping_hook),
    Check("LL401", "No Service", _NOTE, services.none),
    Check("LL402", "A Service leads past the count", _ERROR, services.not_counted),
    Check("LL403", "A Service leads nowhere", _ERROR, services.no_such_port),
    Check("LL404", "Traffic for pods that are not ready", _ERROR, services.not_ready_addresses),
    Check("LL405", "DNS answers outlive propagation", _WARNING, services.headless),
    Check("LL406", "Health checks outlast propagation", _WARNING, services.local_traffic),
    Check("LL407", "Clients expect the same pod", _NOTE, services.affinity),
    Check("LL501", "AWS sends newcomers for longer", _WARNING, clouds.aws_newcomers),
    Check("LL502", "AWS cuts connections", _WARNING, clouds.aws_cut),
    Check("LL503", "Google cuts connections", _WARNING, clouds.gke_cut),
    Check("LL504", "Azure forgets connections", _NOTE, clouds.azure_idle),
    Check("LL505", "Alibaba cuts connections", _WARNING, clouds.alibaba_cut),
    Check("LL506", "AWS takes new pods in late", _WARNING, clouds.aws_late),
    Check("LL601", "No disruption budget", _NOTE, disruption.no_budget),
    Check("LL602", "A budget that allows nothing", _ERROR, disruption.stuck_budget),
    Check("LL603", "Two budgets", _ERROR, disruption.two_budgets),
    Check("LL701", "Istio takes the agent's port", _ERROR, mesh.istio),
    Check("LL702", "Linkerd takes the agent's port", _WARNING, mesh.linkerd),
    Check("LL703", "A policy closes the agent's port", _WARNING, mesh.policy),
    Check("LL704", "Istio leads clients past the count", _ERROR, mesh.istio_not_counted),
    Check("LL705", "Istio's ambient mode was not measured", _NOTE, mesh.ambient),
    Check("LL801", "nginx works against the drain", _ERROR, nginx_reload.works_against_status_file),
    Check("LL802", "nginx's configuration was not checked", _NOTE, nginx.not_checked),
    Check("LL803", "HAProxy tells nobody to leave", _ERROR, haproxy.tells_nobody),
    Check("LL804", "HAProxy breaks WebSockets in a drain", _WARNING, haproxy.breaks_websockets),
    Check("LL805", "HAProxy cannot be asked", _ERROR, haproxy.cannot_be_asked),
    Check("LL806", "HAProxy takes no notice of SIGTERM", _WARNING, haproxy.ignores_sigterm),
    Check("LL807", "HTTP/2 clients of HAProxy are not told", _WARNING, haproxy.http2_hears_nothing),
    Check("LL808", "Envoy cannot be asked", _ERROR, envoy.cannot_be_asked),
    Check("LL809", "Envoy is open to the network", _WARNING, envoy.open_to_the_network),
    Check("LL810", "Envoy takes no notice of a drain", _ERROR, envoy.takes_no_notice),
    Check("LL811", "A reload of nginx loses requests", _ERROR, nginx_reload.works_against_reload),
    Check(
        "LL812",
        "Whether a reload of nginx loses nothing is not known",
        _NOTE,
        nginx_reload.not_known,
    ),
    Check("LL813", "Envoy is not ready while it drains", _WARNING, envoy.unready_in_a_drain),
    Check("LL814", "The proxy's configuration was not seen", _NOTE, unseen.proxy),
)
CODES: Final = frozenset(check.code for check in CHECKS)


def examine(setup: Setup, accept: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return everything that is wrong with a set-up, the worst first, what is accepted last.

    Args:
        setup: what to look at.
        accept: codes that are accepted beside those of the LosslessRollout's annotation.
    """
    known = {*accept, *accepted.codes_of(setup)}
    found = [
        Finding(
            code=check.code,
            title=check.title,
            severity=trouble.severity or check.severity,
            object=trouble.object,
            reason=trouble.reason,
            remedy=trouble.remedy,
            accepted=check.code in known,
        )
        for check in CHECKS
        for trouble in check.look(setup)
    ]
    return tuple(sorted(found, key=lambda one: (one.accepted, RANK[one.severity])))
