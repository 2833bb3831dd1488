"""The clients: what they are told, that they keep to the contract, and what builds them."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.clients.catalogue import CLIENTS, Client, Toolchain
from e2e.clients.order import MIXES, Order, Protocol
from e2e.clients.python import contract
from e2e.clients.report import parse_line
from e2e.clients.toolchain import PROGRAMS, Missing, Ready, key
from e2e.sample.image.app import App
from tests.support.serving import served

_FOLDER = Path(__file__).parents[2] / "e2e" / "clients"


def _source(client: Client) -> Path:
    match client.toolchain:
        case Toolchain.GO:
            return _FOLDER / "go" / "main.go"
        case Toolchain.JAVA:
            return _FOLDER / "java" / f"{client.main}.java"
        case Toolchain.NODE:
            return _FOLDER / "node" / client.main
        case Toolchain.PYTHON:
            return _FOLDER / "python" / f"{client.main}.py"
        case Toolchain.CURL | Toolchain.WRK:
            return _FOLDER / "programs" / f"{client.main}.py"


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_calls_itself_what_the_catalogue_calls_it(client: Client) -> None:
    """A row of the matrix and the report in it are about the same program."""
    assert f'"{client.name}"' in _source(client).read_text()


@pytest.mark.parametrize("protocol", Protocol, ids=str)
def test_every_protocol_sends_small_and_large_bodies(protocol: Protocol) -> None:
    """And HTTP each of the three methods."""
    parts = [part.split(":") for part in MIXES[protocol].split(",")]

    assert max(int(size) for _, size in parts) == 300_000
    if protocol in {Protocol.H1, Protocol.H2}:
        assert {method for method, _ in parts} == {"GET", "PUT", "POST"}


def _wrapped() -> Exception:
    error = RuntimeError("wrapped")
    error.__cause__ = ConnectionResetError("gone")
    return error


def _on_the_way() -> Exception:
    error = TimeoutError("late")
    error.__context__ = KeyError("not in the pool")
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(TimeoutError("late"), "TimeoutError", id="bare"),
        pytest.param(_wrapped(), "ConnectionResetError", id="with a cause"),
        pytest.param(_on_the_way(), "TimeoutError", id="after a failed look-up"),
    ],
)
def test_a_failure_is_counted_by_its_innermost_cause(error: BaseException, kind: str) -> None:
    """Libraries wrap what happened in errors of their own."""
    order = contract.Order(
        url="http://127.0.0.1:1",
        protocol="h1",
        connections=1,
        think=0,
        mix=(),
        slow=0,
        slow_seconds=0,
        seconds=1,
    )
    tally = contract.Tally("requests", order)
    tally.begun()

    tally.raised("GET", error)

    assert json.loads(tally.line("result"))["result"]["kinds"] == {f"GET {kind}": 1}


async def test_a_client_runs_until_its_input_ends() -> None:
    """It counts what was answered and what was not, and the last line is the result."""
    app = App("web-1", "v1")
    async with served(app.serve) as port:
        url = f"http://127.0.0.1:{port}"
        order = Order(url, Protocol.H1, think=0.01, slow=1, slow_seconds=0.2)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "e2e.clients.python.aiohttp_client"),
            env={**os.environ, **order.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while True:
                is_last, report = parse_line((await process.stdout.readline()).decode())
                assert not is_last
                if report.requests > 20:
                    break
            assert report.failed == 0
            process.stdin.close()
            rest = (await process.stdout.read()).decode().splitlines()
            assert await process.wait() == 0

    is_last, report = parse_line(rest[-1])
    assert is_last
    assert (report.client, report.protocol, report.failed) == ("aiohttp", "h1", 0)


async def test_a_client_counts_what_nobody_answers() -> None:
    """Each refused connection is a failed request, under its method and the library's name."""
    order = Order("http://127.0.0.1:1", Protocol.H1, think=0.02, slow=0, seconds=1.0)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "e2e.clients.python.aiohttp_client"),
        env={**os.environ, **order.environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        said, _ = await process.communicate()

    _, report = parse_line(said.decode().splitlines()[-1])
    assert report.failed == report.requests > 0
    assert {kind.partition(" ")[2] for kind in report.kinds} == {"ConnectionRefusedError"}
    assert "ConnectionRefusedError" in report.examples[0]


def test_a_toolchain_that_is_not_there_says_what_is_missing() -> None:
    """The cell of the matrix names the program to install."""
    assert str(Missing("javac")) == "not run: no javac on this machine"
    assert set(PROGRAMS) == set(Toolchain)


def test_a_build_is_current_until_a_source_changes(tmp_path: Path) -> None:
    """Another name, another text, another interpreter: another key."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("a")
    before = key([one])

    assert key([two]) != before
    assert key([one], ["3.13"]) != before
    one.write_text("b")
    assert key([one]) != before


@pytest.mark.parametrize(
    "client",
    [client for client in CLIENTS if client.toolchain in {Toolchain.GO, Toolchain.PYTHON}],
    ids=lambda client: client.name,
)
def test_a_built_client_is_started_from_its_folder(client: Client, tmp_path: Path) -> None:
    """By absolute path: the host that runs it need not have our PATH."""
    program = Ready(tmp_path).argv(client)[0]

    assert Path(program).is_relative_to(tmp_path)
