"""The script of the hold by a file, run by the shells that are here."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lossless.injection.file_hold import LOG, file_hold, is_file_hold, own_command, shell_of
from lossless.injection.nginx_reload import Reloading
from tests.support.waiting import eventually_sync

SHELLS = [found for name in ("dash", "bash", "busybox") if (found := shutil.which(name))]
#: busybox runs its own ``sleep``, whatever else is on the path, so there a second is a second.
QUICK = [path for path in SHELLS if not path.endswith("busybox")]
#: The container's ``sleep`` takes a hundredth of a second.
SLEEP = """#!/bin/sh
exec /bin/sleep 0.01
"""


class Shell:
    """A container with a shell, whose shared volume is a directory of the test."""

    def __init__(self, root: Path, shell: str) -> None:
        """Have a ``sleep`` that is quick."""
        self.root = root
        self.shell = shell
        self.log = root / "log"
        (root / "bin").mkdir()
        (root / "bin" / "sleep").write_text(SLEEP)
        (root / "bin" / "sleep").chmod(0o755)

    def run(
        self, *own: str, limit: int = 100_000, reloading: Reloading | None = None
    ) -> subprocess.Popen[str]:
        """Run the hook as the kubelet would."""
        hook = file_hold("app", own, program=self.shell, limit=limit, reloading=reloading)
        command = hook["exec"]["command"]
        command[2] = command[2].replace("/lossless/", f"{self.root}/")
        command[2] = command[2].replace(LOG, str(self.log))
        applet = ["sh"] if self.shell.endswith("busybox") else []
        return subprocess.Popen(  # noqa: S603 # a shell of this machine, our own script
            [self.shell, *applet, *command[1:]],
            env={"PATH": f"{self.root / 'bin'}:/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def touch(self, name: str) -> None:
        """Do what the agent does."""
        (self.root / name).touch()


@pytest.fixture(params=SHELLS, ids=lambda path: Path(path).name)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """Return each shell of this machine."""
    return Shell(tmp_path, request.param)


@pytest.fixture(params=QUICK, ids=lambda path: Path(path).name)
def quick(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """Return each shell of this machine in which a second is short."""
    return Shell(tmp_path, request.param)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and the output."""
    out, _ = process.communicate(timeout=20)
    return process.returncode, out


def test_there_is_a_shell_to_try() -> None:
    """Else every test below would be empty."""
    assert QUICK


def test_it_waits_for_its_own_file(shell: Shell) -> None:
    """The drain has begun; somebody else's release is not its own."""
    shell.touch("draining")
    shell.touch("released.other")
    process = shell.run()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    shell.touch("released.app")

    assert ended(process) == (0, "")


def test_it_does_the_containers_own_work_first(shell: Shell) -> None:
    """With every argument as it was, and its exit code in the end."""
    for name in ("draining", "released.app"):
        shell.touch(name)
    program = 'printf "[%s]" "$@"; exit 3'

    assert ended(shell.run("/bin/sh", "-c", program, "x", "a b", "", "$HOME", "'\"")) == (
        3,
        "[a b][][$HOME]['\"]",
    )


@pytest.mark.parametrize("own", [["/no/such/program"], ["exit", "7"], []])
def test_whatever_its_own_work_does_it_waits(shell: Shell, own: Sequence[str]) -> None:
    """A program that is not there, or a word that means something to the shell."""
    shell.touch("draining")
    process = shell.run(*own)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    shell.touch("released.app")

    assert ended(process)[0] == {"/no/such/program": 127, "exit": 7}.get("".join(own[:1]), 0)


def test_without_a_drain_it_ends_soon(quick: Shell) -> None:
    """A liveness restart of one container: five looks, a second apart in a real one."""
    begun = time.monotonic()

    assert ended(quick.run()) == (0, "")
    assert time.monotonic() - begun < 10


def test_the_agents_death_does_not_hold_it_for_ever(quick: Shell) -> None:
    """It ends by itself, a little after the drain's deadline."""
    quick.touch("draining")

    assert ended(quick.run(limit=20)) == (0, "")


def test_a_container_without_sleep_ends_at_once(quick: Shell) -> None:
    """It must not burn a core instead."""
    quick.touch("draining")
    (quick.root / "bin" / "sleep").write_text("#!/bin/sh\nexit 127\n")

    assert ended(quick.run()) == (0, "")


def test_nginx_is_reloaded_when_its_time_has_come(shell: Shell) -> None:
    """Once, and before the container's own work, which may well be the end of nginx."""
    shell.touch("draining")
    said = f'echo "it\'s" >{shell.root}/seen'
    process = shell.run("echo", "own work", reloading=reload(said))
    eventually_sync((shell.root / "seen").exists)
    shell.touch("released.app")

    assert ended(process) == (0, "own work\n")
    assert (shell.root / "seen").read_text() == "it's\n"
    assert shell.log.read_text() == ""


def test_what_has_drained_before_needs_no_reload(quick: Shell) -> None:
    """So it is not held longer for it."""
    quick.touch("draining")
    process = quick.run(reloading=reload(f"touch {quick.root}/seen", after=100_000))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    quick.touch("released.app")

    assert ended(process)[0] == 0
    assert not (quick.root / "seen").exists()


