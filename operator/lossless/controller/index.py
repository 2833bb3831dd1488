"""What events have told: which LosslessRollouts there are, for which workloads, and their pods.

It only says whom to wake and what to read; every decision rests on real reads. It is rebuilt by
each full look, so whatever it got wrong lasts no longer than that.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import structlog

from lossless.cluster.gather import Hints
from lossless.cluster.objects import Claim, Sighting
from lossless.cluster.watching import Change, Changed, Key
from lossless.model.observation import Departure, Elsewhere
from lossless.model.targets import Target

#: Departures kept for one LosslessRollout until a look has acted on them.
_DEPARTURES: Final = 200
#: Seconds that a watch may lag behind a list; usually it is some milliseconds.
LAG: Final = 2.0
_log: Final = structlog.get_logger(__name__)
_NOBODY: Final[Mapping[str, Departure]] = MappingProxyType({})


class Index:
    """An index of LosslessRollouts and of the pods that carry their label."""

    def __init__(self, lag: float = LAG) -> None:
        """Know nothing yet.

        Args:
            lag: seconds that a watch may lag behind a list.
        """
        self._lag = lag
        self._claims: dict[Key, Claim] = {}
        self._failing: set[Key] = set()
        """Of those, whose pods cannot pull the agent's image."""
        self._by_target: dict[tuple[str, Target], set[Key]] = defaultdict(set)
        self._labelled: dict[Key, set[str]] = defaultdict(set)
        self._departures: dict[Key, dict[str, Departure]] = {}
        self._gone = asyncio.Event()

    @property
    def rollouts(self) -> Mapping[Key, Claim]:
        """All LosslessRollouts that are known."""
        return MappingProxyType(self._claims)

    def namespaces(self) -> frozenset[str]:
        """Return the namespaces that hold a LosslessRollout."""
        return frozenset(key.namespace for key in self._claims)

    def put(self, key: Key, claim: Claim) -> frozenset[Key]:
        """Take note of a LosslessRollout; return whom this wakes.

        Its status is written by ourselves at every look: that alone wakes nobody.
        """
        before = self._claims.get(key)
        if before == claim:
            return frozenset()
        woken = {key}
        if before is not None and before.target != claim.target:
            woken |= self.remove(key)
        self._claims[key] = claim
        (self._failing.add if claim.unpullable else self._failing.discard)(key)
        if claim.unpullable != (before is not None and before.unpullable):
            # What the others may conclude from it, they find out at their next looks.
            woken |= self._claims.keys()
        if claim.target is not None:
            self._by_target[key.namespace, claim.target].add(key)
        return frozenset(woken | self.targeting(key.namespace, claim.target))

    def remove(self, key: Key) -> frozenset[Key]:
        """Forget a LosslessRollout; return whom this wakes: it, and who may own its target now."""
        claim = self._claims.pop(key, None)
        self._failing.discard(key)
        if claim is None or claim.target is None:
            return frozenset({key})
        target = key.namespace, claim.target
        heirs = self._by_target.get(target, set())
        heirs.discard(key)
        if not heirs:
            self._by_target.pop(target, None)
        return frozenset({key, *heirs})

    def replace_all(self, claims: Mapping[Key, Claim]) -> frozenset[Key]:
        """Take a full list for the truth; return whom this wakes: of whom no event had told."""
        woken = [self.remove(key) for key in self._claims.keys() - claims.keys()]
        woken += [self.put(key, claim) for key, claim in claims.items()]
        return frozenset().union(*woken)

    def targeting(self, namespace: str, target: Target | None) -> frozenset[Key]:
        """Return the LosslessRollouts for a workload; none for none."""
        return (
            frozenset()
            if target is None
            else frozenset(self._by_target.get((namespace, target), ()))
        )

    def everybody(self) -> frozenset[Key]:
        """Return all LosslessRollouts, and those that only live on in the labels of pods."""
        return frozenset({*self._claims, *self._labelled})

    def saw(self, changed: Changed[Sighting]) -> frozenset[Key]:
        """Take note of a labelled pod's change; return whom this wakes."""
        namespace, seen = changed.key.namespace, changed.object
        key = Key(namespace, seen.rollout)
        woken = self.targeting(namespace, seen.creator) | {key}
        if changed.change is not Change.DELETED:
            self._labelled[key].add(seen.uid)
            return woken
        pods = self._labelled[key]
        pods.discard(seen.uid)
        self._gone.set()
        if not pods:
            del self._labelled[key]
        if seen.departure is not None:
            for one in woken:
                self._remember(one, seen.departure)
        return woken

    def forget_pods(self) -> None:
        """Forget what was seen of pods: nobody has watched them since."""
        self._labelled.clear()
        self._departures.clear()

    def hints(self, key: Key) -> Hints:
        """Return what a look at ``key`` need not find out by itself."""
        claim = self._claims.get(key)
        target = claim.target if claim is not None else None
        return Hints(
            rivals=tuple(sorted(k.name for k in self.targeting(key.namespace, target) - {key})),
            labelled=frozenset(self._labelled.get(key, ())),
            departures=tuple(self._departures.get(key, _NOBODY).values()),
            unpullable=tuple(sorted(Elsewhere(*other) for other in self._failing - {key})),
        )

    async def told_gone(self, key: Key, uids: frozenset[str]) -> None:
        """Wait until events have told that these pods of ``key`` are gone, or for ``lag`` seconds.

        Pods that no event has ever told of are not waited for.
        """
        try:
            async with asyncio.timeout(self._lag):
                while uids & self._labelled.get(key, set()):
                    self._gone.clear()
                    await self._gone.wait()
        except TimeoutError:
            _log.warning("the watch of pods lags behind", namespace=key.namespace, rollout=key.name)

    def acted_on(self, key: Key, departures: Iterable[Departure]) -> None:
        """Forget departures whose consequences are stored."""
        kept = self._departures.get(key, {})
        for departure in departures:
            kept.pop(departure.uid, None)
        if not kept:
            self._departures.pop(key, None)

    def _remember(self, key: Key, departure: Departure) -> None:
        if key not in self._claims:
            return
        kept = self._departures.setdefault(key, {})
        kept[departure.uid] = departure
        while len(kept) > _DEPARTURES:
            del kept[next(iter(kept))]
