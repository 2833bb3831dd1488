"""Closing WebSockets in a drain, for those who ask for it.

A WebSocket has no "finish, then go": its only farewell is the close frame, and whether clients
come back from it without a loss is known to their author alone. Hence the default is to wait, and
this module is for applications whose clients reconnect.

One task per application looks at the status file, and only while sessions are open. A session
that is due gets a close frame 1012, "service restart" (IANA's registry of WebSocket close codes),
and its app a ``websocket.disconnect`` with the same code: at once, not when the client answers.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from lossless.middleware.asgi_types import App, Message, Receive, Scope, Send

CLOSE_CODE: Final = 1012
_REASON: Final = "this server is being replaced; connect again"
#: Seconds between two looks at the status file.
_STEP: Final = 0.25
#: Seconds for which an app that has ended waits for its close frame to be sent.
_PATIENCE: Final = 10.0


class Farewell:
    """Closes the open sessions of one application, each when it is due."""

    def __init__(self, draining: Callable[[], bool], grace: float, *, step: float = _STEP) -> None:
        """Watch nothing yet.

        Args:
            draining: whether the pod drains.
            grace: seconds that a session may go on in a drain.
            step: seconds between two looks.

        Raises:
            ValueError: the grace is not a number of seconds.
        """
        if not 0 <= grace < float("inf"):
            raise ValueError(
                f"close_websockets_after: {grace} is not a number of seconds, 0 or more; "
                "leave it out to wait for WebSockets"
            )
        self._draining = draining
        self._grace = grace
        self._step = step
        self._open: set[_Session] = set()
        self._watch: asyncio.Task[None] | None = None

    async def serve(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Run ``app`` with a session that may be closed under it."""
        session = _Session(receive, send)
        self._open.add(session)
        if self._watch is None:
            self._watch = asyncio.create_task(self._close_when_due())
        try:
            await app(scope, session.receive, session.send)
        finally:
            self._open.discard(session)
            if not self._open and self._watch is not None:
                self._watch.cancel()
                self._watch = None
            await session.end()

    async def _close_when_due(self) -> None:
        loop = asyncio.get_running_loop()
        # Each session's time runs from the moment at which it and the drain were both seen.
        seen: dict[_Session, float] = {}
        while True:
            if self._draining():
                now = loop.time()
                seen = {session: seen.get(session, now) for session in self._open}
                for session, since in seen.items():
                    if now - since >= self._grace:
                        session.close()
            else:
                seen = {}
            await asyncio.sleep(self._step)


class _Session:
    """One WebSocket between its server and its app."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._accepted = False
        self._ended = False
        self._closed = asyncio.Event()
        self._goodbye: asyncio.Task[None] | None = None
        self._next: asyncio.Future[Message] | None = None
        self._told: asyncio.Task[bool] | None = None

    def close(self) -> None:
        """Send the close frame, once, and only between the two ends of a session.

        Before the handshake is answered a close would be a refusal with status 403.
        """
        if self._accepted and not self._ended:
            self._ended = True
            self._closed.set()
            # In a task of its own: a server may wait here for a slow client.
            self._goodbye = asyncio.create_task(self._say_goodbye())

    async def receive(self) -> Message:
        """Return what the server has received, or that the session is over."""
        if self._closed.is_set():
            return _DISCONNECT.copy()
        if self._next is None:
            self._next = asyncio.ensure_future(self._receive())
        if self._told is None:
            self._told = asyncio.create_task(self._closed.wait())
        await asyncio.wait((self._next, self._told), return_when=asyncio.FIRST_COMPLETED)
        if self._closed.is_set():
            return _DISCONNECT.copy()
        task, self._next = self._next, None
        message = task.result()
        if message["type"] == "websocket.disconnect":
            self._ended = True
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on.

        Raises:
            OSError: the session has been closed, as ASGI 2.4 has it.
        """
        if self._closed.is_set():
            raise OSError(f"closed with {CLOSE_CODE}: the pod is draining")
        if message["type"] == "websocket.close":
            self._ended = True
        await self._send(message)
        if message["type"] == "websocket.accept":
            self._accepted = True

    async def end(self) -> None:
        """Leave nothing behind."""
        if self._goodbye is not None:
            await asyncio.wait((self._goodbye,), timeout=_PATIENCE)
        tasks = [one for one in (self._next, self._told, self._goodbye) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _say_goodbye(self) -> None:
        # Granian sends nothing while its receive is waiting.
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait((self._next,))
        await self._send({"type": "websocket.close", "code": CLOSE_CODE, "reason": _REASON})


_DISCONNECT: Final[dict[str, object]] = {
    "type": "websocket.disconnect",
    "code": CLOSE_CODE,
    "reason": _REASON,
}
