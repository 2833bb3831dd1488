"""HAProxy's runtime API: one line in, one answer out, over a unix socket or TCP on 127.0.0.1.

https://docs.haproxy.org/2.6/management.html#9.3
"""

import asyncio
import os
from typing import Final

from lossless.agent.addresses import LOOPBACK
from lossless.agent.causes import AskError
from lossless.agent.own_connections import connected
from lossless.agent.quantities import Quantity

_REMEDY: Final = (
    "in HAProxy's global section write: stats socket PATH mode 666 level admin; or name a port"
)
_CHUNK: Final = 16384
#: Bytes of an answer. A line of statistics has about 500, and each proxy has two.
LIMIT: Final = 1_048_576
#: Frontends and backends, not each server.
STATISTICS: Final = "show stat -1 3 -1"


def set_bool(variable: str, *, value: bool) -> str:
    """Return the command that sets ``variable``.

    Setting variables counts as experimental in HAProxy 2.6; the mode holds for this line alone.
    """
    return f"experimental-mode on; set var {variable} bool({str(value).lower()})"


async def ask(socket: str, port: int, command: str) -> str:
    """Return what HAProxy answers, without space around it; the caller sets the time.

    Args:
        socket: path of the unix socket; empty: TCP is used.
        port: on 127.0.0.1, if ``socket`` is empty.
        command: one line.

    Raises:
        OSError: nobody listens, or the connection broke.
        AskError: the socket does not let us in, or the answer is too long.
    """
    if not socket:
        async with connected(LOOPBACK, port) as (reader, writer):
            return await _answer(reader, writer, command)
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except PermissionError as error:
        raise AskError(f"{error.strerror} for user {os.geteuid()}; {_REMEDY}") from error
    try:
        return await _answer(reader, writer, command)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: str) -> str:
    writer.write(command.encode() + b"\n")
    answer = bytearray()
    while part := await reader.read(_CHUNK):
        answer += part
        if len(answer) > LIMIT:
            raise AskError(f"the answer is longer than {LIMIT} bytes")
    return answer.decode("utf-8", "replace").strip()


def parse_statistics(text: str) -> Quantity:
    """Return how many streams HAProxy's backends have, as told by ``STATISTICS``.

    ``scur`` of a BACKEND counts streams: a request from the moment its headers have come until its
    answer is out, waiting for a server included; in ``mode tcp`` a connection. ``scur`` of a
    FRONTEND counts connections, idle ones too. (Measured on 2.6.12, as is that neither this
    connection nor the runtime API's own stream is among them.)

    Raises:
        ValueError: not the statistics.
    """
    head, *lines = text.splitlines() or [""]
    names = head.removeprefix("# ").split(",")
    if not head.startswith("# pxname,svname,") or "scur" not in names:
        raise ValueError(f"not HAProxy's statistics: {head!r:.80}")
    at = names.index("scur")
    totals = {"BACKEND": 0, "FRONTEND": 0}
    backends = 0
    for line in lines:
        fields = line.split(",")
        if len(fields) <= at or not fields[at].isascii() or not fields[at].isdigit():
            raise ValueError(f"not a line of HAProxy's statistics: {line!r:.80}")
        if fields[1] in totals:
            totals[fields[1]] += int(fields[at])
            backends += fields[1] == "BACKEND"
    if not backends:
        raise ValueError("HAProxy has no backend")
    return Quantity(totals["BACKEND"], f"connections: {totals['FRONTEND']}")
