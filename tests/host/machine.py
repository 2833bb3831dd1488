"""A host under a directory of the test: an application, a proxy, a status file, and clients."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from lossless.agent.clock import Clock
from lossless.host.config import HostConfig, read_config
from lossless.host.facts import gather
from lossless.host.journal import Journal
from lossless.host.namespace import NetworkNamespace
from lossless.host.plan import Verb
from lossless.host.progress import Progress
from lossless.host.publisher import Publisher
from lossless.host.signals import Interrupts
from lossless.host.standing import Standing, judge
from lossless.host.store import Store
from lossless.host.work import Work
from tests.support.free_ports import free_port

OPERATOR: Final = Path(__file__).parents[2] / "operator"


def _own_address() -> str:
    """Return an address of this machine that is not loopback, which never counts as a client's.

    Traffic to it does not leave the machine either. Nothing is sent to find it: connecting a
    datagram socket to a documentation address (RFC 5737) only looks up the route.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


ADDRESS: Final = _own_address()
ENVIRONMENT: Final = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": os.pathsep.join([str(OPERATOR), *sys.path[1:]]),
}
_SERVER: Final = """\
import socket, sys, threading
OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n"
def serve(connection):
    try:
        while connection.recv(65536):
            connection.sendall(OK)
    except OSError:
        pass
    connection.close()
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
_CONFIG: Final = """\
statusFiles = ["{root}/on"]
ports = [{port}]
stateDirectory = "{root}/state"
close = [{{nginx = {{}}}}]
{more}
[drain]
propagation = "0s"
quiet = "500ms"
timeout = "{timeout}"
onTimeout = "{on_timeout}"

[proxy]
stop = ["{root}/stop", "proxy"]
start = ["{root}/start", "proxy", "{port}"]
timeout = "5s"

[app]
stop = "{stop_app}"
start = "{start_app}"
timeout = "5s"

[ready]
url = "http://127.0.0.1:{app_port}/"
successes = 1
interval = "50ms"
timeout = "{ready}"

[loadBalancer]
timeout = "{traffic}"
"""


class Machine:
    """One host; its programs are ended with it."""

    def __init__(  # noqa: PLR0913 # each is one line of the configuration
        self,
        root: Path,
        *,
        timeout: str = "20s",
        on_timeout: str = "Pause",
        ready: str = "10s",
        traffic: str = "100ms",
        stop_app: str = "",
        start_app: str = "",
        more: str = "",
    ) -> None:
        """Write its files; nothing runs yet."""
        self.root = root
        self.port, self.app_port = free_port(), free_port()
        self.flag = root / "on"
        self.path = root / "host.toml"
        self.said = io.StringIO()
        (root / "server.py").write_text(_SERVER)
        self._script("stop", 'kill "$(cat "$1.pid")"; rm -f "$1.pid"; echo "stop $1" >> did')
        server = f'{sys.executable} -ES server.py "$2" > "$1.out" 2>&1 & echo $! > "$1.pid"'
        self._script("start", f'echo "start $1" >> did; setsid {server}')
        self.path.write_text(
            _CONFIG.format(
                root=root,
                port=self.port,
                app_port=self.app_port,
                timeout=timeout,
                on_timeout=on_timeout,
                ready=ready,
                traffic=traffic,
                stop_app=stop_app or f"{root}/stop app",
                start_app=start_app or f"{root}/start app {self.app_port}",
                more=more,
            )
        )
        self.store = Store(root / "state")
        self.interrupts = Interrupts()

    @property
    def config(self) -> HostConfig:
        """Its configuration."""
        return read_config(str(self.path))

    @property
    def did(self) -> list[str]:
        """What was stopped and started since ``__enter__`` or ``mend``, in order."""
        return (self.root / "did").read_text().splitlines()

    @property
    def journal(self) -> Journal:
        """The journal of the latest run."""
        journal = self.store.read()
        assert journal is not None
        return journal

    def start(self, what: str, port: int) -> None:
        """Start one program, and wait until it listens."""
        subprocess.run([self.root / "start", what, str(port)], check=True)  # noqa: S603 # ours
        self._await(what, port)

    def stop(self, what: str) -> None:
        """Stop one program, as if it had died."""
        subprocess.run([self.root / "stop", what], check=True)  # noqa: S603 # ours

    def mend(self) -> None:
        """Put it back by hand, as people do: start what does not run, touch the status file."""
        for what, port in (("app", self.app_port), ("proxy", self.port)):
            if (self.root / f"{what}.pid").exists():
                self._await(what, port)
            else:
                self.start(what, port)
        self.flag.write_text("serving")
        (self.root / "did").write_text("")

    async def run(self, verb: Verb = Verb.PUBLISH, *, restart: bool = False) -> int:
        """Run a verb in this process; return its exit code."""
        self.store.prepare()
        publisher = a_publisher(self.config, self.store, self.interrupts, self.said)
        with self.store.lock():
            return await publisher.run(publisher.plan(verb, restart=restart))

    async def standing(self) -> Standing:
        """Return what ``status`` and ``check`` say."""
        facts = await gather(self.config, self.store, NetworkNamespace())
        return judge(facts, "lossless host {}", time.time())

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a verb as a user does."""
        verb, *options = words
        return subprocess.run(  # noqa: S603 # this interpreter, this package
            self.argv(verb, *options),
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def argv(self, verb: str, *options: str) -> Sequence[str]:
        """Return the command line of a verb."""
        return [
            sys.executable, "-m", "lossless", "host", verb, "--config", str(self.path), *options
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self.flag.write_text("serving")
        self.start("app", self.app_port)
        self.start("proxy", self.port)
        (self.root / "did").write_text("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for path in self.root.glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(path.read_text()), signal.SIGKILL)

    def _await(self, what: str, port: int) -> None:
        deadline = time.monotonic() + 10
        while True:
            with suppress(ConnectionRefusedError), socket.create_connection((ADDRESS, port)):
                return
            assert time.monotonic() < deadline, f"{what} does not listen"
            time.sleep(0.01)

    def _script(self, name: str, body: str) -> None:
        path = self.root / name
        path.write_text(f"#!/bin/sh\ncd {self.root}\n{body}\n")
        path.chmod(0o755)


class Balancer:
    """Opens connections to a host for as long as its status file is there."""

    def __init__(self, machine: Machine) -> None:
        """Watch ``machine``."""
        self._machine = machine
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            if self._machine.flag.exists():
                with (
                    suppress(OSError),
                    socket.create_connection((ADDRESS, self._machine.port), 1) as client,
                ):
                    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    client.recv(4096)
                    self._stop.wait(0.03)


def a_publisher(
    config: HostConfig, store: Store, interrupts: Interrupts, said: TextIO
) -> Publisher:
    """Return what the command line composes."""
    return Publisher(
        Work(config, store, NetworkNamespace(), _silent, Clock()),
        store,
        command="lossless host {}",
        progress=Progress(said, terminal=False),
        log=_silent,
        interrupts=interrupts,
    )


def _silent(event: str, **fields: object) -> None:
    del event, fields
