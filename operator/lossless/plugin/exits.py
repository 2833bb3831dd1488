"""Exit codes, and the one way in which a verb gives up."""

from enum import IntEnum


class Exit(IntEnum):
    """Documented in ``docs/kubectl-plugin.md``; scripts depend on them."""

    OK = 0
    FAILED = 1
    """What was asked for could not be done; the last line on standard error says why."""
    USAGE = 2
    """The command line is wrong; nothing was sent."""
    FINDINGS = 3
    """``check`` found something at least as bad as ``--fail-on``."""
    INTERRUPTED = 130
    """Ctrl-C."""
    BROKEN_PIPE = 141
    """Whoever read the output has gone."""


class RefusedError(Exception):
    """The verb cannot do what was asked; the message says what, where, why and what to do."""


class UsageError(Exception):
    """Options that do not go together, or a value that cannot be read."""
