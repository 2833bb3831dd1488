"""What all clients in Python share: the order, the count, the two lines of JSON, the end."""

import asyncio
import contextlib
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

#: Examples of failures beyond this are counted but not kept.
_EXAMPLES: Final = 10

Answer = tuple[int, bytes]
Exchange = Callable[[str, str, bytes], Answer]
"""Method, path and body to status and body; raises what the library raises."""
AsyncExchange = Callable[[str, str, bytes], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Order:
    """What the client was told in its environment; ``e2e.clients.order`` documents it."""

    url: str = field(default_factory=lambda: os.environ["URL"])
    protocol: str = field(default_factory=lambda: os.environ["PROTOCOL"])
    connections: int = field(default_factory=lambda: int(os.environ["CONNECTIONS"]))
    think: float = field(default_factory=lambda: float(os.environ["THINK"]))
    mix: tuple[tuple[str, bytes], ...] = field(default_factory=lambda: _mix(os.environ["MIX"]))
    slow: int = field(default_factory=lambda: int(os.environ["SLOW"]))
    slow_seconds: float = field(default_factory=lambda: float(os.environ["SLOW_SECONDS"]))
    seconds: float = field(default_factory=lambda: float(os.environ["SECONDS"]))
    grace: float = field(default_factory=lambda: float(os.environ.get("GRACE", "15")))
    """Seconds that a request may take beyond what it was asked to take, once it is stopped."""

    def path(self, number: int) -> str:
        """Return what a connection asks for: the last ``slow`` ones ask for slow answers."""
        is_slow = number >= self.connections
        return f"/slow?seconds={self.slow_seconds:g}" if is_slow else "/"

    def pause(self) -> float:
        """Return the seconds until the next request."""
        return self.think * random.uniform(0.5, 1.5)  # noqa: S311 # load, not a secret


def _mix(text: str) -> tuple[tuple[str, bytes], ...]:
    parts = [part.split(":") for part in text.split(",")]
    return tuple((method, b"x" * int(size)) for method, size in parts)


class Tally:
    """Counts requests, from any thread."""

    def __init__(self, client: str, order: Order) -> None:
        self._client = client
        self._order = order
        self._lock = threading.Lock()
        self._requests = 0
        self._in_flight = 0
        self._kinds: Counter[str] = Counter()
        self._examples: list[str] = []

    @property
    def in_flight(self) -> int:
        """Requests that have begun and not ended."""
        return self._in_flight

    def begun(self) -> None:
        """One more request is under way."""
        with self._lock:
            self._in_flight += 1

    def answered(self, method: str, sent: bytes, answer: Answer) -> None:
        """Judge an answer."""
        status, body = answer
        if not 200 <= status < 300:  # HTTP's success class
            self._ended(f"{method} HTTP {status}", body[:80].decode("latin-1"))
        elif body != sent:
            self._ended(f"{method} wrong body", f"{len(body)} bytes for {len(sent)}")
        else:
            self._ended()

    def raised(self, method: str, error: BaseException) -> None:
        """Count an exception under the name of its innermost cause.

        A failed look-up that a library has made on the way (``LookupError``) is no cause.
        """
        cause = error
        while (deeper := cause.__cause__ or cause.__context__) is not None:
            if isinstance(deeper, LookupError):
                break
            cause = deeper
        self._ended(f"{method} {type(cause).__name__}", repr(error)[:200])

    def line(self, key: str) -> str:
        """Return what is known so far as one line of JSON."""
        with self._lock:
            document = {
                "client": self._client,
                "protocol": self._order.protocol,
                "requests": self._requests,
                "failed": sum(self._kinds.values()),
                "kinds": dict(self._kinds),
                "examples": self._examples,
            }
        return json.dumps({key: document})

    def saw(self, kind: str = "", example: str = "") -> None:
        """Count a request that has ended elsewhere; ``kind`` is empty if it was answered."""
        self.begun()
        self._ended(kind, example)

    def total(self, requests: int, kinds: Mapping[str, int]) -> None:
        """Take over what another program has counted so far."""
        with self._lock:
            self._requests = requests
            self._kinds = Counter({kind: count for kind, count in kinds.items() if count})

    def gave_up(self) -> None:
        """Count what is still in flight as failed."""
        for _ in range(self._in_flight):
            self._ended("no answer", "in flight when the client gave up")

    def _ended(self, kind: str = "", example: str = "") -> None:
        with self._lock:
            self._in_flight -= 1
            self._requests += 1
            if kind:
                self._kinds[kind] += 1
                if len(self._examples) < _EXAMPLES:
                    self._examples.append(f"{time.time():.3f} {kind}: {example}")


def run_threads(client: str, make: Callable[[Order], Exchange]) -> None:
    """Send requests from one thread per connection, each with an exchange of its own."""
    order = Order()
    tally = Tally(client, order)
    stopped = stop_at_end_of_input(order)

    def work(number: int) -> None:
        exchange = make(order)
        turn = number
        while not stopped.wait(order.pause()):
            method, body = order.mix[turn % len(order.mix)]
            turn += 1
            tally.begun()
            try:
                tally.answered(method, body, exchange(method, order.path(number), body))
            except Exception as error:  # noqa: BLE001 # whatever a library raises is a failure
                tally.raised(method, error)

    for number in range(order.connections + order.slow):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    _run(tally, order, stopped)


def run_tasks(client: str, make: Callable[[Order], AsyncExchange]) -> None:
    """Send requests from one task per connection; ``make`` is called once for each of them."""
    order = Order()
    tally = Tally(client, order)
    stopped = stop_at_end_of_input(order)

    async def work(number: int) -> None:
        exchange = make(order)
        turn = number
        while not stopped.is_set():
            await asyncio.sleep(order.pause())
            method, body = order.mix[turn % len(order.mix)]
            turn += 1
            tally.begun()
            try:
                tally.answered(method, body, await exchange(method, order.path(number), body))
            except Exception as error:  # noqa: BLE001 # whatever a library raises is a failure
                tally.raised(method, error)

    async def all_work() -> None:
        await asyncio.gather(*(work(number) for number in range(order.connections + order.slow)))

    threading.Thread(target=asyncio.run, args=(all_work(),), daemon=True).start()
    _run(tally, order, stopped)


def stop_at_end_of_input(order: Order) -> threading.Event:
    """Return what is set once the input has ended or the time is over."""
    stopped = threading.Event()

    def watch() -> None:
        # Not sys.stdin: a thread that waits in a buffered reader aborts the interpreter's end.
        while os.read(0, 4096):
            pass
        stopped.set()

    threading.Thread(target=watch, daemon=True).start()
    timer = threading.Timer(order.seconds, stopped.set)
    timer.daemon = True
    timer.start()
    return stopped


def report(tally: Tally, stopped: threading.Event, end: Callable[[], object]) -> None:
    """Print what is known every second until ``stopped``; then ``end``, the result, and leave."""
    _say(tally.line("so_far"))
    while not stopped.wait(1.0):
        _say(tally.line("so_far"))
    end()
    _say(tally.line("result"))


def _run(tally: Tally, order: Order, stopped: threading.Event) -> None:
    def end() -> None:
        deadline = time.monotonic() + order.grace + (order.slow_seconds if order.slow else 0.0)
        while tally.in_flight and time.monotonic() < deadline:
            time.sleep(0.05)
        tally.gave_up()

    report(tally, stopped, end)
    # Pools and threads of the libraries are not waited for: the process's end closes them.
    os._exit(0)


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
