"""How drains stand, asked of the agents themselves.

The kubelet publishes nothing of a terminating pod until it is gone, so live progress has to come
from the agent. It sits in a user's pod: what it answers is bounded, parsed and never followed.
"""

import asyncio
import os
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp

from lossless.model.names import AGENT_PORT, REPORT_PATH
from lossless.model.report import MAX_BYTES, parse_report
from lossless.model.rollout.observation import Endpoint, Evidence, Unknown

#: Agents asked at the same time between looks; a node or a zone that is lost may hold hundreds,
#: each of which takes its place for ``TIMEOUT``.
MOST_LISTENED_TO: Final = 256
#: Agents asked at the same time by one look. Each look has places of its own: the silent agents of
#: one LosslessRollout cost the answers of no other.
MOST_OF_A_LOOK: Final = 64
#: Seconds for one answer, and for all answers of one look. An agent answers in milliseconds;
#: whoever does not is asked again.
TIMEOUT: Final = 1.0
_LATE: Final = Unknown("no answer in time")


class Agents:
    """Asks agents for their reports; an async context manager."""

    def __init__(self, *, port: int = AGENT_PORT, timeout: float = TIMEOUT) -> None:
        """Make a session of its own, in a running event loop.

        Args:
            port: of agents whose pods do not say on which they listen.
            timeout: seconds for one answer, connecting included.
        """
        self._port = port
        self._timeout = timeout
        self._listened_to = asyncio.Semaphore(MOST_LISTENED_TO)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            # Pods come and go: a kept connection would only be one more that the agent sees.
            # How many there are at a time is a matter of places, not of one queue for all.
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            # An agent compresses nothing; what else would unpack here is somebody's bomb.
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ask(self, agent: Endpoint, uid: str) -> Evidence:
        """Return what the agent of the pod with this ``uid`` says; never raises for its sake.

        It is for agents that are listened to; with hundreds of them it waits for its turn.

        Args:
            agent: where it listens.
            uid: of the pod that is meant.
        """
        async with self._listened_to:
            return await self._ask(agent, uid)

    async def ask_all(self, agents: Mapping[str, Endpoint]) -> Mapping[str, Evidence]:
        """Return what these agents say, by uid, after ``timeout`` seconds at the latest.

        It is for looks: a gate that could open waits for it, so what has not been answered by then
        is Unknown, be it that there was no time to ask. Never raises for an agent's sake.

        Args:
            agents: where they listen, by their pods' uids.
        """
        places = asyncio.Semaphore(MOST_OF_A_LOOK)

        async def in_time(uid: str, agent: Endpoint) -> Evidence:
            late = Unknown("there was no time to ask it: too many other agents do not answer")
            try:
                async with asyncio.timeout(self._timeout), places:
                    late = _LATE
                    return await self._ask(agent, uid)
            except TimeoutError:
                return late

        said = await asyncio.gather(*(in_time(uid, agent) for uid, agent in agents.items()))
        return dict(zip(agents, said, strict=True))

    async def _ask(self, agent: Endpoint, uid: str) -> Evidence:
        address, port = agent
        if not address:
            return Unknown("its pod has no address")
        host = f"[{address}]" if ":" in address else address
        url = f"http://{host}:{port or self._port}{REPORT_PATH}"
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status != HTTPStatus.OK:
                    return Unknown(f"HTTP {answer.status}")
                return parse_report(await _body(answer), uid=uid)
        except TimeoutError:
            return _LATE
        except (aiohttp.ClientError, OSError) as error:
            return Unknown(_said(error))
        except ValueError as error:
            return Unknown(str(error)[:200])


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """Return the body, one byte more than allowed at most: enough to be refused."""
    read = b""
    async for part in answer.content.iter_chunked(MAX_BYTES):
        read += part
        if len(read) > MAX_BYTES:
            break
    return read[: MAX_BYTES + 1]


def _said(error: Exception) -> str:
    # asyncio and aiohttp tell host and port, which are known, instead of the reason.
    number = getattr(error, "errno", None) or getattr(
        getattr(error, "os_error", None), "errno", None
    )
    return os.strerror(number) if number else (str(error)[:200] or type(error).__name__)
