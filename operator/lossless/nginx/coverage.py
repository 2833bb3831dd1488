"""Does every answer of a draining pod carry the close frame, and is it the right answer?

The way of a request in a drain: a trigger (``if (!-f FILE) { return 418; }``) in its server or its
location, then the ``error_page`` for 418 that is in effect there, then the named location that this
leads to, which answers with ``keepalive_timeout 0``. Each step can be missed in ways that nginx
accepts; ``tests/nginx/test_real_nginx.py`` shows on real ones what clients see then.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lossless.nginx.contexts import BlockPath, closes, is_named, passes
from lossless.nginx.directives import Directive
from lossless.nginx.findings import NginxFinding, Severity, found
from lossless.nginx.triggers import Trigger, acts_for_all, behind, trigger

_SNIPPET = "lossless nginx-snippet prints what belongs there"


@dataclass(frozen=True, slots=True)
class Way:
    """How a request of one place is answered in a drain."""

    origin: BlockPath
    target: BlockPath
    """The named location."""
    error_page: Directive
    skipped: tuple[Directive, ...]
    """What the server would have done first, and stands behind its trigger."""


def ways(place: BlockPath, status_file: str) -> tuple[list[Way], list[NginxFinding]]:
    """Return a place's ways through a drain, and what is wrong with them.

    Args:
        place: where clients' requests end.
        status_file: whose absence says that the pod drains.
    """
    triggers = _triggers(place)
    if not triggers:
        return [], _not_covered(place)
    every, problems = list[Way](), list[NginxFinding]()
    for level, act in triggers:
        taken, wrong = _way(place, level, act, status_file)
        every += [taken] if taken else []
        problems += wrong
    return every, problems


def _way(
    place: BlockPath, level: BlockPath, act: Trigger, status_file: str
) -> tuple[Way | None, list[NginxFinding]]:
    problems = list(_wrong_file(act, status_file))
    page = _error_page(level, act)
    if page is None:
        problems.append(_no_error_page(level, act))
        return None, problems
    problems += _wrong_answer(page)
    name = page.arguments[-1]
    if not name.startswith("@"):
        problems.append(
            found(
                Severity.ERROR,
                "target-is-a-uri",
                page,
                what=f"error_page leads to {name}, which is no named location",
                why="on such a redirect nginx turns every POST, PUT and DELETE into a GET",
                remedy=f"lead it to a named location: error_page {act.code} = @draining",
            )
        )
        return None, problems
    named = _named(place, name)
    if named is None:
        problems.append(
            found(
                Severity.ERROR,
                "no-named-location",
                page,
                what=f"there is no location {name} in this server",
                why="in a drain every client gets status 500",
                remedy=f"add it; {_SNIPPET}",
            )
        )
        return None, problems
    problems += _wrong_target(named, status_file)
    skipped = behind(act, level.here) if level.here is place.server else ()
    return Way(place, named, page, tuple(skipped)), problems


def _triggers(place: BlockPath) -> list[tuple[BlockPath, Trigger]]:
    """Return the triggers on a request's way, each with the level whose error_page it meets.

    A server's own comes first: the location has not been looked for then.
    """
    server = BlockPath(place.path[: place.path.index(place.server) + 1])
    first = trigger(server.here)
    own = None if place.here is server.here else trigger(place.here)
    if first is not None and (own is None or acts_for_all(server.here)):
        return [(server, first)]
    if own is None:
        return []
    return [(place, own)] if first is None or first.is_dead else [(server, first), (place, own)]


def _not_covered(place: BlockPath) -> list[NginxFinding]:
    here = place.here
    answer = here.last("return")
    if here.last("stub_status") or (answer and answer.arguments[:1] == ("444",)):
        # Asked by the agent or a scraper; and 444 closes the connection without an answer.
        return []
    if here.name == "server":
        return [
            found(
                Severity.WARNING,
                "not-covered",
                answer or here,
                what="this server answers by itself, in a drain as well",
                why="its clients are not told to leave; and with keepalive_timeout 0 nginx still "
                "says keep-alive here, and closes: it looks at that in locations only",
                remedy=f"put it into a location / with the snippet; {_SNIPPET}",
            )
        ]
    if closes(place):
        return []
    passed = passes(place)
    return [
        found(
            Severity.ERROR if passed else Severity.WARNING,
            "not-covered",
            here,
            what=f"{place} has no close frame",
            why="its clients are not told to leave: those that stay busy hold the drain until "
            "timeout"
            + ("" if passed else "; harmless only where they also ask for something else"),
            remedy=f"error_page and if before anything that answers; {_SNIPPET}",
        )
    ]


def _wrong_file(act: Trigger, status_file: str) -> Iterator[NginxFinding]:
    if act.gone and act.file == status_file:
        return
    if act.file == status_file:
        yield found(
            Severity.ERROR,
            "status-file",
            act.condition,
            what=f"this acts while {status_file} is there, so all the time but in a drain",
            why="the file is there while the pod serves, and is removed when it drains",
            remedy=f"if (!-f {status_file})",
        )
        return
    yield found(
        Severity.ERROR,
        "status-file",
        act.condition,
        what=f"this looks at {act.file}, and the agent removes {status_file}",
        why="nginx would never hear of the drain, or always",
        remedy=f"name {status_file} here, or statusFile: {act.file} in the LosslessRollout "
        "(and --status-file here)",
    )


def _error_page(level: BlockPath, act: Trigger) -> Directive | None:
    inside = BlockPath((*level.path, act.condition))
    for page in inside.in_effect("error_page"):
        codes = [one for one in page.arguments[:-1] if not one.startswith("=")]
        if act.code in codes:
            return page
    return None


def _no_error_page(level: BlockPath, act: Trigger) -> NginxFinding:
    own = level.here.last("error_page")
    hidden = own is not None and level.here.name == "location"
    return found(
        Severity.ERROR,
        "no-error-page",
        own if own is not None and hidden else act.condition,
        what=f"no error_page for {act.code} is in effect where {act.code} is returned"
        + ("; the location has its own, which hide those of the server" if hidden else ""),
        why=f"in a drain every client gets status {act.code} and no answer",
        remedy=f"error_page {act.code} = @draining; on the same level",
    )


def _wrong_answer(page: Directive) -> Iterator[NginxFinding]:
    answer = next((one for one in page.arguments[:-1] if one.startswith("=")), None)
    if answer == "=":
        return
    code = answer[1:] if answer else page.arguments[0]
    yield found(
        Severity.ERROR,
        "status-replaced",
        page,
        what=f"every answer of a drain gets the status {code}, whatever the app said",
        why="only a lone = lets the status of the named location through",
        remedy=f"error_page {page.arguments[0]} = {page.arguments[-1]};",
    )


def _named(place: BlockPath, name: str) -> BlockPath | None:
    at = place.path.index(place.server)
    for location in place.server.all("location"):
        if location.arguments == (name,):
            return BlockPath((*place.path[: at + 1], location))
    return None


def _wrong_target(named: BlockPath, status_file: str) -> Iterator[NginxFinding]:
    if not closes(named):
        yield found(
            Severity.ERROR,
            "no-close",
            named.here,
            what=f"{named} does not say keepalive_timeout 0",
            why="that is what makes nginx answer Connection: close; without it clients stay",
            remedy="keepalive_timeout 0; in it",
        )
    inner = trigger(named.here)
    if inner is not None and not inner.is_dead and inner.file == status_file:
        yield found(
            Severity.ERROR,
            "drain-in-a-circle",
            inner.condition,
            what=f"{named} looks at the status file again",
            why=f"in a drain every client gets status {inner.code} or 500",
            remedy="take the if out of it; only locations that clients reach need one",
        )
    for passed in named.here.all("proxy_pass"):
        if is_named(named) and passed.arguments and has_uri(passed.arguments[0]):
            yield found(
                Severity.ERROR,
                "uri-in-named-location",
                passed,
                what=f"{passed} has a path, in a named location",
                why="nginx refuses to start or to reload with that",
                remedy="leave the path out, and make it by a rewrite ... break before it",
            )


def has_uri(address: str) -> bool:
    """Return whether a ``proxy_pass`` replaces the request's path."""
    scheme, separator, rest = address.partition("://")
    if not separator or "$" in address:
        return False
    if rest.startswith("unix:"):
        return rest.count(":") > 1
    del scheme
    return "/" in rest
