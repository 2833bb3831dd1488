"""The unix socket, and the hook that speaks to it."""

import asyncio
import contextlib
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lossless.agent import start_drain
from lossless.agent.control import DRAIN, Control
from lossless.model import names
from tests.support.waiting import eventually

SCRIPT = Path(start_drain.__file__)


class Door:
    """A control socket that counts who asks."""

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        """Listen at ``path``, later."""
        self.path = str(path)
        self.asked = 0
        self.events: list[str] = []
        self.mistake = False
        self.control = Control(self._ask, log=self._log, patience=patience)

    def _log(self, event: str, **_fields: object) -> None:
        self.events.append(event)

    def _ask(self) -> str:
        if self.mistake:
            raise LookupError("of ours")
        self.asked += 1
        return "started"

    async def say(self, word: bytes) -> bytes:
        """Return the answer to one word."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        with contextlib.closing(writer):
            writer.write(word)
            async with asyncio.timeout(10):
                return await reader.read()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Return a socket that is listened on."""
    made = Door(tmp_path / "control.sock")
    await made.control.listen_at_last(made.path)
    yield made
    made.control.close()


async def hook(*arguments: str) -> tuple[int | None, str, str]:
    """Run the hook as the kubelet does; return exit code, output and errors."""
    options = names.DRAIN_COMMAND[1:-1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *options,
        str(SCRIPT),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(25):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_hook_starts_the_drain(door: Door) -> None:
    """And returns as soon as it has."""
    assert await hook(door.path) == (0, "ok started\n", "")
    assert door.asked == 1


async def test_the_hook_waits_for_an_agent_that_starts(tmp_path: Path) -> None:
    """A pod may be asked to stop in its first second."""
    door = Door(tmp_path / "control.sock")
    running = asyncio.ensure_future(hook(door.path))
    with socket.socket(socket.AF_UNIX) as early:
        # Somebody is there but does not listen yet: refused, as between bind and listen.
        early.bind(door.path)
        await eventually(lambda: not running.done())
    await door.control.listen_at_last(door.path)

    assert (await running)[0] == 0
    door.control.close()


async def test_without_an_agent_the_hook_fails_with_a_reason(tmp_path: Path) -> None:
    """The kubelet shows it in an event."""
    with pytest.raises(FileNotFoundError):
        start_drain.ask(str(tmp_path / "control.sock"), 0.2)


async def test_what_the_hook_prints_when_it_fails(door: Door) -> None:
    """One line, with what is known."""
    door.mistake = True
    code, out, err = await hook(door.path, "0.2")

    assert (code, out) == (1, "")
    assert err == (
        f"the drain was not started: no agent at {door.path}:"
        " the agent closed the connection without an answer\n"
    )


def test_the_hook_knows_the_socket() -> None:
    """It cannot import the name, so the path is spelled twice."""
    assert start_drain.CONTROL_SOCKET == names.CONTROL_SOCKET
    assert names.DRAIN_COMMAND[-1].endswith(SCRIPT.name)


async def test_the_hook_imports_next_to_nothing() -> None:
    """Each import would be on the way of every pod's end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *names.DRAIN_COMMAND[1:-1],
        "-c",
        "import sys; text = open(sys.argv[1]).read(); before = set(sys.modules);"
        "exec(text, {'__name__': 'start_drain'});"
        "print(sorted(set(sys.modules) - before))",
        str(SCRIPT),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    assert out.decode().strip() == "['_socket']"


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"stop\n", id="another-word"),
        pytest.param(b"drain", id="half-a-word"),
        pytest.param(b"x" * 10_000, id="a-long-word"),
        pytest.param(b"\xff\n", id="not-text"),
    ],
)
async def test_nothing_but_the_word_starts_a_drain(door: Door, word: bytes) -> None:
    """And the next hook still finds somebody listening."""
    reader, writer = await asyncio.open_unix_connection(door.path)
    with contextlib.closing(writer), contextlib.suppress(ConnectionError):
        writer.write(word)
        writer.write_eof()
        async with asyncio.timeout(10):
            assert not (await reader.read()).startswith(b"ok")

    assert door.asked == 0
    assert await door.say(DRAIN) == b"ok started\n"


async def test_who_says_nothing_is_left(tmp_path: Path) -> None:
    """After its time."""
    door = Door(tmp_path / "control.sock", patience=0.1)
    await door.control.listen_at_last(door.path)

    assert await door.say(b"") == b""
    door.control.close()


async def test_a_mistake_is_logged_and_the_door_stays_open(door: Door) -> None:
    """Whatever goes wrong in starting it."""
    door.mistake = True
    assert await door.say(DRAIN) == b""
    door.mistake = False

    assert await door.say(DRAIN) == b"ok started\n"
    assert door.events == ["mistake"]


async def test_only_the_agents_own_user_may_ask(door: Door) -> None:
    """Other containers do not even mount the directory."""
    mode = os.stat(door.path).st_mode  # noqa: PTH116 # a test may block

    assert stat.S_IMODE(mode) == 0o600


async def test_a_socket_of_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    """The agent was killed, and left it behind."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    door = Door(path)
    await door.control.listen_at_last(door.path)

    assert await door.say(DRAIN) == b"ok started\n"
    door.control.close()


async def test_a_directory_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """It is said once, and the agent goes on."""
    path = tmp_path / "later" / "control.sock"
    door = Door(path)
    task = asyncio.ensure_future(door.control.listen_at_last(door.path, retry=0.02))
    await eventually(lambda: door.events)
    path.parent.mkdir()
    async with asyncio.timeout(10):
        await task

    assert door.events == ["cannot listen"]
    assert await door.say(DRAIN) == b"ok started\n"
    door.control.close()
