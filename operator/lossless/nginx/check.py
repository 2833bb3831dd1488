"""All rules on one configuration."""

from collections.abc import Iterator
from dataclasses import dataclass

from lossless.model.names import STATUS_FILE
from lossless.nginx.contexts import BlockPath, answers_clients, locations, servers
from lossless.nginx.coverage import ways
from lossless.nginx.directives import Configuration, UnreadableError
from lossless.nginx.findings import NginxFinding, Severity, found
from lossless.nginx.keeping import connection_headers, error_pages, idle_times, multiplexed
from lossless.nginx.repetition import repetition
from lossless.nginx.triggers import not_reached


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the configuration is held against."""

    status_file: str = STATUS_FILE
    client_idle: float = 60.0
    """Seconds after which clients give an idle connection up."""
    http2_reload: bool = False
    """Whether nginx is told to reload in a drain."""


def check(configuration: Configuration, expected: Expectations) -> list[NginxFinding]:
    """Return what is to be said, by file and line, each thing once.

    Raises:
        UnreadableError: there is no server in it, so nothing was checked.
    """
    root = configuration.root
    findings = [
        found(
            Severity.WARNING,
            "include-missing",
            one,
            what=f"{one.arguments[0]} is not there",
            why="what it says has not been checked; nginx itself would not start",
            remedy="check where the whole configuration is, or name --prefix",
        )
        for one in configuration.missing
    ]
    some = False
    for http, server in servers(root):
        some = True
        findings += _server(BlockPath((root, http, server)), expected)
    if not some:
        raise UnreadableError(
            f"{root.file}: there is no server block in it, so nothing can be checked; "
            "name the file that nginx is started with, usually nginx.conf"
        )
    findings += connection_headers(root)
    order = list(Severity)
    return sorted(
        dict.fromkeys(findings), key=lambda one: (one.file, one.line, order.index(one.severity))
    )


def _server(server: BlockPath, expected: Expectations) -> Iterator[NginxFinding]:
    yield from multiplexed(
        server.path[0], server, client_idle=expected.client_idle, reloads=expected.http2_reload
    )
    below = [one for one in locations(server.path) if answers_clients(one)]
    answers = server.here.last("return")
    places = [server] if answers or not below else below
    yield from not_reached(server, places)
    for place in places:
        every, problems = ways(place, expected.status_file)
        yield from problems
        yield from idle_times(place, expected.client_idle)
        for way in every:
            yield from repetition(way)
            yield from error_pages(way.target, way.error_page)
