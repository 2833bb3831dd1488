"""curl: one process, so one handle, per connection; each sends one request after the other.

``--rate`` makes it think between them. What curl cannot do in one process is to change the
method, so each connection has one of the mix. Bodies are compared by their size.
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from e2e.clients.python.contract import GRACE, Order, Tally, report, stop_at_end_of_input

#: More requests than any run sends: curl counts them down as parts of a URL.
_MANY: Final = 10_000_000
_WRITTEN: Final = "%{exitcode} %{http_code} %{size_upload} %{size_download} %{errormsg}\\n"


def _command(order: Order, number: int, folder: Path) -> list[str]:
    method, body = order.mix[number % len(order.mix)]
    path = order.path(number)
    joint = "&" if "?" in path else "?"
    file = folder / f"body-{len(body)}"
    file.write_bytes(body)
    return [
        # Should this wrapper be killed, curl would go on for ever.
        *("timeout", f"{order.seconds + order.slow_seconds + GRACE:.0f}"),
        # curl writes to a pipe in blocks of 4 KiB; the count has to follow what happens.
        *("stdbuf", "--output=L", "curl", "--silent", "--rate", f"{1 / order.think:.0f}/s"),
        *(["--http2-prior-knowledge"] if order.protocol == "h2" else ["--http1.1"]),
        *("--request", method, *(["--data-binary", f"@{file}"] if body else [])),
        *("--output", "/dev/null", "--write-out", _WRITTEN),
        f"{order.url}{path}{joint}[1-{_MANY}]",
    ]


class _Connection:
    """One curl, and when it has said something last."""

    def __init__(self, order: Order, number: int, folder: Path, tally: Tally) -> None:
        self._method, self._body = order.mix[number % len(order.mix)]
        self._tally = tally
        self.heard = time.monotonic()
        self.process = subprocess.Popen(
            _command(order, number, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None  # asked for above
        for line in self.process.stdout:
            self.heard = time.monotonic()
            status, code, sent, received, error = (line.rstrip("\n") + " ").split(" ", 4)
            kind = ""
            if status != "0":
                kind = f"{self._method} curl {status}"
            elif not code.startswith("2"):
                kind = f"{self._method} HTTP {code}"
            elif not len(self._body) == int(sent) == int(received):
                kind = f"{self._method} wrong body"
            self._tally.saw(kind, f"{error.strip()} {sent} bytes sent, {received} received")


def _hung(order: Order, connections: list[_Connection]) -> Iterator[_Connection]:
    """Yield those that have said nothing for longer than any answer takes."""
    for number, connection in enumerate(connections):
        patience = GRACE + (order.slow_seconds if number >= order.connections else 0.0)
        if time.monotonic() - connection.heard > patience:
            yield connection


def main() -> None:
    """Run until the end of the input."""
    order = Order()
    tally = Tally("curl", order)
    with tempfile.TemporaryDirectory(prefix="lossless-curl-") as folder:
        connections = [
            _Connection(order, number, Path(folder), tally)
            for number in range(order.connections + order.slow)
        ]
        stopped = stop_at_end_of_input(order)

        def end() -> None:
            for _ in _hung(order, connections):
                tally.saw("no answer", "nothing heard of this curl")
            for connection in connections:
                connection.process.terminate()
            for connection in connections:
                connection.process.wait()

        report(tally, stopped, end)


if __name__ == "__main__":
    main()
