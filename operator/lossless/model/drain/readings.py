"""What one counter beside the kernel's said at one look.

Three answers, never two: zero, above zero, and unknown. A page that cannot be read, an answer
that cannot be understood and a metric that is not there are all unknown, whatever the cause.
"""

from dataclasses import dataclass

from lossless.model.durations import format_duration


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer, or none."""

    source: str
    """The counter's name for people, for example ``nginxStatus on port 8080``."""
    value: float | None = None
    """What it counts; None: unknown."""
    noun: str = "request"
    """What is counted, in the singular."""
    note: str = ""
    """More that it told, for people only."""
    problem: str = ""
    """Why it is unknown."""
    age: float = 0.0
    """Seconds since it was last known, or since it was first asked if it never was."""

    @property
    def busy(self) -> str:
        """What is in flight, for people; empty if nothing is, or if it is unknown."""
        if not self.value:
            return ""
        count = f"{self.value:g} {self.noun}{'' if self.value == 1 else 's'}"
        return f"{self.source}: {count} in flight" + (f" ({self.note})" if self.note else "")

    @property
    def unknown(self) -> str:
        """Why nothing is known, for people; empty if it is."""
        if self.value is not None:
            return ""
        since = f" for {format_duration(round(self.age))}" if self.age >= 1 else ""
        return f"{self.source} cannot be read{since}: {self.problem}"
