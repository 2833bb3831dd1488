"""How nginx keeps connections: idle times, HTTP/2, and headers that speak of it twice."""

from collections.abc import Iterator
from typing import Final

from lossless.nginx.contexts import BlockPath, seconds
from lossless.nginx.directives import Directive
from lossless.nginx.findings import NginxFinding, Severity, found

#: Below it, connections are made anew so often that it is felt; nginx's default is 1000.
_FEW_REQUESTS: Final = 100


def idle_times(place: BlockPath, client_idle: float) -> Iterator[NginxFinding]:
    """Yield what ends a connection before its client does.

    Args:
        place: where clients' requests end.
        client_idle: seconds after which clients give an idle connection up.
    """
    for keep in place.in_effect("keepalive_timeout")[-1:]:
        time = seconds(keep.arguments[0]) if keep.arguments else None
        if time is not None and 0 < time < client_idle:
            yield found(
                Severity.WARNING,
                "short-keepalive",
                keep,
                what=f"nginx closes connections that were idle for {time:g} s; "
                f"clients keep them for {client_idle:g} s",
                why="a request that is sent in that moment is lost, at any time and not only in "
                "a rollout",
                remedy=f"keepalive_timeout of more than {client_idle:g} s, "
                "or --client-idle-timeout as your clients have it",
            )
    for limit in place.in_effect("keepalive_requests")[-1:]:
        number = limit.arguments[0] if limit.arguments else ""
        if number.isdecimal() and len(number) < 10 and int(number) < _FEW_REQUESTS:  # noqa: PLR2004 # no number that people write
            yield found(
                Severity.NOTE,
                "few-requests",
                limit,
                what=f"every connection ends after {number} requests",
                why="HTTP/1 clients are told and lose nothing; HTTP/2 clients that do not honour "
                "GOAWAY lose the streams they have just opened",
                remedy=f"leave it at nginx's default of 1000, or more than {_FEW_REQUESTS}",
            )


def multiplexed(
    main: Directive, server: BlockPath, *, client_idle: float, reloads: bool
) -> Iterator[NginxFinding]:
    """Yield what HTTP/2 and HTTP/3 clients of a server would not hear.

    Args:
        main: the main context.
        server: as a place.
        client_idle: seconds after which clients give an idle connection up.
        reloads: whether nginx is told to reload in a drain.
    """
    listens = list(server.here.all("listen"))
    switch = server.in_effect("http2")[-1:]
    http2 = [one for one in listens if "http2" in one.arguments]
    http2 += [one for one in switch if one.arguments == ("on",)]
    for listen in listens:
        if "quic" in listen.arguments:
            yield found(
                Severity.WARNING,
                "http3",
                listen,
                what="HTTP/3 clients are not told to leave",
                why="no way is known to have nginx send GOAWAY over QUIC without a restart",
                remedy="leave HTTP/3 to a load balancer in front, or bear timeout",
            )
    if not http2:
        return
    if not reloads:
        yield found(
            Severity.WARNING,
            "http2",
            http2[0],
            what="HTTP/2 clients are not told to leave by the close frames",
            why="keepalive_timeout 0 of a location does nothing there: nginx says GOAWAY when it "
            "is reloaded, or by the server's own keepalive_timeout",
            remedy="close: [{nginx: {http2: {reload: AfterClientIdleTimeout}}}] in the "
            "LosslessRollout has nginx reload in a drain; then check with --http2-reload",
        )
        return
    yield from _reload(main, server, http2[0], client_idle)


def _reload(
    main: Directive, server: BlockPath, listen: Directive, client_idle: float
) -> Iterator[NginxFinding]:
    kept = server.in_effect("keepalive_min_timeout")[-1:]
    least = seconds(kept[0].arguments[0]) if kept and kept[0].arguments else None
    if least is None or least < client_idle:
        yield found(
            Severity.WARNING,
            "reload-closes-idle",
            kept[0] if kept else listen,
            what=f"a reload closes idle HTTP/1 connections that clients keep for {client_idle:g} s",
            why="a request that is sent in that moment is lost; nginx 1.27.4 and newer can wait",
            remedy=f"keepalive_min_timeout {client_idle + 15:g}s; in http or server; without it, "
            "leave nginx.http2.reload at AfterClientIdleTimeout",
        )
    for limit in main.all("worker_shutdown_timeout"):
        yield found(
            Severity.WARNING,
            "reload-cuts-streams",
            limit,
            what=f"{limit} ends what is still open after a reload",
            why="streams that GOAWAY lets finish are cut by it",
            remedy="take it out, or make it as long as the drain's timeout",
        )
    for keep in server.in_effect("keepalive_timeout")[-1:]:
        if keep.arguments and seconds(keep.arguments[0]) == 0:
            yield found(
                Severity.WARNING,
                "one-request-each",
                keep,
                what="every HTTP/2 connection gets GOAWAY with its first request",
                why="streams that a client has opened together with it are not answered; clients "
                "that do not send them again by themselves lose them",
                remedy="keepalive_timeout of the server above 0; the reload tells clients to leave",
            )


def connection_headers(block: Directive) -> Iterator[NginxFinding]:
    """Yield every header that contradicts nginx's own, wherever it is added."""
    for one in block.block or ():
        if (
            one.name == "add_header"
            and one.arguments[:1]
            and one.arguments[0].lower()
            in (
                "connection",
                "keep-alive",
            )
        ):
            yield found(
                Severity.WARNING,
                "connection-header",
                one,
                what=f"{one} makes a second header beside nginx's own",
                why="Python and Java believe the first, which is nginx's; others believe close",
                remedy="take it out; keepalive_timeout decides what nginx says",
            )
        yield from connection_headers(one)


def error_pages(target: BlockPath, code_page: Directive) -> Iterator[NginxFinding]:
    """Yield that pages for other errors are not used in a drain.

    Args:
        target: the named location.
        code_page: the ``error_page`` that leads to it.
    """
    recursive = target.in_effect("recursive_error_pages")[-1:]
    if recursive and recursive[0].arguments == ("on",):
        return
    for page in target.in_effect("error_page"):
        if str(page) != str(code_page):
            yield found(
                Severity.NOTE,
                "error-pages-unused",
                page,
                what=f"{page} is not used in a drain",
                why="the way to the named location was an error_page already, and nginx follows "
                "only one; clients get nginx's own page with the same status",
                remedy=f"recursive_error_pages on; in {target}, if the page matters",
            )
            return
