"""Agent, application and clients in network namespaces of their own, as in a cluster.

Only there do clients come from outside: on loopback everything is inside the pod. Needs root; a
pod and a node are two namespaces with a pair of virtual interfaces between them.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lossless.model.counters import Prometheus
from lossless.model.drain.agent_config import AgentConfig, Probe
from lossless.model.drain.release_rule import Barrier
from lossless.model.names import HOST_IPS_ENV, RELEASED_FILE
from lossless.model.phases import Phase
from lossless.model.policy import IdleConnections
from lossless.model.report import SourceState
from tests.agent.builders import a_config
from tests.agent.processes import AgentProcess
from tests.support.waiting import eventually_sync

POD, NODE, CLIENT = "10.88.0.5", "10.88.0.1", "10.88.0.7"
_TOOLS = ("unshare", "nsenter", "ip")


def _possible() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in _TOOLS):
        return False
    return subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0  # noqa: S607 # found on PATH


pytestmark = pytest.mark.skipif(not _possible(), reason="network namespaces need root")

#: Answers each line after as many seconds as it says.
APPLICATION = """
import socket, sys, threading, time
listener = socket.create_server(("", 8080), backlog=64)
def serve(client):
    with client, client.makefile("rwb") as file:
        for line in file:
            time.sleep(float(line))
            file.write(b"x" * 3000 + b"\\n")
            file.flush()
def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""

#: What clients do; ``connect(source)`` and ``ask(sock, seconds)`` are at hand.
CLIENT_PRELUDE = """
import socket, struct, sys, time
def connect(source, target="{pod}"):
    sock = socket.socket()
    sock.bind((source, 0))
    sock.connect((target, 8080))
    return sock
def ask(sock, seconds=0):
    sock.sendall(b"%f\\n" % seconds)
    left = 3001
    while left:
        left -= len(sock.recv(left))
def ready():
    print("ready", flush=True)
"""


