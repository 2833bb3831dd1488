"""What events have told: which LosslessRollouts there are, for which workloads, and their pods.

It only says whom to wake and what to read; every decision rests on real reads. The LosslessRollouts
are taken from each full list anew, so what was missed of them lasts no longer than that; the pods
are what the watch says, which makes up for what it missed by itself.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

import structlog

from lossless.cluster.gather import Hints
from lossless.cluster.objects import Claim, PodEventSummary
from lossless.cluster.watching import Change, Changed, Key
from lossless.model.rollout.observation import Departure, Elsewhere
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
        self._told: set[Key] | None = None
        """Of whom events have told since a list began; None: none is under way."""
        self._labelled: dict[Key, set[str]] = defaultdict(set)
        self._homes: dict[str, Key] = {}
        """The same by uid of the pod."""
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
        self._note(key)
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
        self._note(key)
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

    @contextmanager
    def listing(self) -> Iterator[AbstractSet[Key]]:
        """For as long as a list is read: give the LosslessRollouts of which events tell meanwhile.

        What they tell is newer than the list, or as old.
        """
        told = self._told = set[Key]()
        try:
            yield told
        finally:
            self._told = None

    def replace_all(
        self, claims: Mapping[Key, Claim], told: AbstractSet[Key] = frozenset()
    ) -> frozenset[Key]:
        """Take a full list for the truth; return whom this wakes: of whom no event had told.

        Args:
            claims: as they were listed.
            told: of whom events have told since the list began; these stay as they are known.
        """
        told = frozenset(told)
        woken = [self.remove(key) for key in self._claims.keys() - claims.keys() - told]
        woken += [self.put(key, claim) for key, claim in claims.items() if key not in told]
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

    def saw(self, changed: Changed[PodEventSummary]) -> frozenset[Key]:
        """Take note of a labelled pod's change; return whom this wakes."""
        namespace, seen = changed.key.namespace, changed.object
        key = Key(namespace, seen.rollout)
        woken = self.targeting(namespace, seen.creator) | {key}
        if changed.change is not Change.DELETED:
            former = self._homes.get(seen.uid, key)
            if former != key:
                woken |= {former}
                self._leave(former, seen.uid)
            self._homes[seen.uid] = key
            self._labelled[key].add(seen.uid)
            # It was no departure: its label went, and came back.
            for one in woken:
                self._forget(one, (seen.uid,))
            return woken
        self._homes.pop(seen.uid, None)
        self._leave(key, seen.uid)
        if seen.departure is not None:
            for one in woken:
                self._remember(one, seen.departure)
        return woken

    def forget_pods(self) -> None:
        """Forget what was seen of pods: nobody has watched them since."""
        self._labelled.clear()
        self._homes.clear()
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
        self._forget(key, (departure.uid for departure in departures))

    def _note(self, key: Key) -> None:
        if self._told is not None:
            self._told.add(key)

    def _leave(self, key: Key, uid: str) -> None:
        """Forget a pod that carries the label of ``key`` no more."""
        pods = self._labelled.get(key, set())
        pods.discard(uid)
        if not pods:
            self._labelled.pop(key, None)
        self._gone.set()

    def _forget(self, key: Key, departed: Iterable[str]) -> None:
        kept = self._departures.get(key, {})
        for uid in departed:
            kept.pop(uid, None)
        if not kept:
            self._departures.pop(key, None)

    def _remember(self, key: Key, departure: Departure) -> None:
        if key not in self._claims:
            return
        kept = self._departures.setdefault(key, {})
        kept[departure.uid] = departure
        while len(kept) > _DEPARTURES:
            del kept[next(iter(kept))]
