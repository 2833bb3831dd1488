"""What the last look at each LosslessRollout saw, for as long as nothing told that it changed.

Theory of operation. A rollout under way is looked at every few seconds, and one with a drain more
often; most of these looks find what the one before found. So the last look is kept, until an event
tells of a change, or it is ``AGE`` old. It is filled by real reads only, and nothing but a status
may be written because of it: whatever else would follow is decided again from a look of its own.
A view that is wrong can therefore delay, never open a gate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from lossless.cluster.gather import Hints
from lossless.cluster.watching import Key
from lossless.model.rollout.decision import Decision
from lossless.model.rollout.observation import Observation

#: Seconds after which a view is too old for a look, which then reads the world anew, whatever
#: events told or did not. What no watch follows, such as a new pod without an agent, is found by
#: then while a rollout is under way, and in a calm workload that lacks pods by its next look; a
#: workload that lacks none is only looked at by the resync, so there it may take a resync more.
AGE: Final = 30.0


@dataclass(frozen=True, slots=True)
class _View:
    seen: Observation
    read: float


class Views:
    """The last looks; of the pods only what decisions need, about a kilobyte each."""

    def __init__(self, clock: Callable[[], float], age: float = AGE) -> None:
        """Know nothing.

        Args:
            clock: monotonic seconds.
            age: seconds for which a view may be used.
        """
        self._clock = clock
        self._age = age
        self._views: dict[Key, _View] = {}
        self._reading: dict[Key, float] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._views)

    def begin(self, key: Key) -> None:
        """Say that ``key`` is about to be read: a change told from here on is not in the result."""
        self._views.pop(key, None)
        self._reading[key] = self._clock()

    def forget(self, keys: Iterable[Key]) -> None:
        """Forget what was seen of ``keys``: something has changed, or may have."""
        for key in keys:
            self._views.pop(key, None)
            self._reading.pop(key, None)

    def forget_all(self) -> None:
        """Forget everything: nobody has followed the cluster since."""
        self._views.clear()
        self._reading.clear()

    def keep(self, key: Key, seen: Observation, decision: Decision, hints: Hints) -> None:
        """Keep what was seen, as it stands after ``decision`` has been performed.

        It is not kept if a change was told while it was read, if it was acted on, or if it holds
        a pod that no event would tell of, or is to be looked at for one.
        """
        read = self._views[key].read if key in self._views else self._reading.get(key)
        self.forget((key,))
        pods = {pod.uid for pod in (*seen.pods, *seen.strays)}
        if (
            read is None
            or seen.rollout is None
            or acts(decision)
            or decision.awaits_pods
            or hints.departures
            or not pods <= hints.labelled
        ):
            return
        status = decision.status or seen.rollout.status
        left = replace(seen, rollout=replace(seen.rollout, status=status), departures=())
        self._views[key] = _View(left, read)

    def recall(self, key: Key, hints: Hints) -> Observation | None:
        """Return what was seen of ``key``; None if it has to be read.

        Evidence in it is as old as the look: agents are to be asked again.
        """
        view = self._views.get(key)
        if view is None or hints.departures:
            return None
        pods = {pod.uid for pod in (*view.seen.pods, *view.seen.strays)}
        if self._clock() - view.read >= self._age or pods != hints.labelled:
            self.forget((key,))
            return None
        return replace(view.seen, unpullable=hints.unpullable)


def acts(decision: Decision) -> bool:
    """Return whether more than a status follows from a decision."""
    return bool(decision.gates or decision.outcomes or decision.evictions or decision.announcements)
