"""httpx: one ``AsyncClient`` for all tasks.

HTTP/2 without TLS is not negotiated by httpx; told that HTTP/1.1 is out of the question, it
begins with HTTP/2's preface. Its time limit of 5 s would end slow answers, which only those tasks
that ask for them lift.
"""

from functools import cache

import httpx

from e2e.clients.python.contract import Answer, AsyncExchange, Order, run_tasks


class GoawayError(Exception):
    """httpx dropped a stream because of a GOAWAY, and not because the connection was gone."""


@cache
def _client(protocol: str) -> httpx.AsyncClient:
    h2 = protocol == "h2"
    return httpx.AsyncClient(http1=not h2, http2=h2)


def _make(order: Order) -> AsyncExchange:
    client = _client(order.protocol)

    async def exchange(method: str, path: str, body: bytes) -> Answer:
        url = order.url + path
        limit = httpx.USE_CLIENT_DEFAULT if path == "/" else None
        try:
            answer = await client.request(method, url, content=body or None, timeout=limit)
        except httpx.RemoteProtocolError as error:
            if "ConnectionTerminated" in str(error):
                raise GoawayError(str(error)) from None
            raise
        return answer.status_code, answer.content

    return exchange


if __name__ == "__main__":
    run_tasks("httpx", _make)
