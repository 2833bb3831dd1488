"""How many requests the API server answers, and how many of them are the benchmark's own."""

import re
from typing import Any

import aiohttp

from bench.simulated.control_plane import TOKEN
from lossless.cluster.client import Client, Raw


class Counting(Client):
    """A client that knows how many requests it has made."""

    made = 0

    async def _send(self, request: Any) -> Raw:
        self.made += 1
        return await super()._send(request)


async def requests(session: aiohttp.ClientSession, server: str) -> int:
    """Return how many requests the API server has answered."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with session.get(f"{server}/metrics", headers=headers, ssl=False) as answer:
        text = await answer.text()
    # Its own housekeeping is of the kind that it does not do over and over for us.
    lines = re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)$", text, re.MULTILINE)
    ours = r'resource="(pods|losslessrollouts|deployments|replicasets|events)"'
    return sum(int(float(value)) for labels, value in lines if re.search(ours, labels))
