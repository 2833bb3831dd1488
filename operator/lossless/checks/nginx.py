"""Questions about nginx's configuration, where a ConfigMap of the pod holds it."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.checks.finding import Severity, Trouble
from lossless.checks.mounted import MountedFile, command_line, proxies
from lossless.checks.setup import Setup
from lossless.model.close_drivers import NginxClose
from lossless.nginx import findings as said
from lossless.nginx.check import Expectations, check
from lossless.nginx.directives import Configuration, Directive, UnreadableError, read_configuration
from lossless.nginx.files import InMemory

#: Where every build and image of nginx looks unless it is started with ``-c``.
_MAIN: Final = "/etc/nginx/nginx.conf"
#: What the images' own main file includes inside ``http``.
_PARTS: Final = re.compile(r"/etc/nginx/(conf\.d|sites-enabled|http\.d)/[^/]+")
_STARTED_WITH: Final = re.compile(r"(?:^|\s)-c\s*(/\S+)")
_SEVERITY: Final = {
    said.Severity.ERROR: Severity.ERROR,
    said.Severity.WARNING: Severity.WARNING,
    said.Severity.NOTE: Severity.NOTE,
}
#: The image has files of its own, which no ConfigMap holds: mime.types, fastcgi_params.
_NOT_IN_SIGHT: Final = "include-missing"


def works_against(setup: Setup) -> Iterator[Trouble]:
    """Ask whether nginx does in a drain what the LosslessRollout relies on."""
    for file, files, driver in _configurations(setup):
        if driver.reload is not None:
            # Its locations do nothing in a drain (`nginx_reload`).
            continue
        try:
            found = check(_read(file, files), _expected(setup, driver))
        except UnreadableError:
            continue
        for one in found:
            if one.rule != _NOT_IN_SIGHT:
                yield Trouble(
                    f"{files[one.file].place}:{one.line}",
                    f"{one.rule}: {one.what}; {one.why}",
                    one.remedy,
                    _SEVERITY[one.severity],
                )


def not_checked(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a configuration that is there could be read."""
    for file, files, driver in _configurations(setup):
        try:
            configuration = _read(file, files)
            if driver.reload is None:
                check(configuration, _expected(setup, driver))
        except UnreadableError as error:
            yield Trouble(
                files[file].place,
                str(error),
                "if the rest is in the image: kubectl exec POD -- nginx -T > FILE,"
                " and lossless nginx-check FILE",
            )


def _configurations(
    setup: Setup,
) -> Iterator[tuple[str, Mapping[str, MountedFile], NginxClose]]:
    """Yield each file that nginx starts reading at, what is mounted beside it, and the driver."""
    for driver, container, files in proxies(setup, NginxClose):
        for file in _beginnings(container, files):
            yield file, files, driver


def _beginnings(container: Mapping[str, Any], files: Mapping[str, MountedFile]) -> list[str]:
    named = _STARTED_WITH.search(command_line(container))
    main = named[1] if named else _MAIN
    if main in files:
        return [main]
    return [] if named else sorted(path for path in files if _PARTS.fullmatch(path))


def _read(file: str, files: Mapping[str, MountedFile]) -> Configuration:
    texts = {path: source.text for path, source in files.items()}
    return read_configuration(file, prefix=_MAIN.rpartition("/")[0], files=InMemory(texts))


def _expected(setup: Setup, driver: NginxClose) -> Expectations:
    idle = setup.valid.drain.client_idle_timeout if setup.valid else 0.0
    return Expectations(driver.status_file, idle, driver.http2 is not None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What ConfigMaps hold of one container's configuration."""

    driver: NginxClose
    container: Mapping[str, Any]
    files: Mapping[str, MountedFile]
    root: Directive
    """Files of ``conf.d`` stand in one, as nginx sees them."""
    whole: bool
    """Whether the file that nginx is started with is among them."""


def seen_configurations(setup: Setup) -> Iterator[Seen]:
    """Yield what is seen of each configuration that can be read."""
    for driver, container, files in proxies(setup, NginxClose):
        parts = []
        beginnings = _beginnings(container, files)
        for file in beginnings:
            with contextlib.suppress(UnreadableError):
                parts.append(_read(file, files).root)
        if parts:
            block = tuple(one for part in parts for one in part.block or ())
            whole = not any(_PARTS.fullmatch(file) for file in beginnings)
            root = Directive("main", (), parts[0].file, 1, block)
            yield Seen(driver, container, files, root, whole)
