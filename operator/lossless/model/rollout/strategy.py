"""How far below its replicas a Deployment lets itself go while it replaces its pods."""

import math
import re
from dataclasses import dataclass
from typing import Final

_PERCENT: Final = re.compile(r"^([0-9]+)%$", re.ASCII)
#: What the API server fills in for a Deployment that says nothing (apps/v1 defaults).
DEFAULT: Final = "25%"


@dataclass(frozen=True, slots=True)
class Strategy:
    """``spec.strategy`` of a Deployment."""

    recreate: bool = False
    """All old pods go before the first new one comes: there is nothing to pace."""
    max_surge: int | str = DEFAULT
    """A number of pods, or a percentage of the replicas such as ``25%``."""
    max_unavailable: int | str = DEFAULT
    """The same."""

    def resolve(self, replicas: int) -> tuple[int, int]:
        """Return ``(surge, unavailable)`` as numbers of pods.

        Surge is rounded up, unavailable down; both zero would never move, so unavailable is then
        one (k8s.io/kubernetes pkg/controller/deployment/util ``ResolveFenceposts``).
        """
        surge = _pods(self.max_surge, replicas, up=True)
        unavailable = _pods(self.max_unavailable, replicas, up=False)
        if surge == 0 and unavailable == 0:
            unavailable = 1
        return surge, min(unavailable, replicas)

    def wave(self, replicas: int) -> int:
        """Return the number of pods that the Deployment replaces at a time on its own."""
        return replicas if self.recreate else sum(self.resolve(replicas))

    def floor(self, replicas: int) -> int:
        """Return the number of pods that the Deployment keeps available on its own."""
        return 0 if self.recreate else replicas - self.resolve(replicas)[1]


def _pods(value: int | str, replicas: int, *, up: bool) -> int:
    if isinstance(value, int):
        return max(0, value)
    match = _PERCENT.match(value)
    if match is None:
        # The API server refuses anything else; should it not, the default is the safest reading.
        return _pods(DEFAULT, replicas, up=up)
    share = int(match[1]) * replicas
    return math.ceil(share / 100) if up else share // 100