class Namespace:
    """A network namespace, alive as long as a process in it."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Make it; it goes with ``stack``."""
        self._stack = stack
        wait = "import sys; print(flush=True); sys.stdin.read()"
        keeper = subprocess.Popen(  # noqa: S603 # a text of this file
            ["unshare", "--net", sys.executable, "-c", wait],  # noqa: S607 # found on PATH
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(keeper.communicate)
        assert keeper.stdout is not None
        keeper.stdout.readline()
        self.pid = keeper.pid
        self.within = ("nsenter", f"--net=/proc/{keeper.pid}/ns/net")
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command: str) -> None:
        """Run a command in it."""
        subprocess.run([*self.within, *command], check=True)  # noqa: S603 # commands of this file

    def start(self, text: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a Python program in it, and wait until it says that it is ready."""
        process = subprocess.Popen(  # noqa: S603 # texts of this file
            [*self.within, sys.executable, "-c", text, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

        def end() -> None:
            process.kill()
            process.communicate()

        self._stack.callback(end)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process


class World:
    """A pod with an application and an agent, and a node with clients."""

    def __init__(self, root: Path, stack: contextlib.ExitStack) -> None:
        """Make both namespaces and start the application."""
        self._root = root
        self._stack = stack
        self.pod, self.node = Namespace(stack), Namespace(stack)
        self.pod.run(
            "ip", "link", "add", "eth0", "type", "veth",
            "peer", "name", "eth0", "netns", str(self.node.pid),
        )  # fmt: skip
        self.pod.run("ip", "address", "add", f"{POD}/24", "dev", "eth0")
        for address in (NODE, CLIENT):
            self.node.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        for namespace in (self.pod, self.node):
            namespace.run("ip", "link", "set", "eth0", "up")
        self.application = self.pod.start(APPLICATION)

    def agent(self, config: AgentConfig) -> AgentProcess:
        """Start the pod's agent."""
        return self._stack.enter_context(
            AgentProcess(
                self._root, config, within=self.pod.within, environment={HOST_IPS_ENV: NODE}
            )
        )

    def client(self, text: str, *, inside: bool = False) -> subprocess.Popen[bytes]:
        """Start a client on the node, or within the pod."""
        prelude = CLIENT_PRELUDE.format(pod=POD)
        place = self.pod if inside else self.node
        return place.start(prelude + textwrap.dedent(text))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a world that is gone after the test."""
    with contextlib.ExitStack() as stack:
        yield World(tmp_path, stack)


def config(
    *,
    quiet: float = 1.0,
    timeout: float = 20.0,
    idle_timeout: float = 1.5,
    idle: IdleConnections = IdleConnections.DISCARD,
    probes: Sequence[Probe] = (),
) -> AgentConfig:
    """Return a policy that is over in seconds."""
    return a_config(
        propagation=0.5,
        quiet=quiet,
        timeout=timeout,
        idle_timeout=idle_timeout,
        idle=idle,
        probes=tuple(probes),
    )


def test_a_long_request_is_waited_for(world: World) -> None:
    """Though it is silent for longer than an idle connection may be."""
    agent = world.agent(config())
    world.client(f"""
        sock = connect("{CLIENT}")
        ready()
        ask(sock, 4)
        sock.close()
    """)
    agent.drain()
    report = agent.result()

    assert (report.phase, report.discarded) == (Phase.DRAINED, 0)
    assert report.seconds > 3


@pytest.mark.parametrize(
    ("idle", "timeout", "phase", "discarded"),
    [
        pytest.param(IdleConnections.DISCARD, 20.0, Phase.DRAINED, 1, id="discard"),
        pytest.param(IdleConnections.WAIT, 4.0, Phase.TIMED_OUT, 0, id="wait"),
    ],
)
def test_an_idle_connection_is_discarded_if_the_user_wants(
    world: World, idle: IdleConnections, timeout: float, phase: Phase, discarded: int
) -> None:
    """Many clients never close one; the user says what is more important."""
    agent = world.agent(config(idle=idle, timeout=timeout))
    world.client(f"""
        sock = connect("{CLIENT}")
        for _ in range(5):
            ask(sock)
        ready()
        time.sleep(60)
    """)
    agent.drain()
    report = agent.result()

    assert (report.phase, report.discarded) == (phase, discarded)
    assert report.connections.idle == 1


@pytest.mark.parametrize(
    "close",
    [
        pytest.param("sock.close()", id="closed"),
        pytest.param(
            "sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0));"
            "sock.close()",
            id="reset",
        ),
    ],
)
def test_short_connections_keep_a_pod_alive(world: World, close: str) -> None:
    """The client closes first, so nothing of them is left to be seen but the kernel's counter.

    A pod that is its service's only endpoint gets new connections until another one is ready.
    """
    agent = world.agent(config())
    client = world.client(f"""
        ready()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            sock = connect("{CLIENT}")
            ask(sock)
            {close}
            time.sleep(0.3)
        print("over", flush=True)
        time.sleep(60)
    """)
    agent.drain()
    assert client.stdout is not None
    assert client.stdout.readline() == b"over\n"
    assert agent.last_words() is None
    report = agent.result()

    assert report.phase is Phase.DRAINED
    assert 3.5 < report.seconds < 8


def test_short_connections_within_the_pod_do_not(world: World) -> None:
    """A health check on loopback goes on for ever, and is reset each time."""
    agent = world.agent(config())
    world.client(
        """
        ready()
        while True:
            sock = connect("127.0.0.1", "127.0.0.1")
            ask(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            sock.close()
            time.sleep(0.3)
        """,
        inside=True,
    )
    agent.drain()
    report = agent.result()

    assert report.phase is Phase.DRAINED
    assert report.seconds < 5


#: A page of counters on loopback; who closes the connection first is the test's to say.
PAGE = """
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", 9090), backlog=64)
def accept():
    while True:
        client = listener.accept()[0]
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\n\\r\\nin_flight 0\\n")
        if sys.argv[1] == "client":
            client.recv(1)
        client.close()
threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("first", ["client", "server"])
def test_the_agents_own_questions_do_not(world: World, first: str) -> None:
    """Each is a connection that may be over before a look, while packets come in from outside."""
    world.pod.start(PAGE, first)
    agent = world.agent(replace(config(), metrics=(Prometheus(9090, "in_flight"),)))
    world.client(f"""
        noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ready()
        while True:
            noise.sendto(b"x", ("{POD}", 9))
            time.sleep(0.01)
    """)
    agent.drain()
    report = agent.result()

    assert report.phase is Phase.DRAINED
    assert [one.state for one in report.sources] == [SourceState.DRAINED] * 2
    assert report.seconds < 5


PROBE = f"""
    ready()
    while True:
        sock = connect("{NODE}")
        ask(sock)
        sock.close()
        time.sleep(1)
"""


def test_probes_do_not_keep_a_pod_alive(world: World) -> None:
    """They go on until the pod is gone."""
    agent = world.agent(config(timeout=10.0, probes=[Probe(8080, 1.0, 1.0)]))
    world.client(PROBE)
    agent.drain()

    assert agent.result().phase is Phase.DRAINED


@pytest.mark.parametrize(
    "source", [pytest.param(NODE, id="node"), pytest.param(CLIENT, id="client")]
)
def test_a_client_beside_the_probes_does(world: World, source: str) -> None:
    """Even one behind the node's own address: together they are more than the probes can be."""
    agent = world.agent(config(timeout=4.0, probes=[Probe(8080, 1.0, 1.0)]))
    world.client(PROBE)
    world.client(PROBE.replace(NODE, source).replace("sleep(1)", "sleep(0.3)"))
    agent.drain()

    assert agent.result().phase is Phase.TIMED_OUT


#: A sidecar that listens on the loopback, and an application that is connected to it; without a
#: listener of its own. It leaves its sidecar when its input ends.
SIDECAR = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 5432))
print("ready", flush=True)
kept = listener.accept()
sys.stdin.read()
"""
CONNECTED = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", 5432))
print("ready", flush=True)
sys.stdin.readline()
sock.close()
"""


