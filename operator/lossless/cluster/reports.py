"""How drains stand, asked of the agents themselves.

The kubelet publishes nothing of a terminating pod until it is gone, so live progress has to come
from the agent. It sits in a user's pod: what it answers is bounded, parsed and never followed.
"""

import asyncio
import os
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp

from lossless.model.names import AGENT_PORT, REPORT_PATH
from lossless.model.observation import Evidence, Unknown
from lossless.model.report import MAX_BYTES, parse_report

#: Agents asked at the same time; a drained node may hold hundreds.
_AT_ONCE: Final = 64
#: Seconds for one answer. An agent answers in milliseconds; whoever does not is asked again.
TIMEOUT: Final = 1.0


class Agents:
    """Asks agents for their reports; an async context manager."""

    def __init__(self, *, port: int = AGENT_PORT, timeout: float = TIMEOUT) -> None:
        """Make a session of its own, in a running event loop.

        Args:
            port: that agents listen on.
            timeout: seconds for one answer, connecting included.
        """
        self._port = port
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            # Pods come and go: a kept connection would only be one more that the agent sees.
            connector=aiohttp.TCPConnector(force_close=True, limit=_AT_ONCE),
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

    async def ask(self, address: str, uid: str) -> Evidence:
        """Return what the agent of the pod with this ``uid`` says; never raises for its sake.

        Args:
            address: IP address of the pod; it may belong to another pod by now.
            uid: of the pod that is meant.
        """
        if not address:
            return Unknown("its pod has no address")
        host = f"[{address}]" if ":" in address else address
        url = f"http://{host}:{self._port}{REPORT_PATH}"
        try:
            async with self._places, self._session.get(url, allow_redirects=False) as answer:
                if answer.status != HTTPStatus.OK:
                    return Unknown(f"HTTP {answer.status}")
                return parse_report(await _body(answer), uid=uid)
        except TimeoutError:
            return Unknown("no answer in time")
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