def test_without_a_drain_nginx_is_not_reloaded(quick: Shell) -> None:
    """A liveness restart runs the hook as well; its own work is done."""
    begun = time.monotonic()
    process = quick.run("sh", "-c", "echo own; exit 4", reloading=reload(f"touch {quick.root}/x"))

    assert ended(process) == (4, "own\n")
    assert not (quick.root / "x").exists()
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("log", ["log", "no/such/directory/log"])
def test_a_reload_that_fails_is_told_and_holds_as_ever(quick: Shell, log: str) -> None:
    """In the container's log, if that can be written to."""
    quick.log = quick.root / log
    quick.touch("draining")
    process = quick.run(reloading=reload("echo no such pid >&2; exit 1"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    quick.touch("released.app")

    assert ended(process) == (0, "")
    if quick.log.parent == quick.root:
        assert quick.log.read_text() == (
            "no such pid\nlossless: nginx was not reloaded, HTTP/2 clients stay\n"
        )


def test_a_reload_that_hangs_holds_nothing_up(quick: Shell) -> None:
    """A host name that is not answered for, for example."""
    quick.touch("draining")
    quick.touch("released.other")
    process = quick.run(reloading=reload("exec /bin/sleep 12"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    quick.touch("released.app")
    begun = time.monotonic()

    assert ended(process) == (0, "")
    assert time.monotonic() - begun < 8


def reload(script: str, *, after: int = 0, again: bool = False) -> Reloading:
    """Return a reload that is done by a shell's script."""
    command = ("/bin/sh", "-c", script)
    return Reloading("spec.close[0].nginx.http2", command, after, again=again)


def test_nginx_is_reloaded_again_whenever_a_file_asks_for_it(shell: Shell) -> None:
    """One file, one reload, in their order; not after the container's release."""
    seen = shell.root / "seen"
    shell.touch("draining")
    shell.touch("reload.4")
    process = shell.run(reloading=reload(f"echo x >>{seen}", again=True))
    eventually_sync(lambda: seen.exists() and seen.read_text() == "x\n")
    shell.touch("reload.2")
    eventually_sync(lambda: seen.read_text() == "x\n" * 2)
    shell.touch("reload.3")
    eventually_sync(lambda: seen.read_text() == "x\n" * 4)
    shell.touch("released.app")

    assert ended(process) == (0, "")
    assert shell.log.read_text() == ""


@pytest.mark.parametrize(
    ("configuration", "said", "reloads"),
    [
        pytest.param("http { keepalive_min_timeout 75s; }", "", 1, id="kept"),
        pytest.param(
            "http { }",
            "lossless: nginx was not reloaded, clients stay: no keepalive_min_timeout in"
            " NGINX -c '/etc/my own' -T\n",
            0,
            id="closed",
        ),
    ],
)
def test_an_nginx_that_would_close_idle_connections_is_not_reloaded(
    configuration: str, said: str, reloads: int, quick: Shell
) -> None:
    """What it prints of its configuration tells; that is not shown to anybody."""
    nginx, seen = quick.root / "nginx", quick.root / "seen"
    nginx.write_text(
        f'#!/bin/sh\n[ "$3" = -T ] && echo \'{configuration}\' || echo "$*" >>{seen}\n'
    )
    nginx.chmod(0o755)
    command = (str(nginx), "-c", "/etc/my own", "-s", "reload")
    quick.touch("draining")
    process = quick.run(reloading=Reloading("reload", command, 0, again=True))
    waited = seen if reloads else quick.log
    eventually_sync(lambda: waited.exists() and waited.stat().st_size > 0)
    quick.touch("released.app")

    assert ended(process) == (0, "")
    assert quick.log.read_text() == said.replace("NGINX", str(nginx))
    assert (seen.read_text() if seen.exists() else "") == "-c /etc/my own -s reload\n" * reloads


@pytest.mark.parametrize(
    ("command", "found"),
    [
        pytest.param(["sh", "-c", "x"], "sh", id="by-name"),
        pytest.param(["/usr/bin/bash", "x"], "/usr/bin/bash", id="by-path"),
        pytest.param(["/busybox/sh", "-c", "x"], "/busybox/sh", id="distroless-debug"),
        pytest.param(["/bin/busybox", "sh"], "", id="something-that-has-one"),
        pytest.param(["/sh/stop"], "", id="a-folder"),
        pytest.param(["python3", "-c", "x"], "", id="another-interpreter"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_what_shows_that_there_is_a_shell(command: list[str], found: str) -> None:
    """Only a hook that is run by one."""
    assert shell_of(command) == found


def test_ours_is_known_again() -> None:
    """With what it was wrapped around."""
    hook = file_hold("app", ["/stop", "a"], program="/bin/sh", limit=9)
    command = tuple(hook["exec"]["command"])

    assert is_file_hold(command)
    assert own_command(command) == ("/stop", "a")
    assert not is_file_hold(["/bin/sh", "-c", "x", "y"])
    assert own_command(("/stop",)) == ("/stop",)
    assert own_command(()) == ()
