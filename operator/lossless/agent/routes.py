"""What the agent answers over HTTP. Nothing here can start, stop or change a drain."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from lossless.agent.drain import Drain
from lossless.agent.server import Request, Response
from lossless.model.drain.hold_path import AskedHold, parse_hold_path
from lossless.model.names import (
    HEALTH_PATH,
    METRICS_PATH,
    REPORT_PATH,
)
from lossless.model.phases import Phase
from lossless.model.status_flag import StatusFlag

#: Seconds that a hold waits for a drain to start. All hooks of a pod run within a millisecond of
#: each other, but the agent's own needs a process started in its container, which takes a tenth
#: of a second, or a whole one on a busy node. If none starts, the kubelet is only restarting one
#: container (its liveness probe failed), and that must not be delayed for longer than this.
HOLD_GRACE: Final = 5.0
_JSON: Final = "application/json"
_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Routes:
    """The paths and what is behind them."""

    def __init__(  # noqa: PLR0913 # what it answers about, and how
        self,
        drain: Drain,
        *,
        wait: Callable[[str], Awaitable[None]],
        metrics: Callable[[], str],
        holder: Callable[[str], None],
        flag: StatusFlag,
        grace: float = HOLD_GRACE,
        key: str = "",
    ) -> None:
        """Answer about ``drain``.

        Args:
            drain: of this pod.
            wait: returns when the container of this name may stop; without a name, the pod.
            metrics: returns the exposition.
            flag: how a load balancer is answered.
            holder: is told the address of whoever is held in a drain, which is the kubelet.
            grace: seconds that a hold waits for a drain to start.
            key: that the holds of this pod carry (``model.hold_path``).
        """
        self._key = key
        self._drain = drain
        self._wait = wait
        self._metrics = metrics
        self._holder = holder
        self._flag = flag
        self._grace = grace
        self.holds = 0
        """Holds that wait at the moment."""

    async def answer(self, request: Request) -> Response:
        """Return the answer to one request."""
        routes = {
            REPORT_PATH: self._report,
            HEALTH_PATH: self._health,
            METRICS_PATH: self._scrape,
            **dict.fromkeys(self._flag.paths, self._status_flag),
        }
        hold = parse_hold_path(request.path)
        route = routes.get(request.path) if hold is None else partial(self._hold, hold)
        if route is None:
            return Response(404, b"no such path\n")
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"only GET and HEAD\n", allow="GET, HEAD")
        return await route(request)

    async def _hold(self, hold: AskedHold, request: Request) -> Response:
        if hold.key != self._key:
            # Of a pod whose own agent could not have this port: any answer would end it now.
            await asyncio.sleep(hold.seconds)
            return Response(200, b"this is another pod's agent\n")
        self.holds += 1
        try:
            if not self._drain.started.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._drain.started.wait(), self._grace)
            if not self._drain.started.is_set():
                return Response(200, b"not draining\n")
            # Not before: anybody can ask while the pod serves, and there is room for few.
            self._holder(request.peer)
            await self._wait(hold.container)
        finally:
            self.holds -= 1
        return Response(200, self._drain.report().to_json().encode(), _JSON)

    async def _report(self, _request: Request) -> Response:
        return Response(200, (await self._drain.look()).to_json().encode(), _JSON)

    async def _status_flag(self, _request: Request) -> Response:
        phase = self._drain.phase
        flag = self._flag
        answer = flag.serving if phase is Phase.SERVING else flag.draining
        return Response(answer.status, answer.content(phase.value))

    async def _health(self, _request: Request) -> Response:
        return Response(200, b"ok\n")

    async def _scrape(self, _request: Request) -> Response:
        await self._drain.look()
        return Response(200, self._metrics().encode(), _PROMETHEUS)
