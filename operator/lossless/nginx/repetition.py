"""Does a drain answer as before? A named location inherits nothing from where a request came from.

What the origin's location says (and those around it) is compared with what is in effect in the
named location. The trigger acts before nginx checks access, so a password that is asked for only
in the origin is not asked for in a drain.
"""

from collections.abc import Iterator
from typing import Final

from lossless.nginx.contexts import PASSES, BlockPath
from lossless.nginx.coverage import Way, has_uri
from lossless.nginx.directives import Directive
from lossless.nginx.findings import NginxFinding, Severity, found
from lossless.nginx.triggers import trigger

_ACCESS: Final = frozenset(
    {
        "allow",
        "auth_basic",
        "auth_basic_user_file",
        "auth_jwt",
        "auth_jwt_key_file",
        "auth_request",
        "auth_request_set",
        "deny",
        "satisfy",
        "secure_link",
        "secure_link_md5",
    }
)
_ANSWER: Final = frozenset((*PASSES, "alias", "return", "root", "try_files"))
#: Of the way itself, or without effect on an answer.
_OTHERWISE: Final = frozenset(
    {
        "access_log",
        "error_log",
        "error_page",
        "if",
        "internal",
        "keepalive_min_timeout",
        "keepalive_requests",
        "keepalive_time",
        "keepalive_timeout",
        "location",
        "log_not_found",
        "recursive_error_pages",
    }
)


def repetition(way: Way) -> Iterator[NginxFinding]:
    """Yield what the named location of a way does not repeat of its origin."""
    origin, target = way.origin, way.target
    server = origin.path.index(origin.server)
    said = [one for level in origin.path[server + 1 :] for one in level.block or ()]
    for name in dict.fromkeys(one.name for one in said if one.name not in _OTHERWISE):
        before, after = origin.in_effect(name), target.in_effect(name)
        if name == "proxy_pass" and before and after:
            yield from _proxy_pass(origin, target, before[-1], after[-1])
        elif set(map(str, before)) != set(map(str, after)):
            yield _differs(origin, target, name, before, after)
    repeated = {str(one) for one in target.here.block or ()}
    for one in way.skipped:
        if str(one) not in repeated:
            yield _skipped(one, target)
    conditions = {str(one) for one in target.here.all("if")}
    act = trigger(origin.here)
    for one in origin.here.all("if"):
        if str(one) not in conditions and (act is None or one is not act.condition):
            yield found(
                Severity.WARNING,
                "not-repeated",
                one,
                what=f"{one} of {origin} is not repeated in {target}",
                why="in a drain, requests that it is meant for are answered without it",
                remedy=f"repeat it in {target}, or move it to the server",
            )


def _skipped(one: Directive, target: BlockPath) -> NginxFinding:
    return found(
        Severity.ERROR if one.name in _ANSWER else Severity.WARNING,
        "answers-otherwise" if one.name in _ANSWER else "not-repeated",
        one,
        what=f"{one} stands behind the if of the server, and is not repeated in {target}",
        why="in a drain, requests that it is meant for are answered without it",
        remedy="move the if and its error_page into each location: the server's directives have "
        "been run there",
    )


def _differs(
    origin: BlockPath,
    target: BlockPath,
    name: str,
    before: tuple[Directive, ...],
    after: tuple[Directive, ...],
) -> NginxFinding:
    there = {str(one) for one in after}
    lacking = [one for one in before if str(one) not in there]
    at = lacking[0] if lacking else after[0]
    if lacking:
        what = f"{at} of {origin} is not in effect in {target}"
        remedy = f"repeat it in {target}, or share both by an include"
    else:
        what = f"{at} is in effect in {target}, not in {origin}"
        remedy = f"take it out, or say it in {origin} as well"
    if name in _ACCESS:
        return found(
            Severity.ERROR,
            "access-not-repeated",
            at,
            what=what,
            why="in a drain, everybody gets in: access is checked after the redirect",
            remedy=remedy,
        )
    if name in _ANSWER:
        return found(
            Severity.ERROR,
            "answers-otherwise",
            at,
            what=what,
            why="in a drain, clients get another answer",
            remedy=remedy,
        )
    return found(
        Severity.WARNING,
        "not-repeated",
        at,
        what=what,
        why="in a drain, requests and answers are treated otherwise",
        remedy=remedy,
    )


def _proxy_pass(
    origin: BlockPath, target: BlockPath, before: Directive, after: Directive
) -> Iterator[NginxFinding]:
    old, new = before.arguments[0], after.arguments[0]
    if has_uri(old):
        old = _without_uri(old)
        if target.here.last("rewrite") is None:
            yield found(
                Severity.ERROR,
                "answers-otherwise",
                before,
                what=f"{before} of {origin} replaces the path, and {target} does not",
                why="in a drain, the app gets the path as the client sent it",
                remedy=f"in {target}, a rewrite ... break that does the same: a named location "
                "can have no path in proxy_pass",
            )
    if old != _without_uri(new):
        yield found(
            Severity.ERROR,
            "answers-otherwise",
            after,
            what=f"{target} passes to {new}, and {origin} to {before.arguments[0]}",
            why="in a drain, requests go to another server",
            remedy="pass both to the same",
        )


def _without_uri(address: str) -> str:
    if not has_uri(address) or "://unix:" in address:
        return address
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
