"""When nginx is to be reloaded once more in a drain (``close[].nginx.reload``), as a function.

A reload tells those that are connected, and nobody who comes after it. The first is at the drain's
start. Another is due for clients that came since, once hardly any more will come: first after
``propagation``, then at pauses that double, because somebody may come late (a load balancer that
is slower than ``propagation`` says) and each reload may leave a generation of workers behind.
"""

from dataclasses import dataclass
from typing import Final

from lossless.model.drain.drain_rule import Sample
from lossless.model.policy import DrainPolicy

#: Seconds between the second reload and the third: more than a reload takes.
PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The latest reload that was asked for."""

    number: int
    """1 is that at the drain's start."""
    at: float


def is_due(sample: Sample, policy: DrainPolicy, started: float, asked: Asked, now: float) -> bool:
    """Return whether nginx is to be reloaded now.

    Args:
        sample: the latest.
        policy: durations in seconds.
        started: when the drain started.
        asked: for which reload was asked last.
        now: on the clock of the samples.
    """
    if now < started + policy.propagation or now < asked.at + _pause(asked.number):
        return False
    if sample.problem:
        # Somebody may have come; a reload for nobody costs little, one that is missing the timeout.
        return True
    came = sample.newest is not None and sample.newest >= asked.at
    return came and sample.counting(policy) > 0


def _pause(number: int) -> float:
    return PAUSE * 2 ** (number - 2) if number > 1 else 0.0
