"""A gRPC service that echoes bytes: ``lossless.Echo/Unary`` and the server stream ``/Stream``.

The metadata ``seconds`` makes an answer take that long; a stream sends ``messages`` echoes spread
over it. On SIGTERM it refuses new calls and finishes those under way, as grpcio's documentation
advises; it knows nothing of rollouts.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import grpc

_WORK = 0.005
#: Seconds that calls in flight get after SIGTERM; less than the default grace period, 30 s.
_FINISH = 20.0


def _asked(context: Any) -> tuple[float, int]:
    metadata = dict(context.invocation_metadata())
    return float(metadata.get("seconds", "0")), int(metadata.get("messages", "1"))


async def unary(body: bytes, context: Any) -> bytes:
    """Answer with the request."""
    seconds, _ = _asked(context)
    await asyncio.sleep(seconds or _WORK)
    return body


async def stream(body: bytes, context: Any) -> AsyncIterator[bytes]:
    """Answer with the request, again and again."""
    seconds, messages = _asked(context)
    for _ in range(messages):
        await asyncio.sleep(seconds / messages or _WORK)
        yield body


async def main() -> None:
    """Serve until SIGTERM."""
    server = grpc.aio.server()
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
    }
    service = grpc.method_handlers_generic_handler("lossless.Echo", handlers)
    server.add_generic_rpc_handlers((service,))
    server.add_insecure_port(f"0.0.0.0:{os.environ.get('PORT', '8082')}")
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(_FINISH)


if __name__ == "__main__":
    asyncio.run(main())
