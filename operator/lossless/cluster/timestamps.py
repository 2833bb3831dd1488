"""Times as Kubernetes writes them, to seconds of the epoch and back."""

from datetime import UTC, datetime


def parse_time(text: object) -> float:
    """Return the seconds of the epoch that an RFC 3339 text stands for; 0 if it is none."""
    if not isinstance(text, str):
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        # OverflowError: of a year that only an offset makes representable.
        return 0.0


def format_time(seconds: float) -> str:
    """Return a ``metav1.Time``: whole seconds, in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(seconds: float) -> str:
    """Return a ``metav1.MicroTime``, as Leases and Events carry it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
