"""Where the text of a configuration comes from."""

import errno
import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol


class Files(Protocol):
    """Files by their paths."""

    def read(self, path: str) -> str:
        """Return a file's text.

        Raises:
            OSError: it is not there, or may not be read.
        """
        ...

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the files that an ``include`` with a mask names."""
        ...


class OnDisk:
    """This machine's files."""

    def read(self, path: str) -> str:
        """Return a file's text, whatever its encoding: nginx reads bytes."""
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the files that match."""
        return glob.glob(pattern)  # noqa: PTH207 # includes are strings, and so are findings


@dataclass(frozen=True, slots=True)
class InMemory:
    """Texts by path, such as those of a pod's ConfigMaps."""

    texts: Mapping[str, str]

    def read(self, path: str) -> str:
        """Return a text."""
        try:
            return self.texts[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path) from None

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the paths that match; as on disk, ``*`` does not lead into a directory."""
        parts = len(PurePosixPath(pattern).parts)
        return [
            path
            for path in self.texts
            # A relative pattern is compared from the right.
            if len(PurePosixPath(path).parts) == parts and PurePosixPath(path).match(pattern)
        ]


#: ``nginx -T`` writes it before each file, on a line of its own (src/core/nginx.c).
#: The path is absolute, but with a relative ``-p``; a comment of people's rarely is.
_HEADER: Final = re.compile(r"^# configuration file (/.*):$\n?", re.MULTILINE)
_OF_A_CONFIGURATION: Final = (";", "{", "}")


def printed(text: str) -> InMemory | None:
    """Return the files of what ``nginx -T`` has printed, the main one first; None if it did not.

    What stands before the first of them is not nginx's configuration: its warnings, the log of an
    image's entrypoint.
    """
    before, *rest = _HEADER.split(text)
    if not rest or any(line.rstrip().endswith(_OF_A_CONFIGURATION) for line in before.splitlines()):
        return None
    return InMemory(dict(zip(rest[::2], rest[1::2], strict=True)))
