"""How long each drain took and how it ended, from the controller's Events. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lossless.cluster.client import Raw
from lossless.cluster.timestamps import parse_time
from lossless.model.conditions import Reason
from lossless.model.phases import Phase

_BEGINS: Final = frozenset({Reason.DRAIN_STARTED})
_ENDS: Final[Mapping[str, Phase]] = {
    Reason.DRAINED: Phase.DRAINED,
    Reason.TIMED_OUT: Phase.TIMED_OUT,
    Reason.LOST: Phase.LOST,
}


@dataclass(frozen=True, slots=True)
class PastDrain:
    """One pod's drain, as far as Events tell; times in seconds of the epoch."""

    pod: str
    began: float | None = None
    """None: no Event says it, or none does any more."""
    ended: float | None = None
    """None: not yet, or nobody has said so."""
    result: Phase | None = None
    """Drained, TimedOut or Lost; None while ``ended`` is."""
    said: str = ""
    """The last Event's words."""

    @property
    def moment(self) -> float:
        """When it was heard of last."""
        return self.ended or self.began or 0.0

    @property
    def seconds(self) -> float | None:
        """How long it took; None: unknown, or still under way."""
        if self.began is None or self.ended is None:
            return None
        return max(self.ended - self.began, 0.0)


def drains_of(events: Iterable[Raw], rollout_uid: str) -> tuple[PastDrain, ...]:
    """Return the drains of one LosslessRollout, in the order in which they were heard of last.

    Args:
        events: of its namespace, in any order; as of core/v1, for Kubernetes' own role ``view``
            may read them there and not in events.k8s.io, where the controller writes them.
        rollout_uid: of the LosslessRollout.
    """
    drains: dict[str, PastDrain] = {}
    for event in sorted(events, key=lambda event: parse_time(event.get("eventTime"))):
        pod, related = _mapping(event, "involvedObject"), _mapping(event, "related")
        if pod.get("kind") != "Pod" or not rollout_uid or related.get("uid") != rollout_uid:
            continue
        at, reason = parse_time(event.get("eventTime")), str(event.get("reason"))
        uid = str(pod.get("uid", ""))
        known = drains.get(uid, PastDrain(str(pod.get("name", ""))))
        said = str(event.get("message") or "")
        ends = _ENDS.get(reason)
        if reason in _BEGINS:
            drains[uid] = replace(known, began=at, said=known.said or said)
        elif ends is not None:
            drains[uid] = replace(known, ended=at, result=ends, said=said)
    return tuple(sorted(drains.values(), key=lambda drain: drain.moment))


def shared_out(
    drains: Sequence[PastDrain], spans: Sequence[tuple[int, int]]
) -> tuple[list[list[PastDrain]], list[PastDrain]]:
    """Return the drains of each rollout, and those of none: scale-downs and evictions.

    Args:
        drains: of one LosslessRollout.
        spans: when each rollout began and ended, in whole seconds of the epoch; an end of 0 is
            still to come.
    """
    shares: list[list[PastDrain]] = [[] for _ in spans]
    rest: list[PastDrain] = []
    for drain in drains:
        # Status has whole seconds, Events microseconds.
        fits = (
            number
            for number, (began, ended) in enumerate(spans)
            if began <= drain.moment and (not ended or drain.moment < ended + 1)
        )
        number = next(fits, None)
        (rest if number is None else shares[number]).append(drain)
    return shares, rest


def _mapping(raw: Raw, key: str) -> Mapping[str, object]:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}
