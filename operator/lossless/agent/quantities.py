"""What a page of counters says, parsed. No I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is in flight."""

    value: float
    note: str = ""
    """What else the page tells, for people."""
