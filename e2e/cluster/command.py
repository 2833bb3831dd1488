"""Running other programs to their end."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run(  # noqa: PLR0913 - the knobs of one subprocess call
    argv: Sequence[str | Path],
    *,
    stdin: str | Path = "",
    timeout: float = 60,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    remedy: str = "",
) -> str:
    """Run a program and give its standard output.

    Args:
        argv: The program and its arguments.
        stdin: What the program reads: a text, or a file.
        timeout: Seconds after which the program is killed.
        environ: The whole environment; None for ours.
        cwd: Where to run it.
        remedy: What the error advises when the program fails.

    Raises:
        ClusterError: The program is missing, failed or ran out of time; its last words are in it.
    """
    words = [str(word) for word in argv]
    shown = " ".join(words[:6]) + (" …" if len(words) > 6 else "")
    try:
        with ExitStack() as stack:
            file = stack.enter_context(stdin.open("rb")) if isinstance(stdin, Path) else None
            done = subprocess.run(
                words,
                **({"stdin": file} if file else {"input": stdin}),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                env=environ,
                cwd=cwd,
            )
    except FileNotFoundError as error:
        raise ClusterError(f"{words[0]} is not installed (needed for: {shown}).", remedy) from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"`{shown}` did not end within {timeout:g} s.", remedy) from error
    if done.returncode != 0:
        last_words = (done.stderr or done.stdout).strip()[-2000:]
        raise ClusterError(f"`{shown}` failed with status {done.returncode}: {last_words}", remedy)
    return done.stdout


def succeeds(argv: Sequence[str | Path], *, timeout: float = 60) -> bool:
    """Whether a program ends with status 0 in time."""
    try:
        run(argv, timeout=timeout)
    except ClusterError:
        return False
    return True
