"""Where the text of a configuration comes from."""

import errno
import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol


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
    """Texts by absolute path, such as those of a pod's ConfigMaps."""

    texts: Mapping[str, str]

    def read(self, path: str) -> str:
        """Return a text."""
        try:
            return self.texts[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path) from None

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the paths that match; as on disk, ``*`` does not lead into a directory."""
        return [path for path in self.texts if PurePosixPath(path).match(pattern)]
