"""websockets: one long-lived connection per task, a message and its echo at a time.

A connection that the server has closed in order between two messages (1000, 1001 going away,
1012 service restart) is replaced, as every program with long-lived connections has to do. A
message whose echo does not come is lost.
"""

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedOK
from websockets.frames import CloseCode
from websockets.protocol import State

from e2e.clients.python.contract import Answer, AsyncExchange, Order, run_tasks

_ORDERLY = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.SERVICE_RESTART}


def _make(order: Order) -> AsyncExchange:
    url = order.url.replace("http", "ws", 1) + "/ws"
    connections: list[ClientConnection] = []

    async def exchange(method: str, path: str, body: bytes) -> Answer:
        if connections and connections[0].state is not State.OPEN:
            closed = connections.pop()
            await closed.wait_closed()  # its code is known only then
            if closed.close_code not in _ORDERLY:
                raise ConnectionError(f"closed with {closed.close_code} while idle")
        if not connections:
            connections.append(await connect(url + path.removeprefix("/")))
        await connections[0].send(body)
        try:
            echo = await connections[0].recv()
        except ConnectionClosedOK as error:
            raise ConnectionError(f"{method} closed before its echo") from error
        return 200, echo if isinstance(echo, bytes) else echo.encode()

    return exchange


if __name__ == "__main__":
    run_tasks("websockets", _make)
