"""The simple commands of a command line, also of the scripts that shells in it run. Pure.

No shell: quotes, operators, keywords, redirections and substitutions are known by their looks, and
what a script's variables hold is not.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lossless.injection.file_hold import shell_of

#: Scripts within scripts that are followed.
_DEEPEST: Final = 4
#: Characters of a script that are looked at: an admission has to answer in time.
_LONGEST: Final = 65_536
#: What stands before a command without being one.
_KEYWORDS: Final = frozenset({"if", "then", "elif", "else", "do", "while", "until", "!", "{", "("})
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_OPERATOR: Final = re.compile(r"[();<>|&\n]+")
_REDIRECTION: Final = re.compile(r"[0-9]*[<>]+&?|&>+")
_SUBSTITUTION: Final = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
#: Programs that run another one, and their options that take a word.
_WRAPPERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("exec", "command", "builtin", "nohup", "setsid", "busybox", "doas"), ""),
    **dict.fromkeys(("time", "tini", "dumb-init", "catchsegv", "stdbuf", "chpst"), ""),
    "env": "uCS",
    "sudo": "ugpChrt",
    "nice": "n",
    "ionice": "cnp",
    "timeout": "sk",
    "gosu": "",
    "su-exec": "",
    "xargs": "IiLnPsEad",
    "chroot": "",
}
#: Of these the first word that is no option is not the program yet.
_WITH_ARGUMENT: Final = frozenset({"timeout", "gosu", "su-exec", "chroot"})


def simple_commands(command: Sequence[str]) -> Iterator[list[str]]:
    """Yield each as its words, the program first, without what only sets its surroundings."""
    yield from _within(list(command), 0)


def base_name(program: str) -> str:
    """Return a program's name without its folder, in lower case."""
    return program.rpartition("/")[2].lower()


def _within(words: list[str], depth: int) -> Iterator[list[str]]:
    words = _bare(words)
    if not words or depth > _DEEPEST:
        return
    program = base_name(words[0])
    if shell_of(words) or program == "su":
        for script in _scripts(words[1:]):
            yield from _in_script(script, depth)
    elif program == "eval":
        yield from _in_script(" ".join(words[1:]), depth)
    else:
        yield words


def _in_script(script: str, depth: int) -> Iterator[list[str]]:
    script = script[:_LONGEST]
    for part in (_SUBSTITUTION.sub(_as_word, script), *map("".join, _SUBSTITUTION.findall(script))):
        for words in _commands(part):
            yield from _within(words, depth + 1)


def _as_word(substitution: re.Match[str]) -> str:
    """Return what is substituted as one word, in which its file or program can still be read."""
    return "$" + re.sub(r"[^A-Za-z0-9._/-]+", "_", substitution[1] or substitution[2] or "")


def _scripts(arguments: Sequence[str]) -> Iterator[str]:
    """Yield what follows a shell's ``-c``, which may be one of several letters."""
    for index, option in enumerate(arguments):
        if option.startswith("-") and not option.startswith("--") and "c" in option:
            yield from [word for word in arguments[index + 1 :] if not word.startswith("-")][:1]
            return


def _commands(script: str) -> Iterator[list[str]]:
    """Yield the simple commands of a shell's script, without its keywords and redirections."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    command: list[str] = []
    try:
        tokens = list(lexer)
    except ValueError:  # a quote that is never closed: the shell would refuse it as well
        tokens = script.split()
    skip = False
    for token in tokens:
        if _REDIRECTION.fullmatch(token):
            skip = True
        elif _OPERATOR.fullmatch(token):
            yield command
            command, skip = [], False
        elif skip:
            skip = False
        elif not command and token in _KEYWORDS:
            continue
        else:
            command.append(token)
    yield command


def _bare(words: list[str]) -> list[str]:
    """Return a command without what sets its surroundings and runs it."""
    while words:
        name = base_name(words[0])
        if _ASSIGNMENT.fullmatch(words[0]):
            words = words[1:]
        elif name in _WRAPPERS:
            words = _after_options(words[1:], _WRAPPERS[name])
            words = words[1:] if name in _WITH_ARGUMENT else words
            # What it adds is not seen, and is something.
            words = [*words, "$stdin"] if name == "xargs" else words
        else:
            return words
    return words


def _after_options(words: list[str], with_word: str) -> list[str]:
    index = 0
    while index < len(words) and words[index].startswith("-"):
        option = words[index]
        index += 1
        if option == "--":
            break
        if len(option) == 2 and option[1] in with_word:  # noqa: PLR2004 # a dash and a letter
            index += 1
    return words[index:]
