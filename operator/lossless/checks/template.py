"""Questions about the pod template: can it be injected, and will every container wait?"""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, labels
from lossless.injection.containers import counted_ports
from lossless.injection.problem import ProblemKind
from lossless.injection.problem_text import finding_text
from lossless.model.durations import format_duration
from lossless.model.names import INJECT_LABEL

#: Seconds that whoever evicts pods allows them at most: the cluster autoscaler's default for
#: --max-graceful-termination-sec (its FAQ).
EVICTION_MAX: Final = 600
_DEFAULT_GRACE: Final = 30
#: Of what was asked for by a path, an annotation or a close driver, and cannot be had.
_OUT_OF_REACH: Final = (
    ProblemKind.PATH_OUT_OF_REACH,
    ProblemKind.HOLD_UNKNOWN,
    ProblemKind.NGINX_NOT_RELOADED,
)


def not_injectable(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the agent can go into such a pod."""
    for problem in setup.problems(ProblemKind.NOT_INJECTED):
        yield Trouble(
            f"{setup.target} template",
            f"{finding_text(problem)}, so its pods get no agent",
            problem.remedy,
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
    ending = {problem.subject for problem in setup.problems(ProblemKind.SERVER_ENDED_EARLY)}
    for problem in setup.problems(ProblemKind.UNPROTECTED):
        if problem.subject in ending:
            continue  # its remedy is another one
        yield Trouble(
            f"{setup.target} container {problem.subject}",
            f"{problem.reason}: it gets SIGTERM when that hook ends, drained or not",
            problem.remedy,
        )


def stopping_hook(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a container's own hook ends the server before its clients have left."""
    for problem in setup.problems(ProblemKind.SERVER_ENDED_EARLY):
        yield Trouble(f"{setup.target} container {problem.subject}", problem.reason, problem.remedy)


def hidden_status_file(setup: Setup) -> Iterator[Trouble]:
    """Ask whether something else is mounted where the status file goes."""
    for problem in setup.problems(ProblemKind.STATUS_FILE_HIDDEN):
        yield Trouble(f"{setup.target} template", finding_text(problem), problem.remedy)


def out_of_reach(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a file, a socket or a hold cannot be had as it was asked for."""
    for problem in setup.problems(*_OUT_OF_REACH):
        yield Trouble(f"{setup.target} template", finding_text(problem), problem.remedy)


def unknown_port(setup: Setup) -> Iterator[Trouble]:
    """Ask whether every port that is to count is declared."""
    if setup.valid is None or not setup.containers:
        return
    for name in counted_ports(setup.valid.ports, setup.containers)[1]:
        yield Trouble(
            f"{setup.name} spec.ports",
            f"{name!r}: no container declares a TCP port of that name, so its connections do not"
            " count",
            f"declare it in {setup.target}, or use its number",
        )


def no_ports(setup: Setup) -> Iterator[Trouble]:
    """Ask whether it is known which ports count."""
    known = setup.counted or setup.on_host_network
    if setup.valid and setup.containers and not known:
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
    if setup.containers and not any(one.has_readiness_probe for one in setup.containers):
        yield Trouble(
            f"{setup.target} template",
            "no container has a readinessProbe: a new pod takes traffic, and an old one goes,"
            " before anything listens",
            "give the container that serves a readinessProbe",
        )


def no_grace(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the app gets time to stop once it is drained."""
    if setup.containers and setup.pod.grace == 0:
        yield Trouble(
            f"{setup.target} template",
            "terminationGracePeriodSeconds is 0; the webhook adds the drain's time, but after a"
            " drain that took it all the app is killed without SIGTERM's grace",
            "leave the field away (30 s), or set what the app needs to stop",
        )


def long_grace(setup: Setup) -> Iterator[Trouble]:
    """Ask whether those who evict pods will wait as long as a drain may take."""
    if setup.valid is None or not setup.containers:
        return
    own = setup.pod.grace
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
    return frozenset(port.name for one in setup.containers for port in one.ports if port.name)
