"""Entering a network namespace, and leaving it for a moment.

The kernel's sockets, the proxies' admin ports and the application are looked at from inside; what
the user wants to be stopped and started runs where the command itself was started. A namespace
belongs to a thread (setns(2)), so all of this is for the main thread alone, which here is the only
one. ``os.setns`` came with Python 3.12.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CLONE_NEWNET: Final = 0x40000000
_OWN: Final = "/proc/self/ns/net"


class NetworkNamespace:
    """Where sockets are counted."""

    def __init__(self, path: str = "") -> None:
        """Take the namespace bound at ``path``; empty: the one that we are in."""
        self._path = path
        self._home: int | None = None
        self._away: int | None = None

    def enter(self) -> None:
        """Be there from now on.

        Raises:
            OSError: there is none, or only root may enter it.
        """
        if not self._path or self._home is not None:
            return
        try:
            self._away = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
            _setns(self._away)
        except PermissionError as error:
            raise OSError(
                f"networkNamespace: {self._path!r}: only root may enter it; run this as root"
            ) from error
        except OSError as error:
            raise OSError(f"networkNamespace: {self._path!r}: {error.strerror}") from error
        self._home = home

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Be back where the command was started; nothing may be awaited meanwhile."""
        if self._home is None or self._away is None:
            yield
            return
        _setns(self._home)
        try:
            yield
        finally:
            _setns(self._away)


def _setns(handle: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(handle, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
