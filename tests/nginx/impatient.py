"""Clients that never repeat a request, and count what becomes of each."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Seconds for one answer.
_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Asking:
    """One client's request, over and over, and the answer that it is owed."""

    name: str
    request: str
    """Method and path."""
    status: int = 200
    body: str | None = None
    """None: any."""
    headers: Sequence[str] = ()
    content: str = ""
    pause: float = 0.005
    """Seconds between an answer and the next request."""


@dataclass(slots=True)
class Course:
    """What one client has seen."""

    asking: Asking
    answered: int = 0
    told: int = 0
    """Answers with ``Connection: close``."""
    lost: Counter[str] = field(default_factory=Counter)
    """Requests without an answer or with a wrong one, by what was seen."""


async def ask(port: int, asking: Asking, course: Course, stop: asyncio.Event) -> None:
    """Keep a connection until it is told to close, then open the next; until ``stop``."""
    method, _, path = asking.request.partition(" ")
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", *asking.headers]
    if asking.content:
        lines.append(f"Content-Length: {len(asking.content)}")
    request = ("\r\n".join([*lines, "", ""]) + asking.content).encode()
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            course.lost[type(error).__name__] += 1
            await asyncio.sleep(0.01)
            continue
        with contextlib.suppress(OSError):
            told = False
            while not told and not stop.is_set():
                told = await _once(reader, writer, request, asking, course)
                await asyncio.sleep(asking.pause)
            writer.close()
            await writer.wait_closed()


async def _once(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    asking: Asking,
    course: Course,
) -> bool:
    """Send the request once; return whether this connection is to be used no more."""
    try:
        async with asyncio.timeout(_PATIENCE):
            writer.write(request)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            body = await _body(reader, head)
    except (OSError, EOFError, TimeoutError) as error:
        course.lost[type(error).__name__] += 1
        return True
    status = int(head.split(" ", 2)[1])
    if status != asking.status or (asking.body is not None and body != asking.body):
        course.lost[f"{status} {body!r:.40}"] += 1
    else:
        course.answered += 1
    closes = "\r\nconnection: close" in head.lower()
    course.told += closes
    return closes


async def _body(reader: asyncio.StreamReader, head: str) -> str:
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body.decode()
    return (await reader.readexactly(int(fields.get("content-length", "0")))).decode()


@contextlib.asynccontextmanager
async def asking(port: int, clients: Sequence[Asking]) -> AsyncIterator[list[Course]]:
    """Have clients ask for as long as the block runs; yield what each has seen."""
    stop = asyncio.Event()
    courses = [Course(one) for one in clients]
    tasks = [asyncio.ensure_future(ask(port, one.asking, one, stop)) for one in courses]
    try:
        yield courses
    finally:
        stop.set()
        await asyncio.gather(*tasks)
