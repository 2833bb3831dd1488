"""Which signal a command sends, and whether a server ends at it: by their manuals. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

_SIGNALS: Final = {
    "0": "0",
    "1": "HUP",
    "2": "INT",
    "3": "QUIT",
    "6": "ABRT",
    "9": "KILL",
    "10": "USR1",
    "12": "USR2",
    "14": "ALRM",
    "15": "TERM",
    "17": "CHLD",
    "18": "CONT",
    "19": "STOP",
    "28": "WINCH",
}
#: Signals by which servers end, and those that most of them take for something else.
_ENDING: Final = frozenset({"TERM", "INT", "QUIT", "KILL", "ABRT", "ALRM", "STOP", "USR1"})
#: Whoever is told by name to end at a signal, or not to: their manuals. In a hook of anything else
#: USR1 ends: that is the kernel's default, and HAProxy's soft stop.
_LIVE_ON: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("nginx", "openresty", "httpd", "apache", "php-fpm", "php", "envoy", "gunicorn", "uwsgi"),
        frozenset({"USR1"}),
    ),
    **dict.fromkeys(
        ("puma", "unicorn", "traefik", "caddy", "node", "varnish", "lighttpd"), frozenset({"USR1"})
    ),
}
#: WINCH is a graceful end to these, and nothing to others.
_END_AT_WINCH: Final = ("nginx", "openresty", "httpd", "apache")


def ends_at(signal: str, about: str) -> bool:
    """Return whether the server that ``about`` is about ends at a signal."""
    if signal == "WINCH":
        return any(server in about for server in _END_AT_WINCH)
    lives_on = any(signal in signals for name, signals in _LIVE_ON.items() if name in about)
    return signal in _ENDING and not lives_on


def signal_in(arguments: Sequence[str]) -> str:
    """Return the signal that is sent, as its bare name; ``0`` sends none."""
    for key, value in zip(arguments, [*arguments[1:], ""], strict=False):
        if key in {"-s", "-n", "--signal"}:
            return signal_name(value)
        if key.startswith("--signal="):
            return signal_name(key.partition("=")[2])
        if key.startswith("-s") and signal_name(key[2:]) in _SIGNALS.values():
            return signal_name(key[2:])
        bare = signal_name(key[1:]) if key.startswith("-") else ""
        if bare in _SIGNALS.values():
            return bare
    return "TERM"


def signal_name(signal: str) -> str:
    """Return a signal's bare name, of its number or of any way to write it."""
    name = signal.upper().removeprefix("SIG")
    return _SIGNALS.get(name, name)
