"""wrk with a script that makes it think; what wrk itself calls an error is a failure.

wrk counts a connection that the server closes between two requests as a read error, too: it
has no way to tell. Slow answers are left to others: wrk takes more than 2 s for an error.
What is never answered it counts nowhere, so the script counts what was asked.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

from e2e.clients.python.contract import Order, Tally, report, stop_at_end_of_input

_SCRIPT: Final = Path(__file__).with_suffix(".lua")
_ERRORS: Final = ("bad status", "wrong body", "connect", "read", "write", "timeout")
#: Seconds that wrk gets for its last words.
_LAST_WORDS: Final = 5.0


class _Run:
    """One wrk, and what it has said."""

    def __init__(self, order: Order, tally: Tally, folder: Path) -> None:
        self._connections = order.connections
        self._grace = order.grace
        self._tally = tally
        self._stop = folder / "stop"
        self._resting = 0
        self._all_rest = threading.Event()
        self._has_result = False
        argv = ["wrk", "--threads", "1", "--connections", str(order.connections)]
        # Beyond the order: its end is asked for, unless this wrapper has been killed.
        argv += ["--duration", f"{order.seconds + 2 * order.grace:.0f}"]
        argv += ["--script", str(_SCRIPT), order.url + "/"]
        self._process = subprocess.Popen(
            argv,
            env={**os.environ, "STOP": str(self._stop)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end(self) -> None:
        """Let what is in flight end, and take over the result.

        Raises:
            SystemExit: there is none, so nobody knows what was lost.
        """
        self._stop.touch()
        self._all_rest.wait(self._grace)
        self._process.send_signal(signal.SIGINT)  # it prints what it has counted
        try:
            self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if not self._has_result:
            sys.exit(f"wrk ended with {self._process.returncode}, and without a result")

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            match line.split():
                case ["so_far", answers, statuses, wrong]:
                    self._tally.total(
                        int(answers), {"bad status": int(statuses), "wrong body": int(wrong)}
                    )
                case ["resting"]:
                    self._resting += 1
                    if self._resting >= self._connections:
                        self._all_rest.set()
                case ["result", asked, answers, *errors]:
                    self._take(int(asked), int(answers), tuple(map(int, errors)))
                case _:
                    sys.stderr.write(line)
        self._all_rest.set()  # nobody is left to wait for

    def _take(self, asked: int, answers: int, errors: tuple[int, ...]) -> None:
        kinds = dict(zip(_ERRORS, errors, strict=True))
        # Those errors that cost no request, of connections that were idle, make it less, and are
        # counted as lost themselves.
        kinds["no answer"] = max(0, asked - answers - kinds["read"] - kinds["write"])
        lost = sum(kinds.values()) - kinds["bad status"] - kinds["wrong body"]
        self._tally.total(answers + lost, kinds)
        self._has_result = True


def main() -> None:
    """Run until the end of the input."""
    order = Order()
    tally = Tally("wrk", order)
    with tempfile.TemporaryDirectory(prefix="lossless-wrk-") as folder:
        run = _Run(order, tally, Path(folder))
        report(tally, stop_at_end_of_input(order), run.end)


if __name__ == "__main__":
    main()
