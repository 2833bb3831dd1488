"""The HAProxy of a pod by which clients are told to leave, as a ConfigMap has it start."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.checks.haproxy_sections import Line, Section, read_sections
from lossless.checks.mounted import MountedFile, command_line, proxies
from lossless.checks.setup import Raw, Setup
from lossless.model.close_drivers import HaproxyClose

#: Where the official image and Debian's package look unless they are started with ``-f``.
_MAIN: Final = ("/usr/local/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg")
_STARTED_WITH: Final = re.compile(r"(?:^|\s)-f\s+(/\S+)")
#: A shell that becomes HAProxy, in the same process.
_EXEC: Final = re.compile(r"^\S*sh\s+-\S*c\s+(?:.*[;&\s])?exec\s+(?=\S*haproxy\s)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Haproxy:
    """One of them, its whole configuration in sight."""

    setup: Setup
    driver: HaproxyClose
    container: Raw
    files: Mapping[str, MountedFile]
    """What its container has mounted, by path."""
    sections: tuple[Section, ...]
    """Never empty."""

    def kinds(self, *kinds: str) -> list[Section]:
        """Return the sections of some kinds."""
        return [section for section in self.sections if section.kind in kinds]

    @property
    def globals(self) -> list[Line]:
        """The lines of all sections ``global``."""
        return [line for section in self.kinds("global") for line in section.body]

    @property
    def entrances(self) -> list[Section]:
        """What leads clients of the ports that count to a server."""
        return [
            section
            for section in self.kinds("frontend", "listen")
            if section.leads_on and self._counts(section)
        ]

    @property
    def started(self) -> str:
        """How process 1 is started, if the pod says so itself; empty: as the image has it."""
        return _EXEC.sub("", command_line(self.container)) if self.container.get("command") else ""

    @property
    def container_name(self) -> str:
        """Its container's name."""
        return str(self.container.get("name", ""))

    def at(self, line: Line) -> str:
        """Return where a line stands, as findings name it."""
        return f"{self.files[line.file].place}:{line.number}"

    def _counts(self, section: Section) -> bool:
        """Whether clients may come by a port that counts; one that cannot be told does."""
        counted = self.setup.counted
        ports = [
            address.rpartition(":")[2]
            for address in section.addresses
            if not address.startswith(("/", "unix@", "abns@", "fd@"))
        ]
        return any(not counted or not port.isdecimal() or int(port) in counted for port in ports)


def haproxies(setup: Setup) -> Iterator[Haproxy]:
    """Yield each that the LosslessRollout's driver is about."""
    for driver, container, files in proxies(setup, HaproxyClose):
        texts = {path: files[path].text for path in _read_by(container, files)}
        sections = read_sections(texts)
        if sections:
            yield Haproxy(setup, driver, container, files, sections)


def _read_by(container: Raw, files: Mapping[str, MountedFile]) -> list[str]:
    """Return the files that HAProxy reads; none if some of them are not in sight."""
    named = _STARTED_WITH.findall(command_line(container))
    if not named:
        return [path for path in _MAIN if path in files][:1]
    found = [
        [name] if name in files else sorted(path for path in files if _is_part(path, name))
        for name in named
    ]
    return [path for part in found for path in part] if all(found) else []


def _is_part(path: str, folder: str) -> bool:
    """Whether HAProxy reads a file because ``-f`` names its folder."""
    within, _, name = path.rpartition("/")
    return within == folder.rstrip("/") and name.endswith(".cfg") and not name.startswith(".")
