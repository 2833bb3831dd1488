"""What is said to whoever creates or changes a LosslessRollout: pure, and hardly ever a no.

The schema and its rules have judged the object itself. Here it is held against its surroundings,
which may change a moment later: so almost all of it is a warning, and status says it again if it
stays. Refused is only what the schema should have refused, for example if the installed CRD is
older than this program: nobody could act on it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.problem_text import warning_text
from lossless.injection.protection import problems_of, protect
from lossless.injection.reading import read_pod
from lossless.model.close_drivers import KINDS
from lossless.model.durations import format_duration
from lossless.model.names import NO_TARGET_WARNING, NOT_SERVED_WARNING
from lossless.model.policy import OnTimeout, RolloutSpec
from lossless.model.rollout.observation import Unknown
from lossless.model.targets import Kind, Target
from lossless.webhook.owner import AdmissionRollout

#: apps/v1 DeploymentSpec.progressDeadlineSeconds, if a Deployment does not say.
_DEADLINE: Final = 600


def advice(
    rollout: AdmissionRollout,
    others: Iterable[AdmissionRollout],
    workload: Mapping[str, Any] | Unknown | None,
    settings: AgentSettings,
) -> tuple[str, ...]:
    """Return the warnings that ``rollout`` deserves, what matters most first.

    Args:
        rollout: with a spec that can be acted on.
        others: all LosslessRollouts that are known, this one or an earlier state of it included.
        workload: the target as the API server has it; None: there is none; Unknown: it did not say.
        settings: of the agents that would be injected.
    """
    assert rollout.spec is not None  # noqa: S101 # the caller has refused it otherwise
    spec, target = rollout.spec, rollout.target
    said = [*_of_rivals(rollout, others)]
    if target is not None and target.kind is not Kind.POD and workload is None:
        said.append(
            f"{NO_TARGET_WARNING} there is no {target} in namespace {rollout.namespace} yet;"
            " create it, and it is protected from then on"
        )
    if isinstance(workload, Mapping):
        said += _of_workload(rollout.name, spec, workload, settings)
    if not spec.close:
        said.append(_without_driver(workload))
    if target is not None and not target.kind.gated and spec.drain.on_timeout is OnTimeout.PAUSE:
        said.append(
            f"spec.drain.onTimeout: a {target.kind} paces itself and cannot be paused by a drain"
            " that times out; write Continue to say that you know"
        )
    return tuple(said)


def _of_rivals(rollout: AdmissionRollout, others: Iterable[AdmissionRollout]) -> Iterable[str]:
    rivals = sorted(
        (other.created, other.name)
        for other in others
        if rollout.target is not None
        and (other.namespace, other.target) == (rollout.namespace, rollout.target)
        and other.name != rollout.name
    )
    # At its creation it has no time yet, and is the youngest.
    if rivals and (not rollout.created or rivals[0] < (rollout.created, rollout.name)):
        yield (
            f"spec.targetRef: LosslessRollout {rivals[0][1]} is for {rollout.target} already; of"
            " several the oldest counts, so this one does nothing. Delete one of them"
        )


def _of_workload(
    name: str, spec: RolloutSpec, workload: Mapping[str, Any], settings: AgentSettings
) -> Iterable[str]:
    wanted = workload.get("spec") or {}
    template = wanted.get("template") or {}
    pod = {
        "metadata": dict(template.get("metadata") or {}),
        "spec": dict(template.get("spec") or {}),
    }
    # The very warnings that its pods would get: ports, hooks, mounts, networks, names.
    decided = protect(read_pod(pod), name, spec, settings, gate=False)
    yield from map(warning_text, problems_of(decided))
    if spec.target.kind is Kind.DEPLOYMENT:
        deadline = wanted.get("progressDeadlineSeconds", _DEADLINE)
        if isinstance(deadline, int) and spec.drain.timeout >= deadline:
            yield (
                f"spec.drain.timeout: {format_duration(spec.drain.timeout)} is not below the"
                f" Deployment's progressDeadlineSeconds, {deadline}: kubectl rollout status may"
                " report a failure while a pod still drains. Raise that, or lower this"
            )


def _without_driver(workload: Mapping[str, Any] | Unknown | None) -> str:
    said = (
        "spec.close: nothing tells clients to leave, so one that keeps a connection busy holds a"
        " drain until its timeout; name what speaks to them, such as nginx or middleware"
    )
    template = (
        (workload.get("spec") or {}).get("template") or {} if isinstance(workload, Mapping) else {}
    )
    for container in (template.get("spec") or {}).get("containers") or ():
        image = str(container.get("image") or "").rpartition("/")[2]
        for kind in KINDS:
            if kind in image:
                return f"{said}. Container {container.get('name')} looks like {kind}"
    return said


def not_served(namespace: str) -> str:
    """Return the warning for a LosslessRollout that nobody will ever act on.

    It does not tell which namespaces are served: whoever asks may have no business in them.
    """
    return (
        f"{NOT_SERVED_WARNING} {namespace}, so this LosslessRollout does"
        " nothing; ask whoever runs Lossless to add it to the chart's watchNamespaces"
    )


def wanted_target(rollout: AdmissionRollout) -> Target | None:
    """Return the object that is to be read for advice; None if there is none to read."""
    target = rollout.target
    return None if target is None or target.kind is Kind.POD else target
