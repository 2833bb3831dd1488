"""wrk with a script that makes it think; what wrk itself calls an error is a failure.

wrk counts a connection that the server closes between two requests as a read error, too: it
has no way to tell. Slow answers are left to others: wrk takes 2 s without one for an error.
"""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from e2e.clients.python.contract import Order, Tally, report, stop_at_end_of_input

_SCRIPT: Final = Path(__file__).with_suffix(".lua")
_ERRORS: Final = ("bad status", "wrong body", "connect", "read", "write", "timeout")


def main() -> None:
    """Run until the end of the input."""
    order = Order()
    tally = Tally("wrk", order)
    argv = ["wrk", "--threads", "1", "--connections", str(order.connections)]
    argv += ["--duration", f"{order.seconds:.0f}", "--script", str(_SCRIPT), order.url + "/"]
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def read() -> None:
        assert process.stdout is not None  # asked for above
        for line in process.stdout:
            match line.split():
                case ["so_far", answers, statuses, wrong]:
                    tally.total(
                        int(answers), {"bad status": int(statuses), "wrong body": int(wrong)}
                    )
                case ["result", answers, *errors]:
                    kinds = dict(zip(_ERRORS, map(int, errors), strict=True))
                    lost = sum(kinds[kind] for kind in _ERRORS[2:])
                    tally.total(int(answers) + lost, kinds)
                case _:
                    sys.stderr.write(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    stopped = stop_at_end_of_input(order)

    def end() -> None:
        process.send_signal(2)  # SIGINT: it prints what it has counted
        process.wait()
        reader.join()

    report(tally, stopped, end)


if __name__ == "__main__":
    main()
