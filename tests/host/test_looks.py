"""Single looks: what listens, what really answers, and taking back what told clients to leave."""

from pathlib import Path

import pytest

from lossless.agent.causes import AskError
from lossless.host.config import HostConfig, Program, Ready
from lossless.host.looks import NotInTime, answers, listening, until_listening, until_ready
from lossless.host.reopening import deadline, reopen, reopened
from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileAction,
    FileClose,
    HaproxyClose,
    HttpClose,
    NginxClose,
)
from tests.agent.programs import ok, program
from tests.support.free_ports import free_port

GOOD, BAD = ok(), ok(status="503 Not Yet")


def ready(port: int, **knobs: object) -> Ready:
    """Return a check that does not wait for long."""
    return Ready("127.0.0.1", port, "/healthz", interval=0.05, **({"timeout": 10.0} | knobs))  # type: ignore[arg-type] # a table of keywords


def silent(text: str) -> None:
    """Tell nobody."""
    del text


async def test_ready_is_several_good_answers_in_a_row() -> None:
    """One good answer between bad ones is a coincidence."""
    async with program(BAD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD) as app:
        await until_ready(ready(app.port, successes=3), silent)

    assert len(app.heard) == 7


async def test_an_answer_is_the_expected_one() -> None:
    """What else it is, is told; 204 may be meant."""
    async with program(ok(status="204 No")) as app:
        assert await answers(ready(app.port, status=(200, 204))) == ""
        told = await answers(ready(app.port))
    assert told == f"http://127.0.0.1:{app.port}/healthz: HTTP 204, not 200"


async def test_never_ready_says_what_it_saw_last() -> None:
    """With the address, to be asked by hand."""
    port = free_port()
    with pytest.raises(NotInTime, match=rf"within 1s: http://127.0.0.1:{port}/healthz: Conn"):
        await until_ready(ready(port, timeout=1.0), silent)


async def test_what_listens() -> None:
    """By any address; of what was asked for only."""
    async with program(GOOD) as app:
        other = free_port()
        assert listening({app.port, other}) == {app.port}
        with pytest.raises(NotInTime, match=f"something still listens on port {app.port} after"):
            await until_listening([app.port], wanted=False, seconds=0.2, tell=silent)
        with pytest.raises(NotInTime, match=f"nothing listens on port {other} after 200ms|0.2s"):
            await until_listening([other, app.port], wanted=True, seconds=0.2, tell=silent)


def a_config(*close: CloseDriver, reopening: tuple[HttpClose, ...] = ()) -> HostConfig:
    """Return a host's configuration with these drivers."""
    return HostConfig(
        status_files=("/on",),
        ports=(80,),
        app=Program(("true",), ("true",)),
        ready=ready(81),
        close=close,
        reopen=reopening,
    )


def test_what_has_to_be_taken_back() -> None:
    """Not the status file itself, which is a step of its own, and calls only if one is named."""
    wake = HttpClose(7001, "/wake")
    config = a_config(
        NginxClose("/on"), NginxClose("/own"), HttpClose(7001), EnvoyClose(), reopening=(wake,)
    )

    assert reopened(config) == (NginxClose("/own"), EnvoyClose(), wake)
    assert deadline(reopened(config)) == 16.5
    assert reopened(a_config(NginxClose("/on"))) == ()


async def test_everything_is_taken_back(tmp_path: Path) -> None:
    """Files the other way round, Envoy and HAProxy by their admin interfaces, calls by calls."""
    removed, created = tmp_path / "removed", tmp_path / "created"
    created.touch()
    async with (
        program(GOOD) as envoy,
        program(GOOD) as app,
        program(b"\n", path=tmp_path / "haproxy") as haproxy,
    ):
        await reopen(
            (
                FileClose(str(removed)),
                FileClose(str(created), FileAction.CREATE),
                EnvoyClose(envoy.port),
                HttpClose(app.port, "/wake"),
                HaproxyClose(str(tmp_path / "haproxy")),
            )
        )

    assert (removed.exists(), created.exists()) == (True, False)
    assert envoy.heard[0].startswith(b"POST /healthcheck/ok HTTP/1.1\r\n")
    assert app.heard[0].startswith(b"POST /wake HTTP/1.1\r\n")
    assert haproxy.heard == [b"experimental-mode on; set var proc.drain bool(false)\n"]


async def test_what_cannot_be_taken_back_is_named() -> None:
    """It is tried as often as it was configured."""
    async with program(BAD) as app:
        driver = HttpClose(app.port, retries=1)
        with pytest.raises(AskError, match=f"http on port {app.port}: HTTP 503 from /"):
            await reopen([driver])

    assert len(app.heard) == 2
