"""Which connections within the network namespace are the agent's own questions.

In a pod's own namespace loopback is never a client. On the node's it may be (another pod's proxy),
so there the agent has to know its own connections to the pod from those. They are known by the
local port, for as long as nobody else can have got the same one.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

#: Seconds after the end of a connection for which its port is still ours. Linux gives a port to a
#: new connection between the same ends one second after the last at the earliest
#: (net.ipv4.tcp_tw_reuse, on for loopback by default; ``tcp_twsk_unique``).
LINGER: Final = 1.0

_open: set[int] = set()
_closed: dict[int, float] = {}


@asynccontextmanager
async def connected(
    host: str, port: int
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and close in the end; meanwhile and shortly after ``is_own`` knows it.

    Raises:
        OSError: nobody listens, or not here.
    """
    reader, writer = await asyncio.open_connection(host, port)
    own = writer.get_extra_info("sockname")[1]
    _closed.pop(own, None)
    _open.add(own)
    try:
        yield reader, writer
    finally:
        writer.close()
        _open.discard(own)
        now = time.monotonic()
        for old in [one for one, ended in _closed.items() if now - ended > LINGER]:
            del _closed[old]
        _closed[own] = now


def is_own(port: int) -> bool:
    """Tell whether a connection from ``port`` of this network namespace is one of ours."""
    if port in _open:
        return True
    ended = _closed.get(port)
    return ended is not None and time.monotonic() - ended <= LINGER
