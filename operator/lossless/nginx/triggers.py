"""The ``if`` that looks at the status file, and what ends a request's way to it.

The directives of ngx_http_rewrite_module run in the order they are written, those of the server
first, those of the location that was found then. ``break``, and a ``rewrite`` that matches and has
a flag, end the set they stand in; only ``redirect`` and ``permanent`` are an answer. So ``last`` in
a location is no way around the ``if``: the location that it leads to has its own.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lossless.nginx.contexts import BlockPath, closes, passes
from lossless.nginx.directives import Directive
from lossless.nginx.findings import NginxFinding, Severity, found


@dataclass(frozen=True, slots=True)
class Trigger:
    """``if (!-f FILE) { return CODE; }``: what turns a request into a drain's."""

    condition: Directive
    file: str
    code: str
    gone: bool
    """True: it acts while the file is not there; False: while it is."""
    is_dead: bool
    """A ``break;`` in front of it keeps every request from it."""


class Leads(enum.Enum):
    """Where a request goes that leaves the directives of its level early."""

    ON = enum.auto()
    """``break``: to the end of its level, and on from there."""
    ELSEWHERE = enum.auto()
    """``last``: to the location that its new path belongs to."""
    BACK = enum.auto()
    """A redirect: to the client."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A directive in front of a trigger by which requests leave its level."""

    by: Directive
    leads: Leads


_TEST: Final = re.compile(r"\(\s*(!?)-[fe]\s+[\"']?([^\s\"')]+)[\"']?\s*\)")
_FLAGS: Final = {
    "break": Leads.ON,
    "last": Leads.ELSEWHERE,
    "redirect": Leads.BACK,
    "permanent": Leads.BACK,
}
#: What has an effect of its own; a ``break`` only keeps others from theirs.
_EFFECTIVE: Final = ("if", "return", "rewrite", "set")
#: A replacement that begins so is a redirect, whatever the flag (``ngx_http_rewrite``).
_ABSOLUTE: Final = ("http://", "https://", "$scheme")


def trigger(block: Directive) -> Trigger | None:
    """Return the first trigger that stands directly in a block, in front of any ``return``."""
    is_dead = False
    for one in block.block or ():
        if one.name == "return":
            return None
        if act := _as_trigger(one, is_dead=is_dead):
            return act
        is_dead = is_dead or one.name == "break"
    return None


def _as_trigger(one: Directive, *, is_dead: bool = False) -> Trigger | None:
    match = _TEST.fullmatch(" ".join(one.arguments)) if one.name == "if" else None
    answer = one.last("return") if match else None
    if match and answer and answer.arguments:
        return Trigger(one, match[2], answer.arguments[0], gone=bool(match[1]), is_dead=is_dead)
    return None


def exits(block: Directive) -> Iterator[Exit]:
    """Yield what requests leave a block by before its trigger, or if it has none, before its end.

    An ``if`` that answers some requests by itself is not looked at.
    """
    for one in block.block or ():
        if one.name == "return" or _as_trigger(one):
            return
        if one.name == "if":
            inner = [left for each in one.block or () if (left := _exit(each))]
            yield from (left for left in inner[:1] if left.leads is not Leads.BACK)
        elif left := _exit(one):
            yield left
            if one.name == "break":
                return


def _exit(one: Directive) -> Exit | None:
    if one.name == "break":
        return Exit(one, Leads.ON)
    if one.name != "rewrite" or len(one.arguments) < 2:  # noqa: PLR2004 # what nginx refuses
        return None
    _, replacement, *flags = one.arguments
    leads = Leads.BACK if replacement.startswith(_ABSOLUTE) else _FLAGS.get("".join(flags))
    return Exit(one, leads) if leads else None


def behind(act: Trigger, block: Directive) -> Iterator[Directive]:
    """Yield what stands behind a trigger of a block, and is not run once it acts."""
    at = [one is act.condition for one in block.block or ()].index(True)
    return (one for one in (block.block or ())[at + 1 :] if one.name in _EFFECTIVE)


def acts_for_all(server: Directive) -> bool:
    """Return whether no request gets into a location of a server without its trigger."""
    left = any(one.leads is not Leads.BACK for one in exits(server))
    return trigger(server) is not None and not left


def not_reached(server: BlockPath, places: Sequence[BlockPath]) -> Iterator[NginxFinding]:
    """Yield what keeps requests from the ``if`` that is there for them.

    Args:
        server: as a place.
        places: where clients' requests to it end.
    """
    yield from _in_server(server, places)
    if not acts_for_all(server.here):
        for place in places:
            if place.here is not server.here and not closes(place):
                yield from _in_location(place)


def _in_server(server: BlockPath, places: Sequence[BlockPath]) -> Iterator[NginxFinding]:
    own = trigger(server.here)
    unasked = [
        one
        for one in places
        if not closes(one) and (one.here is server.here or trigger(one.here) is None)
    ]
    for one in exits(server.here):
        if one.leads is not Leads.BACK and own and unasked:
            yield _passed(one, own, unasked, in_server=True)
        elif one.leads is Leads.BACK and (own or any(trigger(each.here) for each in places)):
            yield _redirected(one, in_server=True)


def _in_location(place: BlockPath) -> Iterator[NginxFinding]:
    act = trigger(place.here)
    for one in exits(place.here) if act else ():
        if one.leads is Leads.ON and act:
            yield _passed(one, act, [place], in_server=False)
        elif one.leads is Leads.BACK:
            yield _redirected(one, in_server=False)


def _passed(one: Exit, act: Trigger, on: Sequence[BlockPath], *, in_server: bool) -> NginxFinding:
    rewrites = one.by.name == "rewrite"
    passed = "what it rewrites" if rewrites else "what comes to it"
    again = ", and repeat this in the named location" if rewrites else ""
    return found(
        Severity.ERROR if any(map(passes, on)) else Severity.WARNING,
        "not-reached",
        one.by,
        what=f"{one.by} stands in front of {act.condition}, which cannot be reached for {passed}",
        why="in a drain those clients are not told to leave: if they stay busy, they hold it until "
        "timeout",
        remedy="move the if and its error_page into each location: they are reached there, "
        "whatever the server rewrites"
        if in_server
        else f"put the if first{again}",
    )


def _redirected(one: Exit, *, in_server: bool) -> NginxFinding:
    return found(
        Severity.WARNING,
        "not-reached",
        one.by,
        what=f"{one.by} stands in front of the if, which cannot be reached for what it rewrites",
        why="in a drain those clients are not told to leave; harmless only where they also ask for "
        "something else",
        remedy="move it into a location, behind its if, and into the named location as well"
        if in_server
        else "put the if first, and repeat this in the named location",
    )
