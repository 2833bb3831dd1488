"""Programs of this checkout, and programs that run beside a test until its end."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from e2e.support.testbed import ROOT

#: Seconds to end in order.
_END: Final = 20.0


def make_program(file: Path, module: str) -> None:
    """Make ``file`` a program that runs a module of this checkout, as its installation would."""
    file.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(ROOT / 'operator'))} "
        f'exec {shlex.quote(sys.executable)} -m {module} "$@"\n'
    )
    file.chmod(0o755)


@contextmanager
def running_program(argv: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a program run to the end of the block, all that it says in ``log``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
