"""Running a client: what it says is believed only as long as it makes sense."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e.clients.order import Order, Protocol
from e2e.proof.running import ClientFailed, RunningClient
from e2e.sample.image.app import App
from tests.support.serving import served


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A running app."""
    app = App("web-1", "v1")
    async with served(app.serve) as port:
        yield f"http://127.0.0.1:{port}"


async def test_a_client_is_followed_from_its_first_word_to_its_result(
    url: str, tmp_path: Path
) -> None:
    """Its order reaches it, it goes on, and when it is stopped everything has been counted."""
    order = Order(url, Protocol.H1, think=0.01, slow=1, slow_seconds=0.2)
    argv = [sys.executable, "-m", "e2e.clients.python.aiohttp_client"]
    client = RunningClient("aiohttp", order.command(argv), tmp_path / "log", slowest=0.2)

    await asyncio.to_thread(client.reaches, 50, within=20)
    report = await asyncio.to_thread(client.stop)

    assert (report.client, report.protocol, report.failed) == ("aiohttp", "h1", 0)
    assert report.requests >= 50


def _words(key: str) -> str:
    counts = {"requests": 40, "failed": 0, "kinds": {}, "examples": []}
    return json.dumps({key: {"client": "odd", "protocol": "h1", **counts}})


def test_a_client_that_stands_still_has_lost_a_request(tmp_path: Path) -> None:
    """Though it says itself that nothing has failed; one that goes on has lost none."""
    program = (
        f"print({_words('so_far')!r}, flush=True); open(0).read(); print({_words('result')!r})"
    )
    argv = [sys.executable, "-c", program]
    still = RunningClient("still", argv, tmp_path / "still", slowest=0)
    good = RunningClient("good", argv, tmp_path / "good", slowest=0)

    still.goes_on(41, within=1)
    good.goes_on(40, within=20)

    report = still.stop()
    assert (report.requests, report.kinds) == (41, {"stood still": 1})
    assert "41 requests of still" in report.examples[0]
    assert good.stop().failed == 0


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param("import sys; sys.exit('no such host')", "no such host", id="it ends at once"),
        pytest.param(
            "print('hello', flush=True); input()", "not a client's line", id="it says nonsense"
        ),
        pytest.param("pass", "0", id="it says nothing at all"),
    ],
)
def test_a_client_that_breaks_is_not_one_that_lost_nothing(
    program: str, said: str, tmp_path: Path
) -> None:
    """Its last words are in the error, and it has no report."""
    client = RunningClient("odd", [sys.executable, "-c", program], tmp_path / "log", slowest=0)

    with pytest.raises(ClientFailed, match=said):
        client.reaches(1, within=5)
    with pytest.raises(ClientFailed, match="odd left no result"):
        client.stop()
