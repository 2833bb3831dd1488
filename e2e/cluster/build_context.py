"""What decides how an image build comes out, hashed."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def ignore_rules(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """(pattern, ignored) rules of a .dockerignore, in order; the last that matches decides.

    A rule that is matched by a folder counts for all below it (Docker's documentation).
    """
    rules = []
    for row in text.splitlines():
        word = row.strip()
        if not word or word.startswith("#"):
            continue
        ignored = not word.startswith("!")
        rules.append((_translate(word.removeprefix("!").strip().strip("/")), ignored))
    return rules


def _translate(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match, plus `**` for any number of folders."""
    translated, rest = "", pattern.removeprefix("./")
    while rest:
        if rest.startswith("**/"):
            translated, rest = translated + "(?:[^/]+/)*", rest[3:]
        elif rest.startswith("**"):
            translated, rest = translated + ".*", rest[2:]
        elif rest[0] == "*":
            translated, rest = translated + "[^/]*", rest[1:]
        elif rest[0] == "?":
            translated, rest = translated + "[^/]", rest[1:]
        elif (found := re.match(r"\[\^?[^\]]+\]", rest)) is not None:
            translated, rest = translated + found[0], rest[found.end() :]
        else:
            translated, rest = translated + re.escape(rest[0]), rest[1:]
    return re.compile(translated + "(?:/.*)?")


def is_ignored(path: str, rules: Sequence[tuple[re.Pattern[str], bool]]) -> bool:
    """Whether COPY would not see a path (relative to the context, with forward slashes)."""
    ignored = False
    for pattern, verdict in rules:
        if pattern.fullmatch(path):
            ignored = verdict
    return ignored


def files(context: Path) -> Iterator[Path]:
    """The files and links that a build sees, in a fixed order."""
    ignore_file = context / ".dockerignore"
    rules = ignore_rules(ignore_file.read_text()) if ignore_file.is_file() else []
    has_exceptions = any(not ignored for _, ignored in rules)
    for folder, names, leaves in os.walk(context):
        here = Path(folder)

        def relative(name: str, here: Path = here) -> str:
            return (here / name).relative_to(context).as_posix()

        if not has_exceptions:  # an exception may bring back what is below an ignored folder
            names[:] = [name for name in names if not is_ignored(relative(name), rules)]
        names.sort()
        links = [name for name in names if (here / name).is_symlink()]
        for name in sorted([*leaves, *links]):
            if not is_ignored(relative(name), rules):
                yield here / name


def key(context: Path, dockerfile: Path, words: Sequence[str]) -> str:
    """A hash over all that a build sees.

    Args:
        context: The folder that COPY sees; .dockerignore is honoured.
        dockerfile: May be outside the context.
        words: What else decides: tag, target, arguments, base.
    """
    digest = hashlib.sha256()

    def add(part: bytes) -> None:
        digest.update(len(part).to_bytes(8, "big") + part)

    for word in words:
        add(word.encode())
    add(dockerfile.read_bytes())
    for path in files(context):
        add(path.relative_to(context).as_posix().encode())
        if path.is_symlink():
            add(str(path.readlink()).encode())
        elif path.is_file():
            add(f"{path.stat().st_mode & 0o777:o}".encode())
            add(path.read_bytes())
    return digest.hexdigest()
