"""All rules on a configuration whose nginx tells its clients by a reload (``nginx.reload``).

It needs nothing in its locations, so it is held against few things. Each has been seen on nginx
1.31 (tests/nginx/test_reload.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lossless.nginx.contexts import BlockPath, locations, seconds, servers
from lossless.nginx.directives import Directive, UnreadableError
from lossless.nginx.findings import NginxFinding, Severity, found
from lossless.nginx.keeping import connection_headers, idle_times

#: By which an idle connection waits to be told; nginx 1.27.4 and newer.
KEPT: Final = "keepalive_min_timeout"
#: nginx's own keepalive_timeout: with the same, no reload ends a connection before that would.
USUAL: Final = 75.0


@dataclass(frozen=True, slots=True)
class ReloadTerms:
    """What the configuration is held against."""

    client_idle: float = 60.0
    """Seconds after which clients give an idle connection up."""
    timeout: float = 300.0
    """Seconds that a drain takes at most."""
    by_pid_file: bool = True
    """Whether nginx is reloaded by ``nginx -s reload``."""
    whole: bool = True
    """Whether all of the configuration is there; else the rest may say what is missing."""


def check_reload(root: Directive, terms: ReloadTerms) -> list[NginxFinding]:
    """Return what is to be said, by file and line, each thing once.

    Raises:
        UnreadableError: there is no server in it, so nothing was checked.
    """
    findings = [*_of_main(root, terms), *connection_headers(root)]
    some = False
    for http, server in servers(root):
        some = True
        findings += _of_server(BlockPath((root, http, server)), terms)
    if not some:
        raise UnreadableError(
            f"{root.file}: there is no server block in it, so nothing can be checked; "
            "name the file that nginx is started with, usually nginx.conf"
        )
    order = list(Severity)
    return sorted(
        dict.fromkeys(findings), key=lambda one: (one.file, one.line, order.index(one.severity))
    )


def keeps_idle(root: Directive) -> bool:
    """Return whether the directive is anywhere, which an nginx before 1.27.4 does not start with.

    https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_min_timeout
    """
    return any(one.name == KEPT or keeps_idle(one) for one in root.block or ())


def _of_main(root: Directive, terms: ReloadTerms) -> Iterator[NginxFinding]:
    for limit in root.all("worker_shutdown_timeout"):
        time = seconds(limit.arguments[0]) if limit.arguments else None
        if time is not None and time < terms.timeout:
            yield found(
                Severity.ERROR,
                "reload-cuts",
                limit,
                what=f"{limit} cuts what is still open so long after a reload",
                why=f"a drain waits for it up to {terms.timeout:g} s: WebSockets, downloads and "
                "idle connections end under their clients",
                remedy=f"take it out, or make it more than the drain's timeout, {terms.timeout:g}s",
            )
    for pid in root.all("pid"):
        if terms.by_pid_file and pid.arguments == ("/dev/null",):
            yield found(
                Severity.ERROR,
                "no-pid-file",
                pid,
                what="nginx -s reload does not find the master",
                why="it reads the pid file that the configuration names",
                remedy="name a file on an emptyDir, for example pid /tmp/nginx.pid; or, where "
                'nginx is process 1 of its container, command: [kill, -HUP, "1"]',
            )
    for master in root.all("master_process"):
        if master.arguments == ("off",):
            yield found(
                Severity.ERROR,
                "no-master",
                master,
                what="a reload tells nobody",
                why="without a master there are no new workers to which clients could go over",
                remedy="take it out",
            )


def _of_server(server: BlockPath, terms: ReloadTerms) -> Iterator[NginxFinding]:
    for place in (server, *locations(server.path)):
        yield from _idle(place, terms)
        yield from idle_times(place, terms.client_idle)
    for listen in server.here.all("listen"):
        if "quic" in listen.arguments:
            yield found(
                Severity.WARNING,
                "http3",
                listen,
                what="HTTP/3 clients are not told to leave",
                why="no way is known to have nginx send GOAWAY over QUIC without a restart",
                remedy="leave HTTP/3 to a load balancer in front, or bear timeout",
            )


def _idle(place: BlockPath, terms: ReloadTerms) -> Iterator[NginxFinding]:
    kept = place.in_effect(KEPT)[-1:]
    remedy = f"{KEPT} {max(USUAL, terms.client_idle + 15):g}s; in http, for all servers"
    why = "a request that is sent in that moment is lost; nginx 1.27.4 and newer can wait"
    if not kept:
        if terms.whole:
            yield found(
                Severity.ERROR,
                "reload-closes-idle",
                place.server,
                what="a reload closes idle connections that clients keep for "
                f"{terms.client_idle:g} s",
                why=why,
                remedy=remedy,
            )
        return
    time = seconds(kept[0].arguments[0]) if kept[0].arguments else None
    if time is not None and time < terms.client_idle:
        yield found(
            Severity.ERROR,
            "reload-closes-idle",
            kept[0],
            what=f"a reload closes connections that were idle for {time:g} s, "
            f"and clients keep them for {terms.client_idle:g} s",
            why=why,
            remedy=remedy,
        )
