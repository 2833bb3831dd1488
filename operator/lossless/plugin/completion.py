"""``kubectl_complete-lossless``: what kubectl runs to complete ``kubectl lossless ...<TAB>``.

kubectl gives the words after the plugin's name, the last being the one to complete, and reads one
candidate per line, with a tab before its description, and last a directive (KEP-2379, Cobra's
protocol). Completion must never disturb: whatever fails, nothing is offered.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from lossless.plugin.commandline import Parser, parser
from lossless.plugin.exits import UsageError

#: Cobra's ShellCompDirectiveNoFileComp, and its default: complete files.
_NO_FILES: Final = ":4"
_FILES: Final = ":0"
#: Seconds for all requests of one completion: longer, and people think that the shell hangs.
_PATIENCE: Final = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the candidates for the last word; the exit code is always 0."""
    logging.getLogger("kubernetes").setLevel(logging.CRITICAL)
    words = list(sys.argv[1:] if arguments is None else arguments) or [""]
    lines, directive = complete(words)
    sys.stdout.write("".join(f"{line}\n" for line in (*lines, directive)))
    return 0


def complete(words: Sequence[str]) -> tuple[list[str], str]:
    """Return candidates for the last of ``words``, and the directive."""
    *before, word = words
    commands = verbs(parser())
    verb = next((known for known in before if known in commands), None)
    if verb is None:
        described = {name: _about(sub) for name, sub in commands.items()}
        return _matching(described, word), _NO_FILES
    actions = commands[verb]._actions  # noqa: SLF001 # argparse has no public way to ask
    option = _option(actions, before[-1])
    if option is not None and option.nargs != 0:
        return _values(option, before, word)
    if word.startswith("-"):
        flags = {flag: str(a.help or "") for a in actions for flag in a.option_strings}
        return _matching({f: h for f, h in flags.items() if f.startswith("--")}, word), _NO_FILES
    wanted = next((a.dest for a in actions if not a.option_strings and a.dest != "help"), "")
    return _matching(dict.fromkeys(_names(wanted, before), ""), word), _NO_FILES


def verbs(main_parser: Parser) -> dict[str, argparse.ArgumentParser]:
    """Return the verbs of a command line, with what each of them takes."""
    subparsers = (
        action
        for action in main_parser._actions  # noqa: SLF001 # as above
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 # as above
    )
    return dict(next(subparsers).choices)


def _about(sub: argparse.ArgumentParser) -> str:
    return str(sub.description or "")


def _option(actions: Iterable[argparse.Action], word: str) -> argparse.Action | None:
    return next((action for action in actions if word in action.option_strings), None)


def _values(option: argparse.Action, before: Sequence[str], word: str) -> tuple[list[str], str]:
    if option.dest in {"filename", "html", "kubeconfig"}:
        return [], _FILES
    if option.choices:
        return _matching(dict.fromkeys(map(str, option.choices), ""), word), _NO_FILES
    # Without the option itself, which has no value yet.
    return _matching(dict.fromkeys(_names(option.dest, before[:-1]), ""), word), _NO_FILES


def _matching(candidates: dict[str, str], word: str) -> list[str]:
    return [
        f"{name}\t{about}" if about else name
        for name, about in candidates.items()
        if name.startswith(word)
    ]


def _names(what: str, before: Sequence[str]) -> list[str]:
    """Return names from the cluster; none if it does not answer in time."""
    # The client is imported only here: most completions do without.
    from lossless.plugin.candidates import candidates  # noqa: PLC0415 # see above

    try:
        return asyncio.run(candidates(what, before, _PATIENCE))
    except (UsageError, OSError, ValueError):
        return []
