"""What keeps an agent from telling clients, or from seeing whether they have left.

Neither ends a drain nor fails it, but each makes it longer than it need be: somebody should look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lossless.model.durations import format_duration
from lossless.model.report import DriverState, Report, SourceState

#: Seconds after which a source that cannot be read is a trouble: one look may fail.
UNREADABLE: Final = 3.0


class Trouble(StrEnum):
    """A kind of it; the value is the reason of conditions and Events, and is stored in status."""

    DRIVER_FAILED = "CloseDriverFailed"
    EVIDENCE_UNREADABLE = "EvidenceUnreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong on one pod, in words for people."""

    kind: Trouble
    what: str
    """Which driver or source."""
    why: str

    @property
    def text(self) -> str:
        """One line without the pod's name."""
        if self.kind is Trouble.DRIVER_FAILED:
            return f"close driver {self.what} failed: {self.why}"
        return f"{self.what} cannot be read: {self.why}"


@dataclass(frozen=True, slots=True)
class PodTrouble:
    """One kind of it on one pod that drains, or whose drain has just ended."""

    pod: str
    uid: str
    kind: Trouble
    text: str
    ended: bool = False
    """The pod's drain is over, so there is nothing to wait for any more."""
    fresh: bool = False
    """It was not there at the last look."""


#: What to do about it.
REMEDIES: Final = {
    Trouble.DRIVER_FAILED: (
        "Clients on open connections are not told to leave, so drains may last until timeout;"
        " correct spec.close, or the program that it names"
    ),
    Trouble.EVIDENCE_UNREADABLE: (
        "What cannot be read is not zero, so drains last until timeout; correct spec.metrics, or"
        " the program that it names"
    ),
}


def findings(report: Report) -> tuple[Finding, ...]:
    """Return what ``report`` tells of troubles; drivers first."""
    return (*_drivers(report), *_sources(report))


def _drivers(report: Report) -> Iterator[Finding]:
    for driver in report.drivers:
        if driver.state is DriverState.FAILED:
            yield Finding(Trouble.DRIVER_FAILED, driver.name, driver.reason)


def _sources(report: Report) -> Iterator[Finding]:
    for source in report.sources:
        if source.state is SourceState.UNKNOWN and source.age >= UNREADABLE:
            why = f"{source.reason} (for {format_duration(round(source.age))})"
            yield Finding(Trouble.EVIDENCE_UNREADABLE, source.name, why)


def told(found: tuple[Finding, ...]) -> str:
    """Return the first of ``found`` for people, and how many more there are."""
    if not found:
        return ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return found[0].text + more
