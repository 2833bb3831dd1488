"""requests: one ``Session`` per thread, as its documentation advises."""

import requests

from e2e.clients.python.contract import Answer, Exchange, Order, run_threads


def _make(order: Order) -> Exchange:
    session = requests.Session()

    def exchange(method: str, path: str, body: bytes) -> Answer:
        answer = session.request(method, order.url + path, data=body or None)
        return answer.status_code, answer.content

    return exchange


if __name__ == "__main__":
    run_threads("requests", _make)
