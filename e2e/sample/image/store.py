"""A sidecar that the app needs until its end: answers each line, and is gone at once on SIGTERM."""

import asyncio
import os
import signal
import sys


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Store whatever comes."""
    while await reader.readline():
        writer.write(b"stored\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Listen on the loopback only, as a database proxy would."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.start_server(serve, "127.0.0.1", int(os.environ["STORE_PORT"]))
    await stop.wait()
    sys.stdout.write("the store stops\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
