"""What a pod says of its own drain: it may hold or hasten its own rollout, and break nothing."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from lossless.cluster.objects import last_words, pod_event_summary_of, pod_of, rollout_of
from lossless.cluster.reports import MOST_LISTENED_TO, MOST_OF_A_LOOK, Agents
from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.names import REPORT_PATH
from lossless.model.phases import Phase
from lossless.model.report import MAX_BYTES, Report
from lossless.model.rollout.observation import Endpoint, Unknown
from lossless.model.status import RolloutStatus
from tests.support.raw_objects import raw_pod, raw_report, raw_rollout
from tests.support.serving import served
from tests.support.spoiling import JSON, paths, spoiled
from tests.support.waiting import eventually

GOOD = raw_report("a", Phase.DRAINED)


@asynccontextmanager
async def answering(response: Any, patience: float = 10.0) -> AsyncIterator[Agents]:
    """Run an agent that answers by a coroutine function, and somebody who asks it."""
    app = web.Application()
    app.router.add_get(REPORT_PATH, response)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Agents(port=runner.addresses[0][1], timeout=patience) as agents:
            yield agents
    finally:
        await runner.cleanup()


class Silent:
    """Takes connections and says nothing, as the port of a frozen node."""

    def __init__(self) -> None:
        """Hold none."""
        self.held = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold a connection until its client has enough."""
        self.held += 1
        with suppress(OSError):
            while await reader.read(1024):
                pass
        self.held -= 1
        writer.close()


def plain(text: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Any:
    """Return a handler that says this."""
    body = text if isinstance(text, bytes) else text.encode()

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return respond


async def dripping(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def endless(request: web.Request) -> web.StreamResponse:
    """Send as fast as it is read, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


@pytest.mark.parametrize(
    ("respond", "cause"),
    [
        pytest.param(plain("[" * MAX_BYTES), "not a report", id="deep"),
        pytest.param(plain(GOOD + " " * MAX_BYTES), f"at most {MAX_BYTES}", id="huge"),
        pytest.param(endless, f"at most {MAX_BYTES}", id="endless"),
        pytest.param(dripping, "no answer in time", id="dripping"),
        pytest.param(
            plain(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"}),
            f"at most {MAX_BYTES}",
            id="a-bomb",
        ),
        pytest.param(
            plain(gzip.compress(GOOD.encode()), headers={"Content-Encoding": "gzip"}),
            "utf-8",
            id="compressed",
        ),
        pytest.param(plain(GOOD, 302, {"Location": "/elsewhere"}), "HTTP 302", id="a-redirect"),
        pytest.param(plain(raw_report("b", Phase.DRAINED)), "a report of pod", id="another-pod"),
        pytest.param(plain(GOOD, headers={"X": "x" * 20_000}), "", id="a-huge-header"),
    ],
)
async def test_an_agent_that_is_hostile_is_one_that_said_nothing(respond: Any, cause: str) -> None:
    """In bounded time and memory, and with the reason."""
    async with answering(respond, 0.5 if respond is dripping else 10.0) as agents:
        said = await agents.ask(Endpoint("127.0.0.1"), "uid-a")

    assert isinstance(said, Unknown)
    assert cause in said.cause
    assert len(said.cause) < 300


async def test_one_that_drips_keeps_no_other_waiting() -> None:
    """Hundreds are asked at the same time, and each has its own second."""
    async with answering(dripping, 0.5) as agents, asyncio.timeout(15):
        said = await asyncio.gather(
            *(agents.ask(Endpoint("127.0.0.1"), "uid-a") for _ in range(64))
        )

    assert {type(one) for one in said} == {Unknown}


MESSAGES = st.one_of(
    st.text(max_size=300),
    JSON.map(json.dumps),
    st.tuples(st.sampled_from(paths(json.loads(GOOD))), JSON).map(
        lambda change: json.dumps(spoiled(json.loads(GOOD), *change))
    ),
)


@given(MESSAGES)
def test_any_last_words_are_a_report_of_this_pod_or_unknown(message: str) -> None:
    """A container writes its own termination message; what it says of others does not count."""
    raw = raw_pod("a", deletion=1.0, last_words=message)
    said = last_words(raw)

    assert isinstance(said, Report | Unknown)
    assert not isinstance(said, Report) or (said.uid == "uid-a" and said.phase is not Phase.LOST)
    assert pod_event_summary_of(raw).uid == "uid-a"


POD = raw_pod("a", deletion=1.0, last_words=GOOD)
TEXTS = [path for path in paths(POD) if isinstance(path[-1], str)]


def _at(raw: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        raw = raw[step]
    return raw


@given(
    path=st.sampled_from([path for path in TEXTS if isinstance(_at(POD, path), str)]),
    value=st.text(max_size=80) | st.sampled_from(["0001-01-01T00:00:00+23:59", "9" * 300]),
)
def test_no_text_of_a_pod_stops_the_watch(path: tuple[Any, ...], value: str) -> None:
    """Types are the API server's word; what stands in a text is anybody's."""
    raw = spoiled(POD, path, value)

    assert pod_event_summary_of(raw).uid == pod_of(raw).uid


@given(
    JSON
    | st.dictionaries(
        st.sampled_from(
            sorted(status_document(RolloutStatus()) | {"lastRollout": 1, "history": 1})
        ),
        JSON,
    )
)
def test_any_status_is_read(status: Any) -> None:
    """Whoever may write status may make us forget, and no more."""
    assert status_document(parse_status(status))
    rollout = rollout_of(raw_rollout() | {"status": status})
    assert rollout is not None
    assert rollout.status == parse_status(status)


async def test_silent_agents_cost_a_look_no_more_than_one_answer() -> None:
    """A zone is lost: a gate of the same LosslessRollout waits for one timeout, not for one each.

    What there was no time for is Unknown like all else that nobody has answered.
    """
    async with (
        served(Silent().serve, backlog=1024) as port,
        Agents(port=port, timeout=2.0) as agents,
    ):
        silent = {f"uid-{number}": Endpoint("127.0.0.1") for number in range(200)}
        began = asyncio.get_running_loop().time()
        said = await agents.ask_all(silent)
        took = asyncio.get_running_loop().time() - began

    assert said.keys() == silent.keys()
    assert {type(evidence) for evidence in said.values()} == {Unknown}
    assert {str(evidence) for evidence in said.values()} == {
        str(Unknown("no answer in time")),
        str(Unknown("there was no time to ask it: too many other agents do not answer")),
    }
    assert took < 2 * 2.0


async def test_silent_agents_delay_no_other_look() -> None:
    """Neither those of another look, nor those that are listened to."""
    frozen = Silent()
    async with (
        answering(plain(GOOD)) as healthy,
        served(frozen.serve, backlog=1024) as port,
    ):
        silent = {f"uid-{number}": Endpoint("127.0.0.1", port) for number in range(300)}
        others = [
            asyncio.ensure_future(healthy.ask_all(silent)),
            *(asyncio.ensure_future(healthy.ask(agent, uid)) for uid, agent in silent.items()),
        ]
        # Of the look as many as it has places, of the others all that have one.
        await eventually(lambda: frozen.held == MOST_OF_A_LOOK + MOST_LISTENED_TO)
        said = await healthy.ask_all({"uid-a": Endpoint("127.0.0.1")})
        waiting = sum(not other.done() for other in others)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    assert isinstance(said["uid-a"], Report)
    assert waiting
