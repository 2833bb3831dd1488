"""What the agent answers, and above all what it does not do."""

import asyncio
import json
from pathlib import Path

import pytest

from lossless.agent.routes import Routes
from lossless.agent.server import Request, Response
from lossless.model.phases import Phase
from lossless.model.report import parse_report
from lossless.model.status_flag import FlagAnswer, StatusFlag
from tests.agent.builders import a_config
from tests.agent.test_drain import BUSY, Pod
from tests.support.waiting import eventually

DEFAULT_FLAG = StatusFlag()


class Desk:
    """The routes of one pod."""

    def __init__(
        self, pod: Pod, grace: float = 5.0, flag: StatusFlag = DEFAULT_FLAG, key: str = ""
    ) -> None:
        """Answer about a pod."""
        self.pod = pod
        self.holders: list[str] = []
        self.waited: list[str] = []
        self.routes = Routes(
            pod.drain,
            wait=self.wait,
            metrics=lambda: "up 1\n",
            holder=self.holders.append,
            flag=flag,
            grace=grace,
            key=key,
        )

    async def wait(self, container: str) -> None:
        """Wait for the drain alone, whoever asks."""
        self.waited.append(container)
        await self.pod.drain.ended.wait()

    async def get(self, path: str, method: str = "GET") -> Response:
        """Return the answer to a request of the kubelet."""
        return await self.routes.answer(Request(method, path, "10.1.0.1"))

    async def json(self, path: str) -> object:
        """Return what an answer holds."""
        return json.loads((await self.get(path)).body)


async def test_a_hold_without_a_drain_is_short(tmp_path: Path) -> None:
    """A liveness probe has failed: the container is restarted, the pod goes on."""
    desk = Desk(Pod(tmp_path), grace=0.05)
    answer = await desk.get("/v1/hold")

    assert (answer.status, answer.body) == (200, b"not draining\n")
    assert desk.pod.drain.phase is Phase.SERVING
    assert (tmp_path / "serving").exists()


async def test_a_hold_may_come_before_the_drain(tmp_path: Path) -> None:
    """All hooks run at once, and the agent's own takes a process to start."""
    pod = Pod(tmp_path)
    desk = Desk(pod)
    hold = asyncio.ensure_future(desk.get("/v1/hold"))
    await eventually(lambda: desk.routes.holds == 1)
    with pod.running() as drain:
        drain.ask_to_stop()
        answer = await hold

    assert parse_report(answer.body, uid="u-1").phase is Phase.DRAINED
    assert desk.routes.holds == 0


async def test_every_hold_is_answered_when_the_drain_ends(tmp_path: Path) -> None:
    """One for each container; one whose client is gone changes nothing."""
    pod = Pod(tmp_path, BUSY)
    desk = Desk(pod)
    with pod.running() as drain:
        drain.ask_to_stop()
        holds = [asyncio.ensure_future(desk.get("/v1/hold")) for _ in range(5)]
        await eventually(lambda: desk.routes.holds == 5)
        holds[0].cancel()
        await eventually(lambda: desk.routes.holds == 4)
        assert not any(hold.done() for hold in holds[1:])
        pod.sockets.open.clear()
        answers = await asyncio.gather(*holds[1:])

    assert {answer.body for answer in answers} == {drain.report().to_json().encode()}


@pytest.mark.parametrize(
    ("config", "phase"),
    [
        pytest.param(a_config(quiet=0.1), Phase.DRAINED, id="drained"),
        pytest.param(a_config(quiet=60, timeout=0.2), Phase.TIMED_OUT, id="timed-out"),
    ],
)
async def test_after_the_drain_a_hold_is_answered_at_once(
    tmp_path: Path, config: object, phase: Phase
) -> None:
    """Hooks that run again after a kubelet restart find it over."""
    pod = Pod(tmp_path, config=config)  # type: ignore[arg-type] # a table's column
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)
    async with asyncio.timeout(1):
        answer = await Desk(pod).get("/v1/hold")

    assert parse_report(answer.body, uid="u-1").phase is phase


@pytest.mark.parametrize(
    ("path", "container"),
    [
        pytest.param("/v1/hold/app", "app", id="by-name"),
        pytest.param("/v1/hold", "", id="of-a-pod-of-an-older-webhook"),
    ],
)
async def test_a_hold_says_whom_it_holds(tmp_path: Path, path: str, container: str) -> None:
    """Containers may stop at different times."""
    desk = Desk(Pod(tmp_path))
    with desk.pod.running() as drain:
        drain.ask_to_stop()
        answer = await desk.get(path)

    assert (answer.status, desk.waited) == (200, [container])


