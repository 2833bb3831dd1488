"""Asks the counters of ``spec.metrics``, all at once, each with little time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from lossless.agent.causes import AskError, cause_of, not_mounted
from lossless.agent.clock import Clock
from lossless.agent.log import Log
from lossless.agent.quantities import Quantity
from lossless.model.counters import (
    Counter,
    EnvoyStats,
    HaproxyStats,
    NginxStatus,
    Prometheus,
    ZeroMeans,
)
from lossless.model.drain.readings import Reading

#: Seconds for one answer, so that a source that hangs delays no look by more.
PATIENCE: Final = 1.0
#: Bytes of a page of one proxy's counters, and of a whole application's.
_SMALL: Final = 65_536
_LARGE: Final = 2_097_152

_Ask = Callable[[], Awaitable[Quantity]]


class Counting:
    """The counters beside the kernel's, of one pod."""

    def __init__(  # noqa: PLR0913 # what it asks, and what it needs to ask
        self,
        counters: Sequence[Counter],
        *,
        clock: Clock,
        log: Log,
        prefix: str = "",
        out_of_reach: Collection[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        """Ask ``counters``.

        Args:
            counters: as configured.
            clock: for the age of what was read last.
            log: told when a counter ceases to answer, or answers again.
            prefix: a directory before every path.
            out_of_reach: paths that no volume brings here.
            patience: seconds for one answer.
        """
        self._counters = tuple((one, _question(one, prefix, out_of_reach)) for one in counters)
        self._clock = clock
        self._log = log
        self._patience = patience
        self._known: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    async def read(self, within: float) -> tuple[Reading, ...]:
        """Return a reading of each counter; none raises, and none takes longer than ``within``."""
        patience = max(0.0, min(self._patience, within))
        readings = await asyncio.gather(
            *(self._read(counter, ask, patience) for counter, ask in self._counters)
        )
        return tuple(readings)

    async def _read(self, counter: Counter, ask: _Ask, patience: float) -> Reading:
        name, noun = counter.name, _noun(counter)
        since = self._known.setdefault(name, self._clock.boot())
        problem, quantity = "", None
        try:
            async with asyncio.timeout(patience):
                quantity = await ask()
        except Exception as error:  # noqa: BLE001 # whatever it is, it is unknown, and not zero
            problem = cause_of(error, patience)
        self._tell(name, problem)
        now = self._clock.boot()
        if quantity is None:
            return Reading(name, noun=noun, problem=problem, age=now - since)
        self._known[name] = now
        return Reading(name, quantity.value, noun, quantity.note)

    def _tell(self, name: str, problem: str) -> None:
        if self._problems.get(name, "") != problem:
            self._log("counter", source=name, problem=problem)
        self._problems[name] = problem


def _noun(counter: Counter) -> str:
    if isinstance(counter, Prometheus) and counter.zero_means is ZeroMeans.NO_CONNECTIONS:
        return "connection"
    return "request"


def _question(counter: Counter, prefix: str, out_of_reach: Collection[str]) -> _Ask:
    """Return what asks ``counter``; only what is configured is imported."""
    match counter:
        case NginxStatus(port, path):
            from lossless.agent.proxy_pages import parse_stub_status  # noqa: PLC0415 # see above

            return lambda: _page(port, path, _SMALL, parse_stub_status)
        case EnvoyStats(port):
            from lossless.agent.proxy_pages import (  # noqa: PLC0415 # see above
                ENVOY_STATISTICS,
                parse_envoy_stats,
            )

            return lambda: _page(port, ENVOY_STATISTICS, _SMALL, parse_envoy_stats)
        case HaproxyStats(socket, port):
            problem = not_mounted(socket) if socket in out_of_reach else ""
            return lambda: _haproxy(socket and prefix + socket, port, problem)
        case Prometheus():
            from lossless.agent.prometheus_page import parse_gauge  # noqa: PLC0415 # see above

            return lambda: _page(
                counter.port, counter.path, _LARGE, lambda text: parse_gauge(text, counter)
            )


async def _page(port: int, path: str, limit: int, parse: Callable[[str], Quantity]) -> Quantity:
    from lossless.agent.http_client import exchange  # noqa: PLC0415 # see `_question`

    answer = await exchange(port, "GET", path, limit=limit)
    if not answer.success:
        raise AskError(f"HTTP {answer.status} from {path.partition('?')[0]}")
    return parse(answer.body.decode("utf-8", "replace"))


async def _haproxy(socket: str, port: int, problem: str) -> Quantity:
    if problem:
        raise AskError(problem)
    from lossless.agent.haproxy import (  # noqa: PLC0415 # see `_question`
        STATISTICS,
        ask,
        parse_statistics,
    )

    return parse_statistics(await ask(socket, port, STATISTICS))
