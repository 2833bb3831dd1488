"""curl: one process, so one handle, per connection; each sends one request after the other.

``--rate`` makes it think between them. What curl cannot do in one process is to change the
method, so each connection has one of the mix. Bodies are compared by their size. It says nothing
of a request before its end, so each has to say one thing more once it is time to stop.
"""

import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from e2e.clients.python.contract import Order, Tally, report, stop_at_end_of_input

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
        *("timeout", f"{order.seconds + order.slow_seconds + 2 * order.grace:.0f}"),
        # curl writes to a pipe in blocks of 4 KiB; the count has to follow what happens.
        *("stdbuf", "--output=L", "curl", "--silent", "--rate", f"{1 / order.think:.0f}/s"),
        *(["--http2-prior-knowledge"] if order.protocol == "h2" else ["--http1.1"]),
        *("--request", method, *(["--data-binary", f"@{file}"] if body else [])),
        *("--output", "/dev/null", "--write-out", _WRITTEN),
        f"{order.url}{path}{joint}[1-{_MANY}]",
    ]


class _Connection:
    """One curl, and whether it still says something."""

    def __init__(self, order: Order, number: int, folder: Path, tally: Tally) -> None:
        self._method, self._body = order.mix[number % len(order.mix)]
        self._tally = tally
        self._patience = order.grace + (order.slow_seconds if number >= order.connections else 0.0)
        self._news = threading.Event()
        self._at_end = False
        self._process = subprocess.Popen(
            _command(order, number, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def finish(self) -> None:
        """Wait for the end of the request in flight, count it as lost if there is none, and stop.

        A curl that has ended by itself, with more to send than any run takes, has lost one, too.
        """
        self._news.clear()
        if not self._at_end and not self._news.wait(self._patience):
            self._tally.saw("no answer", f"nothing heard of a curl for {self._patience:g} s")
        elif self._at_end:
            self._tally.saw("no answer", f"a curl ended by itself, with {self._process.wait()}")
        self._process.terminate()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            status, code, sent, received, error = (line.rstrip("\n") + " ").split(" ", 4)
            kind = ""
            if status != "0":
                kind = f"{self._method} curl {status}"
            elif not code.startswith("2"):
                kind = f"{self._method} HTTP {code}"
            elif not len(self._body) == int(sent) == int(received):
                kind = f"{self._method} wrong body"
            self._tally.saw(kind, f"{error.strip()} {sent} bytes sent, {received} received")
            self._news.set()
        self._at_end = True
        self._news.set()


def main() -> None:
    """Run until the end of the input."""
    order = Order()
    tally = Tally("curl", order)
    with tempfile.TemporaryDirectory(prefix="lossless-curl-") as folder:
        connections = [
            _Connection(order, number, Path(folder), tally)
            for number in range(order.connections + order.slow)
        ]

        def end() -> None:
            with ThreadPoolExecutor(len(connections)) as pool:
                list(pool.map(_Connection.finish, connections))

        report(tally, stop_at_end_of_input(order), end)


if __name__ == "__main__":
    main()
