"""aiohttp: one ``ClientSession`` for all tasks."""

from functools import cache

import aiohttp

from e2e.clients.python.contract import Answer, AsyncExchange, Order, run_tasks


@cache
def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def _make(order: Order) -> AsyncExchange:
    async def exchange(method: str, path: str, body: bytes) -> Answer:
        url = order.url + path
        async with _session().request(method, url, data=body or None) as answer:
            return answer.status, await answer.read()

    return exchange


if __name__ == "__main__":
    run_tasks("aiohttp", _make)
