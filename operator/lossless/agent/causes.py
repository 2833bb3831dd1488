"""Why somebody within the pod did not answer as hoped, in words for people."""

import os

from lossless.model.names import INCOMPLETE_ANNOTATION


class AskError(Exception):
    """An answer that is none; its text says what was wrong with it."""


def not_mounted(path: str) -> str:
    """Return why nothing can be done at a path that no volume brings to the agent."""
    return (
        f"no volume of the pod brings {path} to the agent; the pod's annotation"
        f" {INCOMPLETE_ANNOTATION} says what to do"
    )


def cause_of(error: Exception, seconds: float) -> str:
    """Return what ``error`` says.

    Args:
        error: raised while asking.
        seconds: that the answer had.
    """
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"no answer within {seconds:g} s"
    if isinstance(error, OSError) and error.errno:
        # asyncio tells host and port, which are known, in place of the reason.
        return os.strerror(error.errno)
    if isinstance(error, AskError | OSError | ValueError):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"
