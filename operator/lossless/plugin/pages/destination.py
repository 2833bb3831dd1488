"""Where a page is written."""

import os
from pathlib import Path
from typing import Final, TextIO

from lossless.plugin.exits import RefusedError

#: As everywhere on a command line: standard output.
STDOUT: Final = "-"


def check_destination(where: str) -> None:
    """Refuse what cannot be written, before the work whose result it is to take.

    Raises:
        RefusedError: says why, and what to do.
    """
    if where == STDOUT:
        return
    file = Path(where)
    if not where or file.is_dir():
        inside = Path(where, "report.html")
        raise RefusedError(f"--html {where!r} is a folder: name a file, such as {inside}")
    if not file.parent.is_dir():
        raise RefusedError(f"--html {where}: there is no folder {file.parent}: create it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise RefusedError(_unwritable(where, "permission denied"))


def write_page(text: str, where: str, out: TextIO) -> None:
    """Write a page to a file, over one that is there, or to ``out`` if ``where`` is ``-``.

    Raises:
        RefusedError: says why it cannot be, and what to do.
    """
    check_destination(where)
    if where == STDOUT:
        out.write(text)
        out.flush()
        return
    try:
        Path(where).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(_unwritable(where, (error.strerror or str(error)).lower())) from error


def _unwritable(where: str, why: str) -> str:
    return f"--html {where} cannot be written: {why}; name another file, or - for standard output"
