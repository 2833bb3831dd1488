"""Several hosts: in order, not too many at once, and no further after a failure; over real SSH."""

import asyncio
import errno
import io
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import asyncssh
import pytest

from lossless.host.exits import Exit
from lossless.host.progress import Progress
from lossless.host.remote import Remote, RemoteFailed, RemoteHost, parse_hosts
from lossless.host.rollout import HostRollout, HostState, next_hosts
from lossless.host.signals import Interrupts
from lossless.host.ssh import Ssh, explain
from tests.support.free_ports import free_port
from tests.support.waiting import eventually

A, B, C = RemoteHost("a"), RemoteHost("b"), RemoteHost("c")


def test_a_list_of_hosts() -> None:
    """As people write it."""
    document = "a  # the first\n\n# all\nadmin@b:2222\n[fd00::1]:22\nadmin@10.0.0.3\n"

    assert parse_hosts(document) == (
        A,
        RemoteHost("b", 2222, "admin"),
        RemoteHost("fd00::1", 22),
        RemoteHost("10.0.0.3", None, "admin"),
    )
    assert [one.name for one in parse_hosts(document)] == [
        "a",
        "b:2222",
        "[fd00::1]:22",
        "10.0.0.3",
    ]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param("", "names no host", id="empty"),
        pytest.param("a\nb c", "line 2: 'b c' is not a host", id="two-words"),
        pytest.param("a:0", "line 1", id="no-port"),
        pytest.param("a\nx@a", "line 2: 'x@a' is there twice", id="twice"),
    ],
)
def test_a_wrong_list_is_refused(document: str, complaint: str) -> None:
    """With the line."""
    with pytest.raises(ValueError, match=complaint):
        parse_hosts(document)


W, R, D, F = HostState.WAITING, HostState.RUNNING, HostState.DONE, HostState.FAILED


@pytest.mark.parametrize(
    ("states", "at_once", "stopping", "expected"),
    [
        pytest.param((W, W, W), 1, False, (A,), id="one-at-a-time"),
        pytest.param((R, W, W), 1, False, (), id="while-one-is-out"),
        pytest.param((D, W, W), 1, False, (B,), id="then-the-next"),
        pytest.param((R, W, W), 2, False, (B,), id="two-at-a-time"),
        pytest.param((D, F, W), 2, False, (), id="a-failure-is-the-end"),
        pytest.param((D, W, W), 1, True, (), id="so-is-ctrl-c"),
        pytest.param((D, D, D), 1, False, (), id="all-done"),
    ],
)
def test_who_is_next(
    states: tuple[HostState, ...], at_once: int, expected: tuple[RemoteHost, ...], *, stopping: bool
) -> None:
    """By the states of all."""
    told = dict(zip((A, B, C), states, strict=True))

    assert next_hosts(told, at_once, stopping=stopping) == expected


class Scripted:
    """Hosts that do what the test says."""

    def __init__(self, codes: Mapping[RemoteHost, int | None]) -> None:
        """End with these codes; None: cannot be reached."""
        self._codes = codes
        self.out = 0
        self.most = 0
        self.begun: list[RemoteHost] = []
        self.go = asyncio.Event()
        self.go.set()

    async def run(self, target: RemoteHost, command: str, tell: Callable[[str], None]) -> int:
        """Say the command, wait for the test, and end."""
        self.begun.append(target)
        self.out += 1
        self.most = max(self.most, self.out)
        try:
            tell(command)
            await asyncio.sleep(0)
            await self.go.wait()
            code = self._codes.get(target, 0)
            if code is None:
                raise RemoteFailed("no route")
            return code
        finally:
            self.out -= 1


def a_rollout(
    remote: Remote, said: io.StringIO, interrupts: Interrupts | None = None, at_once: int = 1
) -> HostRollout:
    """Return a rollout over a, b and c."""
    return HostRollout(
        (A, B, C),
        "publish",
        remote=remote,
        max_unavailable=at_once,
        timeout=20.0,
        progress=Progress(said, terminal=False),
        interrupts=interrupts or Interrupts(),
    )


@pytest.mark.parametrize("at_once", [1, 2, 5])
async def test_all_hosts_are_published(at_once: int) -> None:
    """Never more at once than said; each line names its host."""
    remote, said = Scripted({}), io.StringIO()

    assert await a_rollout(remote, said, at_once=at_once).run() == Exit.OK
    assert (remote.begun, remote.most) == ([A, B, C], min(3, at_once))
    assert "b | publish\n" in said.getvalue()
    assert said.getvalue().endswith("3 of 3 hosts published.\n")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(3, "b: FAILED with exit code 3", id="exit-code"),
        pytest.param(None, "b | no route", id="unreachable"),
    ],
)
async def test_the_first_failure_is_the_last_host(code: int | None, words: str) -> None:
    """What was not begun is named, and as it was."""
    remote, said = Scripted({B: code}), io.StringIO()

    assert await a_rollout(remote, said).run() == Exit.FAILED
    assert remote.begun == [A, B]
    assert words in said.getvalue()
    assert "1 of 3 hosts published." in said.getvalue()
    assert "Not begun, and as they were: c" in said.getvalue()


