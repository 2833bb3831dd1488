"""One message, and whether it says what to do."""

import re
from dataclasses import dataclass
from typing import Final

from tools.messages.speakers import APART, ENDING, SETTINGS

#: Verbs with which a part of a message tells what to do.
IMPERATIVES: Final = frozenset(
    {
        "add",
        "allow",
        "annotate",
        "apply",
        "ask",
        "check",
        "choose",
        "close",
        "compare",
        "correct",
        "create",
        "cut",
        "declare",
        "delete",
        "do",
        "end",
        "find",
        "free",
        "give",
        "install",
        "keep",
        "label",
        "leave",
        "let",
        "load",
        "log",
        "look",
        "lower",
        "make",
        "mount",
        "move",
        "name",
        "open",
        "pass",
        "publish",
        "put",
        "raise",
        "read",
        "remove",
        "rename",
        "repair",
        "replace",
        "run",
        "save",
        "say",
        "see",
        "set",
        "shorten",
        "split",
        "start",
        "stop",
        "store",
        "take",
        "tell",
        "try",
        "use",
        "wait",
        "write",
    }
)
_PART: Final = re.compile(r"[;:.?,]\s+|\n| (?:and|or|then|first) ")
_COMMAND: Final = re.compile(r"\b(?:kubectl|helm|ssh|lossless [a-z-]+) ")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as its source has it."""

    module: str
    """Path below ``lossless``."""
    line: int
    kind: str
    """Of ``KINDS``, ``log``, or empty: a sentence that is put into one of them."""
    text: str
    """Without the remedy if that is a part of its own."""
    remedy: str = ""


def speaks_to_people(message: Message) -> bool:
    """Return whether ``message`` reaches somebody who can and must do something about it."""
    return (
        message.kind in APART | ENDING
        or (message.kind == "ValueError" and message.module in SETTINGS)
        or (not message.kind and message.module.startswith("webhook/"))
    )


def says_what_to_do(message: Message) -> bool:
    """Return whether ``message`` has a remedy.

    It is a part of its own; or the text has, after what is the case, a part that begins with a verb
    of ``IMPERATIVES``, names a command, or says what a value must be. A sentence that is put into
    others may begin with it.
    """
    if message.kind in APART:
        return bool(message.remedy)
    parts = _PART.split(message.text)[1 if message.kind else 0 :]
    return any(
        part.split(" ")[0].strip("(`").lower() in IMPERATIVES
        or _COMMAND.search(part) is not None
        or part.startswith("must ")
        for part in parts
    )
