"""The status files of a host: removed, and put back as they were."""

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lossless.agent.files import hide_status
from lossless.host.journal import MAX_FLAG, Flag


def remember(paths: Iterable[str], known: Sequence[Flag] = ()) -> tuple[Flag, ...]:
    """Return what the flags at ``paths`` hold; of those that are gone, what is ``known``.

    Raises:
        OSError: one is there and cannot be read.
        ValueError: one is too long to be kept, or no file.
    """
    return tuple(_remember(path, known) for path in paths)


def _remember(path: str, known: Sequence[Flag]) -> Flag:
    try:
        status = os.stat(path)  # noqa: PTH116 # one call for all four facts
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path}: is not a file; name the status file itself")
        with open(path, "rb") as file:  # noqa: PTH123 # the same path as above
            content = file.read(MAX_FLAG + 1)
    except FileNotFoundError:
        return next((flag for flag in known if flag.path == path), Flag(path))
    if len(content) > MAX_FLAG:
        raise ValueError(
            f"{path}: has more than {MAX_FLAG} bytes, and a status file is a flag; name another"
        )
    mode = stat.S_IMODE(status.st_mode)
    return Flag(path, content.decode("latin-1"), mode, status.st_uid, status.st_gid)


def withdraw(paths: Iterable[str]) -> None:
    """Remove the flags; those that are gone already are as they should be.

    Raises:
        OSError: one cannot be removed.
    """
    problems = [problem for problem in map(hide_status, paths) if problem]
    if problems:
        raise OSError("; ".join(problems))


def restore(flags: Iterable[Flag]) -> None:
    """Put the flags back, each at once or not at all; nobody sees half of one.

    Raises:
        OSError: one cannot be put back.
    """
    for flag in flags:
        path = Path(flag.path)
        if path.exists():
            continue
        draft = path.with_name(f".{path.name}.lossless")
        with suppress(FileNotFoundError):
            draft.unlink()
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, flag.content.encode("latin-1"))
            if flag.uid >= 0 and (flag.uid, flag.gid) != (os.geteuid(), os.getegid()):
                # Not ours to give as another user: then the flag is ours, and readable.
                with suppress(PermissionError):
                    os.fchown(handle, flag.uid, flag.gid)
            os.fchmod(handle, flag.mode)
        finally:
            os.close(handle)
        draft.replace(path)


def present(paths: Iterable[str]) -> dict[str, bool | None]:
    """Return for each flag whether it is there; None: that cannot be seen."""
    seen: dict[str, bool | None] = {}
    for path in paths:
        try:
            seen[path] = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 # the error counts
        except FileNotFoundError:
            seen[path] = False
        except OSError:
            seen[path] = None
    return seen
