"""What the controller writes into ``status``, and all that it remembers from one look to the next.

Times are whole seconds of the epoch, as Kubernetes stores them: what is written is what is read
back, so an unchanged world gives an equal status and nothing is written.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lossless.model.conditions import Condition, ConditionType
from lossless.model.phases import Phase
from lossless.model.report import Connections, Oldest
from lossless.model.troubles import Trouble

#: Entries in ``status.pods``. With about 300 bytes each, a status stays far below the size at
#: which an object becomes a burden for its watchers.
MAX_PODS: Final = 50
#: Entries in ``status.history``: some weeks of releases, in about 2 kB.
MAX_HISTORY: Final = 10


class RolloutPhase(StrEnum):
    """Where a LosslessRollout stands, in one word for ``kubectl get``."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    DRAINING = "Draining"
    """Pods drain outside a rollout: a scale-down, an eviction."""
    PAUSED = "Paused"
    NOT_INJECTED = "NotInjected"
    DEGRADED = "Degraded"


@dataclass(frozen=True, slots=True)
class PodStatus:
    """One entry of ``status.pods``."""

    name: str
    uid: str
    phase: Phase
    since: int = 0
    """When it entered the phase."""
    connections: Connections | None = None
    """None: unknown, which is not zero."""
    oldest: Oldest | None = None
    reason: str = ""
    """What it waits for, or how it ended, in one line."""
    troubles: tuple[Trouble, ...] = ()
    """What has kept its agent from telling clients or from seeing them, at any time so far."""


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """The rollout that is under way, or the last one."""

    started: int
    finished: int = 0
    """0: still under way."""
    drained: int = 0
    timed_out: int = 0
    lost: int = 0
    discarded: int = 0
    """Idle connections that no longer counted when their pods were released: the one step that is
    no proof."""
    before: str = ""
    """Revision of the workload that was replaced; empty: unknown, the controller came later."""
    revision: str = ""
    """Revision that was rolled out."""
    paused: str = ""
    """Why it was paused last, as the reason of the Paused condition; empty: it never was."""
    resumed: str = ""
    """The resume annotation that ended a pause: when and by whom, as far as its writer says."""
    superseded: bool = False
    """It ended because another revision was asked for, with old pods left."""


class Cause(StrEnum):
    """Why injection is suspended."""

    IMAGE = "Image"
    """The agent's image cannot be pulled."""
    CRASH = "Crash"
    """The agent does not run."""
    REFUSED = "Refused"
    """Pods with an agent are refused by a policy."""
    ELSEWHERE = "Elsewhere"
    """Others cannot pull the image."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """New pods get no agent, because it has kept others from starting."""

    since: int
    """When it began, or when the attempt did."""
    cause: Cause
    reason: str
    """In words, with what was seen."""
    trying: bool = False
    """New pods get their agents again, to see whether they start."""
    attempts: int = 0
    """Made in vain."""


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """``status`` of a LosslessRollout."""

    phase: RolloutPhase | None = None
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    replicas: int = 0
    updated: int = 0
    draining: int = 0
    held: int = 0
    connections: int | None = None
    """On the pods that are stopping; None: of none of them known."""
    revision: str = ""
    """Of the workload, as last seen."""
    resumed: str = ""
    """The value of the resume annotation that was acted on last."""
    last_rollout: RolloutRecord | None = None
    history: tuple[RolloutRecord, ...] = ()
    """Rollouts that have ended, newest first."""
    pods: tuple[PodStatus, ...] = ()
    injection: Suspension | None = None
    """None: new pods get their agents."""

    def condition(self, kind: ConditionType) -> Condition | None:
        """Return the condition of this type, if there is one."""
        return next((c for c in self.conditions if c.type is kind), None)
