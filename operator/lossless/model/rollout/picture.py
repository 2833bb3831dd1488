"""One look at a LosslessRollout that can be acted on, with all that was concluded from it."""

from dataclasses import dataclass

from lossless.model.phases import Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Connections
from lossless.model.rollout.drains import Drains
from lossless.model.rollout.gate import HOLDS, Supply, Verdict
from lossless.model.rollout.observation import Pod, Rollout, Workload
from lossless.model.rollout.pacing import Pacing
from lossless.model.status import Suspension


@dataclass(frozen=True, slots=True)
class Picture:
    """What was seen, and what follows from it."""

    namespace: str
    name: str
    rollout: Rollout
    spec: RolloutSpec
    workload: Workload
    pods: tuple[Pod, ...]
    counted: Supply
    drains: Drains
    pacing: Pacing
    verdicts: tuple[Verdict, ...]
    suspension: Suspension | None = None
    """None: new pods get their agents."""

    @property
    def held(self) -> tuple[Verdict, ...]:
        """Gates that the rollout holds."""
        return tuple(verdict for verdict in self.verdicts if verdict.why in HOLDS)

    @property
    def awaits_pods(self) -> bool:
        """Whether pods are missing, and there is no other reason to look again soon.

        A refusal of the API server stands in the workload's own status, whose end wakes.
        """
        calm = not self.drains.places and not self.pacing.under_way
        return calm and self.workload.refusal is None and self.counted.live < self.workload.replicas

    @property
    def left(self) -> Connections | None:
        """Connections left on pods that drain; None if those of no pod are known."""
        draining = [e for e in self.drains.entries if e.phase is Phase.DRAINING]
        known = [e.connections for e in draining if e.connections is not None]
        if draining and not known:
            return None
        return Connections(
            active=sum(counts.active for counts in known),
            idle=sum(counts.idle for counts in known),
            new=sum(counts.new for counts in known),
        )

    @property
    def connections(self) -> int | None:
        """The same as one number."""
        return None if self.left is None else self.left.active + self.left.idle
