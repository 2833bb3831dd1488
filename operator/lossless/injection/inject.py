"""What is done to a pod at its creation: it is read, decided about, and written; pure."""

from dataclasses import dataclass
from typing import Any

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.patching import Operation
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.protection import problems_of, protect
from lossless.injection.reading import read_pod
from lossless.injection.writing import write
from lossless.model.policy import RolloutSpec


@dataclass(frozen=True, slots=True)
class Injection:
    """What to do with a pod."""

    operations: tuple[Operation, ...] = ()
    """JSON Patch; empty if the pod stays as it is."""
    problems: tuple[Problem, ...] = ()
    """In the order in which they are told."""
    injected: bool = False
    """Whether the pod has the agent, from now on or already."""

    def of(self, *kinds: ProblemKind) -> tuple[Problem, ...]:
        """Return the problems of these kinds."""
        return tuple(problem for problem in self.problems if problem.kind in kinds)


def inject(  # noqa: PLR0913 # the pod, what is asked for it, and by which installation
    pod: dict[str, Any],
    rollout: str,
    spec: RolloutSpec,
    settings: AgentSettings,
    *,
    gate: bool,
    review: str = "REVIEW",
) -> Injection:
    """Return what makes ``pod`` a protected one.

    Args:
        pod: as in an admission request; it is not changed.
        rollout: name of the LosslessRollout.
        spec: its spec.
        settings: of the installation.
        gate: as ``protect`` takes it.
        review: as ``protect`` takes it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is no pod that an API server would send.
    """
    found = read_pod(pod)
    wanted = protect(found, rollout, spec, settings, gate=gate, review=review)
    problems = problems_of(wanted)
    if isinstance(wanted, Problem):
        return Injection(problems=problems)
    return Injection(write(pod, wanted), problems, injected=True)
