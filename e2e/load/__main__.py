"""``python -m e2e.load URL``: load until standard input ends, a signal comes or ``--seconds`` pass.

Standard output carries one JSON document a line: ``{"so_far": REPORT}`` twice a second and
``{"result": REPORT}`` at the end. Standard input ending with its parent means that no load
outlives the test that wanted it.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading

from e2e.load.client import LoadClient
from e2e.load.plan import CONNECTIONS, THINK, Plan

_EVERY = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run one client as the command line says; 0 even if requests failed: they are counted."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.load",
        description="Send POSTs over keep-alive connections, never retry, count every request.",
    )
    parser.add_argument("url", help="for example http://10.96.0.20:80/")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--think", type=float, default=THINK, help="mean seconds between requests")
    parser.add_argument("--body", type=int, default=128, help="bytes of each request's body")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds for one request")
    parser.add_argument("--each", type=int, help="requests per client (default: no end)")
    parser.add_argument("--seconds", type=float, help="stop by itself after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--leave", action="store_true", help="when stopped, drop the requests in flight"
    )
    options = parser.parse_args(arguments)
    try:
        plan = Plan(
            url=options.url,
            connections=options.connections,
            think=options.think,
            body=options.body,
            timeout=options.timeout,
            each=options.each,
            leave=options.leave,
            seed=options.seed,
        )
    except ValueError as error:
        parser.error(str(error))
    asyncio.run(_run(plan, options.seconds))
    return 0


async def _run(plan: Plan, seconds: float | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is None:
        threading.Thread(target=_stop_at_end_of_input, args=(loop, stop), daemon=True).start()
    else:
        loop.call_later(seconds, stop.set)
    client = LoadClient(plan)
    running = loop.create_task(client.run())
    stopping = loop.create_task(stop.wait())
    while not stopping.done() and not running.done():
        print(f'{{"so_far":{client.report(whole=False).to_json()}}}', flush=True)
        await asyncio.wait({running, stopping}, timeout=_EVERY, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    client.stop()
    await running
    print(f'{{"result":{client.report().to_json()}}}', flush=True)


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A thread, because epoll refuses /dev/null and plain files; os.read, because the interpreter
    # cannot end while a daemon thread holds the lock of a buffered reader.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())
