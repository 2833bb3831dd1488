"""The sample application: about 5 ms of waiting per request, then the request's body back.

``/``               echoes the body and says which pod and version answered
``/slow?seconds=S`` the same after S seconds
``/healthz``        200 while it serves
``/alive``          200 until somebody has posted to ``/stick``, then 500

On SIGTERM it does what an application should: it stops listening, answers what it has been
asked, and leaves. It knows nothing of rollouts.
"""

import asyncio
import contextlib
import os
import signal
from urllib.parse import parse_qs, urlsplit

_WORK = 0.005
#: Seconds that requests in flight get after SIGTERM; less than the default grace period, 30 s.
_FINISH = 20.0


class App:
    """Answers requests on any number of connections."""

    def __init__(self, pod: str, version: str) -> None:
        """Answer as this pod, with this version."""
        self._identity = f"X-Pod: {pod}\r\nX-Version: {version}\r\n"
        self._stuck = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until its client closes it."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._in_flight += 1
                self._idle.clear()
                try:
                    await self._exchange(head, reader, writer)
                finally:
                    self._in_flight -= 1
                    if not self._in_flight:
                        self._idle.set()
        writer.close()

    async def finish(self) -> None:
        """Wait for the requests in flight."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _FINISH)

    async def _exchange(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first, *fields = head.decode("latin-1").split("\r\n")
        body = await _body([field.lower() for field in fields], reader)
        writer.write(await self._answer(first.split(" ")[1], body))
        await writer.drain()

    async def _answer(self, target: str, body: bytes) -> bytes:
        url = urlsplit(target)
        status = "200 OK"
        if url.path == "/slow":
            await asyncio.sleep(float(parse_qs(url.query)["seconds"][0]))
        elif url.path == "/stick":
            self._stuck = True
        elif url.path == "/alive":
            status = "500 Internal Server Error" if self._stuck else status
        elif url.path != "/healthz":
            await asyncio.sleep(_WORK)
        head = f"HTTP/1.1 {status}\r\n{self._identity}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


async def _body(fields: list[str], reader: asyncio.StreamReader) -> bytes:
    """Return a request's body; proxies send that of HTTP/2 without a length in chunks."""
    if any(field.startswith("transfer-encoding:") for field in fields):
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")  # no client here sends trailers
        return b"".join(parts)
    lengths = [field[15:] for field in fields if field.startswith("content-length:")]
    return await reader.readexactly(int(lengths[0]) if lengths else 0)


async def main() -> None:
    """Serve until SIGTERM."""
    app = App(os.environ["HOSTNAME"], os.environ["VERSION"])
    server = await asyncio.start_server(app.serve, "0.0.0.0", 8081, backlog=1024)  # noqa: S104
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    await app.finish()
    os._exit(0)  # Connections without a request are closed by the kernel, as at any exit.


if __name__ == "__main__":
    asyncio.run(main())