async def test_ctrl_c_lets_the_host_at_work_finish() -> None:
    """A second one does not."""
    remote, said, interrupts = Scripted({}), io.StringIO(), Interrupts()
    remote.go.clear()
    running = asyncio.ensure_future(a_rollout(remote, said, interrupts).run())
    await eventually(lambda: remote.begun)
    interrupts.take(signal.SIGINT)
    remote.go.set()
    assert await running == 128 + signal.SIGINT
    assert remote.begun == [A]

    remote, interrupts = Scripted({}), Interrupts()
    remote.go.clear()
    running = asyncio.ensure_future(a_rollout(remote, said, interrupts).run())
    await eventually(lambda: remote.begun)
    interrupts.take(signal.SIGINT)
    interrupts.take(signal.SIGINT)
    assert await running == 128 + signal.SIGINT
    assert "Left while at work, see `lossless host status` there: a" in said.getvalue()


#: The command upon which the server cuts the connection.
BREAK: Final = "break"


@asynccontextmanager
async def a_server() -> AsyncIterator[tuple[Ssh, int]]:
    """Run an SSH server that runs commands as this user; return a client that knows it."""
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    keys = asyncssh.import_authorized_keys(client.export_public_key().decode())

    async def serve(process: "asyncssh.SSHServerProcess[str]") -> None:
        if process.command == BREAK:
            process.channel.get_connection().abort()
            return
        local = await asyncio.create_subprocess_shell(
            process.command or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await local.communicate()
        process.stdout.write(said.decode())
        process.exit(local.returncode or 0)

    server = await asyncssh.listen(
        "127.0.0.1",
        server_host_keys=[host],
        authorized_client_keys=keys,
        process_factory=serve,
        config=None,
    )
    known = asyncssh.import_known_hosts(f"* {host.export_public_key().decode()}")
    options = {"known_hosts": known, "client_keys": [client], "config": None, "username": "me"}
    try:
        yield Ssh(**options), server.get_port()
    finally:
        server.close()
        await server.wait_closed()


async def test_a_command_over_ssh() -> None:
    """Its lines as they come, standard error among them, and its exit code."""
    lines: list[str] = []
    async with a_server() as (ssh, port):
        code = await ssh.run(
            RemoteHost("127.0.0.1", port), "echo one; echo two >&2; exit 7", lines.append
        )

    assert (code, sorted(lines)) == (7, ["one", "two"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(
            asyncssh.HostKeyNotVerifiable("Host key is not trusted for host a"),
            "log in once with `ssh -p 2222 me@a` and compare",
            id="host-key",
        ),
        pytest.param(
            asyncssh.PermissionDenied("Permission denied for user me on host a"),
            "until `ssh -p 2222 me@a` asks for nothing",
            id="refused",
        ),
        pytest.param(socket.gaierror(-2, "Name unknown"), "its name is not known", id="name"),
        pytest.param(TimeoutError(), "no answer within 20 s", id="silence"),
        pytest.param(ConnectionRefusedError(111, "no"), "nothing listens there", id="no-sshd"),
        pytest.param(OSError(errno.EHOSTUNREACH, "no"), "there is no way to it", id="no-way"),
        pytest.param(
            asyncssh.KeyImportError("Invalid private key"),
            "your own SSH keys or ~/.ssh/config cannot be used",
            id="own-key",
        ),
        pytest.param(
            asyncssh.ConnectionLost("Connection lost"),
            "try `ssh -p 2222 me@a` (ConnectionLost: Connection lost)",
            id="anything-else",
        ),
    ],
)
def test_why_nobody_could_log_in(error: Exception, words: str) -> None:
    """With what to do."""
    assert words in explain(error, RemoteHost("a", 2222, "me"))


async def test_a_connection_that_breaks() -> None:
    """Nobody knows how it goes on there, and that is said."""
    async with a_server() as (ssh, port):
        with pytest.raises(RemoteFailed, match=r"broke before .* may go on there"):
            await ssh.run(RemoteHost("127.0.0.1", port), BREAK, print)


async def test_a_host_that_is_not_there() -> None:
    """In words, and soon."""
    with pytest.raises(RemoteFailed, match=r"nothing listens there.*nothing was begun there"):
        await Ssh(config=None, known_hosts=None).run(
            RemoteHost("127.0.0.1", free_port(), "me"), "true", print
        )
