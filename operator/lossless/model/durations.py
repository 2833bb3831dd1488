"""Go-style durations, as Kubernetes APIs spell them: ``1h30m``, ``1.5s``, ``300ms``."""

import re
from typing import Final

_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
#: The same grammar for the CRD's schema (RE2 and ECMA syntax alike).
PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_MAX_LENGTH: Final = 32


def parse_duration(text: str) -> float:
    """Return the seconds that ``text`` stands for.

    Raises:
        ValueError: ``text`` is not a Go-style duration; the message quotes it.
    """
    if len(text) <= _MAX_LENGTH and re.fullmatch(PATTERN, text, re.ASCII):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    shown = text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "..."
    raise ValueError(f"{shown!r} is not a duration; write for example 90s, 5m or 1m30s")


def format_duration(seconds: float) -> str:
    """Return ``seconds`` (0 or more) as the shortest Go-style text, to the millisecond."""
    millis = round(seconds * 1000)
    hours, millis = divmod(millis, 3_600_000)
    minutes, millis = divmod(millis, 60_000)
    whole, millis = divmod(millis, 1000)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    if millis:
        parts.append(f"{whole}.{millis:03d}".rstrip("0") + "s")
    elif whole or not (hours or minutes):
        parts.append(f"{whole}s")
    return "".join(parts)