async def test_whoever_holds_is_remembered(tmp_path: Path) -> None:
    """It is the kubelet, and so that is where the probes come from.

    But not who asks while the pod serves: that can be anybody, who would take the kubelet's place.
    """
    pod = Pod(tmp_path)
    desk = Desk(pod, grace=0.0)
    await desk.get("/v1/hold/app")
    assert desk.holders == []
    with pod.running() as drain:
        drain.ask_to_stop()
        await desk.get("/v1/hold/app")

    assert desk.holders == ["10.1.0.1"]


async def test_the_status_flag_falls_with_the_drain(tmp_path: Path) -> None:
    """For load balancers that check over HTTP."""
    pod = Pod(tmp_path)
    desk = Desk(pod)
    before = await desk.get("/status-flag")
    pod.drain.ask_to_stop()
    after = await desk.get("/status-flag")

    assert [(one.status, one.body) for one in (before, after)] == [
        (200, b"Serving\n"),
        (503, b"Draining\n"),
    ]


async def test_a_load_balancer_is_answered_in_its_own_words(tmp_path: Path) -> None:
    """By its path; whoever still asks for ours gets the same answers."""
    pod = Pod(tmp_path)
    desk = Desk(pod, flag=StatusFlag("/lb.html", FlagAnswer(200, "UP"), FlagAnswer(404, "")))
    before = [await desk.get(path) for path in ("/lb.html", "/status-flag")]
    pod.drain.ask_to_stop()
    after = [await desk.get(path) for path in ("/lb.html", "/status-flag")]

    assert [(one.status, one.body) for one in before] == [(200, b"UP")] * 2
    assert [(one.status, one.body) for one in after] == [(404, b"")] * 2


async def test_a_report_is_live(tmp_path: Path) -> None:
    """While it serves, on a sample of its own."""
    pod = Pod(tmp_path, BUSY)
    report = parse_report((await Desk(pod).get("/v1/report")).body, uid="u-1")

    assert (report.phase, report.connections.active) == (Phase.SERVING, 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/healthz", 200, id="health"),
        pytest.param("HEAD", "/healthz", 200, id="head"),
        pytest.param("GET", "/metrics", 200, id="metrics"),
        pytest.param("POST", "/v1/hold", 405, id="post"),
        pytest.param("DELETE", "/v1/report", 405, id="delete"),
        pytest.param("GET", "/", 404, id="root"),
        pytest.param("GET", "/v1/drain", 404, id="no-such-thing-as-a-drain-over-http"),
        pytest.param("POST", "/v1/hold/", 404, id="not-quite"),
        pytest.param("POST", "/v1/hold/app", 405, id="post-for-a-container"),
    ],
)
async def test_other_paths(tmp_path: Path, method: str, path: str, status: int) -> None:
    """None of them starts or ends anything."""
    desk = Desk(Pod(tmp_path))

    assert (await desk.get(path, method)).status == status
    assert desk.pod.drain.phase is Phase.SERVING


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("mine", id="by the agent of another pod on the node"),
        pytest.param("", id="by an agent that has no key"),
    ],
)
async def test_a_hold_of_another_pod_waits(tmp_path: Path, key: str) -> None:
    """An answer would end that pod's container, whatever it says; the hold names its own limit."""
    pod = Pod(tmp_path)
    desk = Desk(pod, grace=0.0, key=key)
    with pod.running() as drain:
        drain.ask_to_stop()
        hold = asyncio.ensure_future(desk.get("/v1/hold/app/other/1"))
        await eventually(drain.ended.is_set)
        assert not hold.done()
        answer = await hold

    assert answer.body == b"this is another pod's agent\n"
    assert (desk.waited, desk.holders) == ([], [])


async def test_a_hold_with_the_right_key_is_the_pods_own(tmp_path: Path) -> None:
    """It ends with the drain, not after the seconds that are meant for others."""
    pod = Pod(tmp_path)
    desk = Desk(pod, key="mine")
    with pod.running() as drain:
        drain.ask_to_stop()
        answer = await desk.get("/v1/hold/app/mine/3600")

    assert parse_report(answer.body, uid="u-1").phase is Phase.DRAINED
    assert desk.waited == ["app"]


async def test_a_hold_without_the_key_is_not_held(tmp_path: Path) -> None:
    """No kubelet asks so where there are keys, and whoever asks is not taken for one."""
    desk = Desk(Pod(tmp_path), key="mine")

    assert (await desk.get("/v1/hold/app")).body == b"this is another pod's agent\n"
    assert desk.holders == []