def test_a_sidecar_is_let_go_when_the_application_has_ended(world: World) -> None:
    """As the pod's real sockets show: no listener any more, and nobody who uses a sidecar."""
    world.pod.start(SIDECAR)
    connected = world.pod.start(CONNECTED)
    agent = world.agent(
        a_config(
            quiet=0.3,
            file_holds=("app", "sql"),
            barrier=Barrier(("sql",), (8080,), 60.0),
        )
    )
    app, sql = (agent.root / f"{RELEASED_FILE[1:]}.{name}" for name in ("app", "sql"))
    agent.drain()
    eventually_sync(app.exists, "the application is let go")

    def stays_held() -> None:
        with pytest.raises(AssertionError):
            eventually_sync(sql.exists, within=2.0)

    stays_held()
    world.application.terminate()
    world.application.wait(10)
    stays_held()
    connected.communicate(b"\n", timeout=10)
    eventually_sync(sql.exists, "the sidecar is let go")


def test_a_client_that_is_never_accepted_counts(world: World) -> None:
    """The kernel has its request, and nobody else has: closing the listener would reset it."""
    agent = world.agent(config(timeout=3.0))
    stuck = APPLICATION.replace("8080", "8081").replace("listener.accept()[0]", "input()")
    world.pod.start(stuck)
    world.client(f"""
        sock = socket.create_connection(("{POD}", 8081))
        ready()
        time.sleep(60)
    """)
    agent.drain()
    report = agent.result()

    assert (report.phase, report.connections.active) == (Phase.TIMED_OUT, 1)


def test_a_client_over_ipv6_is_a_client(world: World) -> None:
    """Both families are looked at."""
    for namespace, address in ((world.pod, "fd00::5"), (world.node, "fd00::7")):
        namespace.run("ip", "address", "add", f"{address}/64", "dev", "eth0", "nodad")
    world.pod.start(
        APPLICATION.replace("8080", "8086").replace(
            '("", 8086)', '("::", 8086), family=socket.AF_INET6'
        )
    )
    agent = world.agent(config())
    world.client("""
        sock = socket.create_connection(("fd00::5", 8086))
        ready()
        ask(sock, 4)
        sock.close()
    """)
    agent.drain()
    eventually_sync(lambda: "[fd00::7]" in agent.log, "the client is named")
    report = agent.result()

    assert report.phase is Phase.DRAINED
    assert report.seconds > 3
