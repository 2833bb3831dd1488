"""A WebSocket service that echoes messages and tells its clients to come back elsewhere.

Only an application can end a WebSocket connection without a loss. This one does as HTTP does with
``Connection: close``: once the status file is gone, it answers the next message of a connection and
closes it then, with 1012 (service restart). Closing at once would lose the message that is just
under way. Without a status file (``STATUS_FILE`` unset) it knows nothing of rollouts.
"""

import asyncio
import os
import signal
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

_WORK = 0.005


class Echo:
    """Answers messages for as long as the status file is there."""

    def __init__(self, status_file: Path | None) -> None:
        """Look at this file, if at any."""
        self._status_file = status_file

    async def __call__(self, connection: ServerConnection) -> None:
        """Answer one connection's messages."""
        try:
            async for message in connection:
                await asyncio.sleep(_WORK)
                await connection.send(message)
                if self._status_file is not None and not self._status_file.exists():
                    await connection.close(CloseCode.SERVICE_RESTART, "the pod is being replaced")
        except ConnectionClosed:
            return


async def main() -> None:
    """Serve until SIGTERM; then all connections are closed with 1001, as the library does."""
    named = os.environ.get("STATUS_FILE")
    echo = Echo(Path(named) if named else None)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    port = int(os.environ.get("PORT", "8083"))
    async with serve(echo, "0.0.0.0", port):  # noqa: S104 # a pod's address is not known before
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
