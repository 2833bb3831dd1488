"""What becomes of open WebSockets, with and without ``close_websockets_after``."""

import asyncio
import functools
from pathlib import Path

import aiohttp
import pytest

from lossless.middleware.asgi_types import Message, Receive, Scope, Send
from lossless.middleware.websockets import CLOSE_CODE, Farewell
from tests.middleware.servers import ServerProcess
from tests.support.waiting import eventually

SERVERS = ["uvicorn-h11", "hypercorn", "granian-asgi"]


@pytest.mark.parametrize("server", SERVERS)
async def test_if_asked_an_open_websocket_is_closed_with_1012(server: str, tmp_path: Path) -> None:
    """The client sees "service restart", and the app a disconnect of the same code."""
    with ServerProcess(tmp_path, server, "asgi_closing") as served:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{served.port}/") as client,
        ):
            await client.send_str("before")
            assert await client.receive_str() == "before"
            served.status_file.unlink()

            message = await client.receive(timeout=10.0)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert message.data == CLOSE_CODE
        await eventually(served.told.exists, "the app has been told")
        assert served.told.read_text() == f"{CLOSE_CODE}\n"


@pytest.mark.parametrize("server", [*SERVERS, "aiohttp"])
async def test_by_default_an_open_websocket_goes_on(server: str, tmp_path: Path) -> None:
    """So does one that is opened in the drain: its client got here somehow."""
    with ServerProcess(tmp_path, server) as served:
        url = f"http://127.0.0.1:{served.port}/websocket"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as client:
            served.status_file.unlink()
            async with session.ws_connect(url) as late:
                for one in (client, late):
                    await one.send_str("still here")
                    assert await one.receive_str(timeout=10.0) == "still here"


class Server:
    """One WebSocket, as a server hands it to an app."""

    def __init__(self) -> None:
        """Nothing has been received or sent."""
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """Return what the test puts in."""
        return await self.incoming.get()

    async def send(self, message: Message) -> None:
        """Take a message."""
        self.sent.append(message)

    @property
    def said(self) -> list[str]:
        """The types of what was sent."""
        return [str(message["type"]) for message in self.sent]


class Drain:
    """A drain that a test starts."""

    def __init__(self) -> None:
        """It has not started; nobody has looked."""
        self.started = False
        self.looks = 0

    def __call__(self) -> bool:
        """Return whether it has."""
        self.looks += 1
        return self.started

    def has_looked_since(self, looks: int) -> bool:
        """Return whether somebody has looked after the first ``looks`` times."""
        return self.looks > looks


SCOPE: Scope = {"type": "websocket"}


async def listen(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and listen until the end."""
    del scope
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def test_a_session_may_go_on_for_its_grace() -> None:
    """Nobody is closed at once who was promised an hour."""
    drain, server = Drain(), Server()
    drain.started = True
    serving = asyncio.create_task(
        Farewell(drain, 3600.0, step=0.001).serve(listen, SCOPE, server.receive, server.send)
    )
    await eventually(lambda: drain.looks > 3)

    assert server.said == ["websocket.accept"]
    await server.incoming.put({"type": "websocket.disconnect", "code": 1000})
    await serving
    assert server.said == ["websocket.accept"]


async def test_before_the_handshake_is_answered_nothing_is_closed() -> None:
    """A close would refuse it with a 403, and that is a failed request."""
    drain, server = Drain(), Server()
    drain.started = True
    answered = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answered.wait()
        await listen(scope, receive, send)

    serving = asyncio.create_task(
        Farewell(drain, 0.0, step=0.001).serve(slow, SCOPE, server.receive, server.send)
    )
    await eventually(lambda: drain.looks > 3)
    assert server.said == []
    answered.set()
    await serving

    assert server.said == ["websocket.accept", "websocket.close"]


async def test_an_app_that_only_sends_learns_of_it_too() -> None:
    """By the OSError that ASGI has for it; else it would send into nothing for ever."""
    drain, server = Drain(), Server()

    async def ticker(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "websocket.accept"})
        drain.started = True
        while True:
            await send({"type": "websocket.send", "text": "tick"})
            await asyncio.sleep(0.001)

    with pytest.raises(OSError, match="1012"):
        await Farewell(drain, 0.0, step=0.001).serve(ticker, SCOPE, server.receive, server.send)
    assert server.said[-1] == "websocket.close"


async def test_a_session_that_the_app_has_closed_is_not_closed_again() -> None:
    """Two close frames are a protocol error."""
    drain, server = Drain(), Server()
    drain.started = True

    async def finish(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        looked = drain.looks
        await eventually(lambda: drain.looks > looked + 3)

    await Farewell(drain, 0.0, step=0.001).serve(finish, SCOPE, server.receive, server.send)

    assert server.said == ["websocket.accept", "websocket.close"]


async def test_while_nothing_is_open_nobody_looks() -> None:
    """The task lives as long as there are sessions, and the next one starts it anew."""
    drain, server = Drain(), Server()
    farewell = Farewell(drain, 0.0, step=0.001)
    for _ in range(2):
        looked = drain.looks
        serving = asyncio.create_task(farewell.serve(listen, SCOPE, server.receive, server.send))
        await eventually(functools.partial(drain.has_looked_since, looked))
        await server.incoming.put({"type": "websocket.disconnect", "code": 1000})
        await serving

        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.parametrize("grace", [-1.0, float("inf"), float("nan")])
def test_a_grace_that_is_no_number_of_seconds_is_refused(grace: float) -> None:
    """By the name that the user knows it by."""
    with pytest.raises(ValueError, match="close_websockets_after"):
        Farewell(lambda: False, grace)
