"""Questions about the pod template: can it be injected, and will every container wait?"""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, labels
from lossless.injection.containers import counted_ports, tcp_ports
from lossless.injection.stopping_hooks import ENDS_EARLY, WITHOUT_IT, ending_of
from lossless.model.durations import format_duration
from lossless.model.names import INJECT_LABEL

#: Seconds that whoever evicts pods allows them at most: the cluster autoscaler's default for
#: --max-graceful-termination-sec (its FAQ).
EVICTION_MAX: Final = 600
_DEFAULT_GRACE: Final = 30
_NOT_INJECTED: Final = "not injected: "


def not_injectable(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the agent can go into such a pod."""
    injection = setup.injection
    if injection is None or injection.injected:
        return
    for warning in injection.warnings:
        reason, _, remedy = warning.removeprefix(_NOT_INJECTED).rpartition("; ")
        yield Trouble(
            f"{setup.target} template",
            f"{reason or remedy}, so its pods get no agent",
            remedy if reason else "see docs/limits.md",
        )


def declined(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the pod template declines the agent."""
    if labels(setup.template).get(INJECT_LABEL) == "false":
        yield Trouble(
            f"{setup.target} template",
            f'it has the label {INJECT_LABEL}: "false", so its pods get no agent',
            "take the label away",
        )


def own_hook(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a container keeps a preStop hook of its own."""
    injection = setup.injection
    ending = {place.name for place in setup.places if ending_of(place)}
    for container, said in (injection.unprotected if injection else {}).items():
        if container in ending:
            continue  # its remedy is another one
        reason, _, remedy = said.rpartition("; ")
        yield Trouble(
            f"{setup.target} container {container}",
            f"{reason}: it gets SIGTERM when that hook ends, drained or not",
            remedy,
        )


def stopping_hook(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a container's own hook ends the server before its clients have left."""
    for place in setup.places:
        ending = ending_of(place)
        if ending:
            yield Trouble(
                f"{setup.target} container {place.name}",
                f"its preStop runs {ending!r:.160}, which {ENDS_EARLY}",
                WITHOUT_IT,
            )


def hidden_status_file(setup: Setup) -> Iterator[Trouble]:
    """Ask whether something else is mounted where the status file goes."""
    injection = setup.injection
    for warning in injection.warnings if injection else ():
        if "mounted at or below" in warning:
            reason, _, remedy = warning.rpartition("; ")
            yield Trouble(f"{setup.target} template", reason, remedy)


def out_of_reach(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a file, a socket or a hold cannot be had as it was asked for."""
    injection = setup.injection
    for warning in injection.warnings if injection else ():
        if warning.startswith(("spec.close", "spec.metrics", "annotation ")):
            reason, _, remedy = warning.rpartition("; ")
            yield Trouble(f"{setup.target} template", reason, remedy)


def unknown_port(setup: Setup) -> Iterator[Trouble]:
    """Ask whether every port that is to count is declared."""
    if setup.valid is None or not setup.places:
        return
    for name in counted_ports(setup.valid.ports, setup.places)[1]:
        yield Trouble(
            f"{setup.name} spec.ports",
            f"{name!r}: no container declares a TCP port of that name, so its connections do not"
            " count",
            f"declare it in {setup.target}, or use its number",
        )


def no_ports(setup: Setup) -> Iterator[Trouble]:
    """Ask whether it is known which ports count."""
    known = setup.counted or setup.on_host_network
    if setup.valid and setup.places and not known:
        yield Trouble(
            f"{setup.target} template",
            "no container declares a TCP port and spec.ports is empty: connections to every port"
            " that something listens on count, a metrics port's too",
            "declare the ports that serve clients, or name them in spec.ports",
        )


def own_clients(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a pod on its node's network may count its own containers as clients."""
    if setup.valid and setup.on_host_network and not setup.valid.ports and len(setup.counted) > 1:
        listed = ", ".join(map(str, setup.counted))
        yield Trouble(
            f"{setup.target} template",
            f"the pod uses hostNetwork and spec.ports is empty, so connections to all its ports"
            f" count ({listed}); on the node's network those between its own containers do, too,"
            " and a connection that they keep holds every drain until its timeout",
            "name the ports that serve clients in spec.ports",
        )


def no_readiness_probe(setup: Setup) -> Iterator[Trouble]:
    """Ask whether somebody knows when a new pod can serve."""
    if setup.places and not any("readinessProbe" in place.container for place in setup.places):
        yield Trouble(
            f"{setup.target} template",
            "no container has a readinessProbe: a new pod takes traffic, and an old one goes,"
            " before anything listens",
            "give the container that serves a readinessProbe",
        )


def no_grace(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the app gets time to stop once it is drained."""
    if setup.places and setup.pod_spec.get("terminationGracePeriodSeconds") == 0:
        yield Trouble(
            f"{setup.target} template",
            "terminationGracePeriodSeconds is 0; the webhook adds the drain's time, but after a"
            " drain that took it all the app is killed without SIGTERM's grace",
            "leave the field away (30 s), or set what the app needs to stop",
        )


def long_grace(setup: Setup) -> Iterator[Trouble]:
    """Ask whether those who evict pods will wait as long as a drain may take."""
    if setup.valid is None or not setup.places:
        return
    own = setup.pod_spec.get("terminationGracePeriodSeconds")
    total = (_DEFAULT_GRACE if own is None else int(own)) + setup.valid.drain.timeout
    if total > EVICTION_MAX:
        yield Trouble(
            f"{setup.target} template",
            f"drain timeout and grace period are {format_duration(total)} together; the cluster"
            f" autoscaler waits {format_duration(EVICTION_MAX)} by default, a spot node 2m",
            "lower spec.drain.timeout, or raise --max-graceful-termination-sec",
        )


def declared_names(setup: Setup) -> frozenset[str]:
    """Return the names of the TCP ports that the serving containers declare."""
    return frozenset(name for place in setup.places for name, _ in tcp_ports(place) if name)
