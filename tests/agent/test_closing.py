"""Close drivers: what each says to its program, and that nothing it meets gets any further."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lossless.agent.closing import Closing
from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileAction,
    FileClose,
    HaproxyClose,
    Header,
    HttpClose,
    Method,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.names import AGENT_UID
from lossless.model.report import Driver, DriverState
from tests.agent.programs import ok, program
from tests.support.free_ports import free_port


async def closed(
    *drivers: CloseDriver,
    prefix: Path | str = "",
    out_of_reach: tuple[str, ...] = (),
    patience: float = 5.0,
) -> tuple[Driver, ...]:
    """Run drivers to their end, with hardly a pause; return where each has arrived."""
    closing = Closing(
        drivers,
        log=lambda *_a, **_f: None,
        prefix=str(prefix),
        out_of_reach=out_of_reach,
        pause=0.001,
        patience=patience,
    )
    assert {one.state for one in closing.states} == {DriverState.PENDING}
    await closing.run()
    return closing.states


def patience_with(answer: bytes | None) -> float:
    """Return seconds to wait for an answer: long for one that comes, on a busy machine too."""
    return 0.1 if answer is None else 10.0


def done(*drivers: CloseDriver) -> tuple[Driver, ...]:
    """Return that all of them have succeeded."""
    return tuple(Driver(driver.name, DriverState.DONE) for driver in drivers)


async def test_envoy_fails_its_health_check() -> None:
    """By its admin API."""
    async with program(ok(b"OK\n")) as envoy:
        driver = EnvoyClose(envoy.port)
        assert await closed(driver) == done(driver)

    assert envoy.heard[0].startswith(b"POST /healthcheck/fail HTTP/1.1\r\n")


async def test_haproxy_gets_its_variable(tmp_path: Path) -> None:
    """Over either kind of socket; an answer without a word is success."""
    async with (
        program(b"\n\n", path=tmp_path / "h.sock") as by_path,
        program(b"\n") as by_port,
    ):
        drivers = (HaproxyClose("/h.sock"), HaproxyClose(port=by_port.port, variable="proc.go"))
        assert await closed(*drivers, prefix=tmp_path) == done(*drivers)

    assert by_path.heard == [b"experimental-mode on; set var proc.drain bool(true)\n"]
    assert by_port.heard == [b"experimental-mode on; set var proc.go bool(true)\n"]


async def test_the_application_is_called_as_asked() -> None:
    """With its method, headers and body; any 2xx will do."""
    async with program(ok(b"", "202 Accepted")) as app:
        driver = HttpClose(
            app.port, "/leave?now", Method.PUT, (Header("X-Why", "rollout"),), "please"
        )
        assert await closed(driver) == done(driver)

    assert app.heard[0].startswith(b"PUT /leave?now HTTP/1.1\r\n")
    assert b"\r\nX-Why: rollout\r\n" in app.heard[0]
    assert app.heard[0].endswith(b"\r\n\r\nplease")


async def test_files_go_and_come(tmp_path: Path) -> None:
    """Again and again to the same effect: an agent that was restarted does it a second time."""
    (tmp_path / "serving").touch()
    (tmp_path / "on").touch()
    (tmp_path / "up").touch()
    drivers = (
        NginxClose("/serving"),
        MiddlewareClose("/up"),
        FileClose("/on"),
        FileClose("/off", FileAction.CREATE),
    )
    for _ in range(2):
        assert await closed(*drivers, prefix=tmp_path) == done(*drivers)
        assert sorted(os.listdir(tmp_path)) == ["off"]  # noqa: PTH208 # a test may wait for it


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [
        pytest.param([ok(b"", "503 Not Yet"), ok()], 2, id="refused-once"),
        pytest.param([b"nonsense", b"", ok()], 3, id="nonsense-and-nothing"),
    ],
)
async def test_a_failure_is_tried_again(answers: list[bytes], attempts: int) -> None:
    """Within the number of attempts, only the last one matters."""
    async with program(*answers) as app:
        driver = HttpClose(app.port, retries=2)
        assert await closed(driver) == done(driver)

    assert len(app.heard) == attempts


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(ok(b"a secret", "500 Oops"), "HTTP 500 from /x", id="an-error"),
        pytest.param(
            b"HTTP/1.1 307 No\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n",
            "HTTP 307 from /x",
            id="a-redirect",
        ),
        pytest.param(None, "no answer within 0.1 s", id="hangs"),
        pytest.param(ok(99_999 * b"x"), "the answer is longer than 65536 bytes", id="endless"),
    ],
)
async def test_a_failure_that_stays_is_told(answer: bytes | None, reason: str) -> None:
    """With its cause and without what the application said: nobody knows what that is."""
    async with program(answer) as app:
        driver = HttpClose(app.port, "/x?token=1", timeout=patience_with(answer), retries=1)
        states = await closed(driver)

    assert states == (Driver(driver.name, DriverState.FAILED, f"{reason} (2 attempts of 2)"),)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            b"This command is restricted to experimental mode only.\n\n",
            "HAProxy answered: This command is restricted to experimental mode only.",
            id="refused",
        ),
        pytest.param(b"\n" + 9_999_999 * b"x", "the answer is longer than", id="endless"),
        pytest.param(None, "no answer within 0.1 s", id="hangs"),
    ],
)
async def test_haproxy_that_says_anything_has_not_done_it(
    answer: bytes | None, reason: str
) -> None:
    """Its runtime API has no status, only words."""
    async with program(answer) as haproxy:
        (state,) = await closed(HaproxyClose(port=haproxy.port), patience=patience_with(answer))

    assert state.state is DriverState.FAILED
    assert state.reason.startswith(reason)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user that may not do everything, as the agent is."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(AGENT_UID)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_a_socket_that_lets_nobody_in_is_told_with_the_remedy(tmp_path: Path) -> None:
    """HAProxy makes its socket for its own user, unless it is told otherwise."""
    async with program(b"", path=tmp_path / "h.sock"):
        (tmp_path / "h.sock").chmod(0)
        with nobody():
            (state,) = await closed(HaproxyClose("/h.sock"), prefix=tmp_path)

    assert state.reason.startswith(
        "Permission denied for user 65534; in HAProxy's global section write: stats socket PATH"
        " mode 666 level admin; or name a port"
    )


@pytest.mark.parametrize(
    "driver",
    [
        pytest.param(NginxClose("/on"), id="nginx"),
        pytest.param(MiddlewareClose("/on"), id="middleware"),
        pytest.param(FileClose("/on"), id="file"),
        pytest.param(FileClose("/on", FileAction.CREATE), id="file-to-create"),
        pytest.param(HaproxyClose("/on"), id="haproxy"),
    ],
)
async def test_a_path_that_no_volume_brings_is_no_success(
    tmp_path: Path, driver: CloseDriver
) -> None:
    """A file of the same name in the agent's own image is not the one that was meant."""
    (tmp_path / "on").touch()
    states = await closed(driver, prefix=tmp_path, out_of_reach=("/on",))

    assert states == (
        Driver(
            driver.name,
            DriverState.FAILED,
            "no volume of the pod brings /on to the agent; the pod's annotation"
            " lossless.dev/incomplete says what to do",
        ),
    )
    assert (tmp_path / "on").exists()


async def test_a_file_that_is_there_need_not_be_created(tmp_path: Path) -> None:
    """An agent that was started anew finds its own, or somebody else was quicker."""
    (tmp_path / "on").mkdir()
    driver = FileClose("/on", FileAction.CREATE)

    assert await closed(driver, prefix=tmp_path) == done(driver)


async def test_one_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    """Each goes its own way; what is not there is told by its cause."""
    (tmp_path / "full").mkdir()
    async with program(ok()) as envoy:
        states = await closed(
            FileClose("/full"),
            FileClose("/no/dir", FileAction.CREATE),
            HaproxyClose("/none.sock"),
            HttpClose(free_port(), retries=0),
            EnvoyClose(envoy.port),
            prefix=tmp_path,
        )

    told: list[Any] = [(one.state.value, one.reason.partition(" (")[0]) for one in states]
    assert told[0][0] == "Failed"
    assert told[1] == ("Failed", f"cannot create {tmp_path}/no/dir: No such file or directory")
    assert told[2] == ("Failed", "No such file or directory")
    assert told[3:] == [("Failed", "Connection refused"), ("Done", "")]
