"""Small programs of a pod: each answers every connection with what the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.serving import served


class Program:
    """What listens, and what it has heard."""

    def __init__(self, answers: list[bytes | None]) -> None:
        """Answer in this order, the last one again and again; None: never answer."""
        self._answers = answers
        self.heard: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            index = min(len(self.heard), len(self._answers) - 1)
            self.heard.append(b"")
            seat = len(self.heard) - 1
            self.heard[seat] = await reader.read(65536)
            answer = self._answers[index]
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def program(*answers: bytes | None, path: Path | None = None) -> AsyncIterator[Program]:
    """Run a program on a port of its own, or on a unix socket at ``path``."""
    running = Program(list(answers))
    async with served(running.serve, path=path) as running.port:
        yield running


def ok(body: bytes = b"", status: str = "200 OK") -> bytes:
    """Return an HTTP answer."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)
