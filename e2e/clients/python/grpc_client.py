"""grpcio: one channel for all tasks, unary calls and server streams of plain bytes."""

from functools import cache
from urllib.parse import urlsplit

import grpc

from e2e.clients.python.contract import Answer, AsyncExchange, Order, run_tasks

#: Messages of one stream; each is the echo of the request.
_MESSAGES = 10


@cache
def _channel(target: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(target)


def _make(order: Order) -> AsyncExchange:
    url = urlsplit(order.url)
    # Without a port gRPC would take that of HTTPS.
    channel = _channel(f"{url.hostname}:{url.port or 80}")
    unary = channel.unary_unary("/lossless.Echo/Unary")
    stream = channel.unary_stream("/lossless.Echo/Stream")

    async def exchange(method: str, path: str, body: bytes) -> Answer:
        _, _, seconds = path.partition("seconds=")
        metadata = (("seconds", seconds or "0"), ("messages", str(_MESSAGES)))
        if method == "UNARY":
            return 200, await unary(body, metadata=metadata)
        messages = [message async for message in stream(body, metadata=metadata)]
        return 200, body if messages == [body] * _MESSAGES else b"".join(messages)

    return exchange


if __name__ == "__main__":
    run_tasks("grpcio", _make)
