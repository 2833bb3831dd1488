"""Answered keep-alive connections, held by processes of their own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from bench.pod.network import Network

#: Connections of one listener: fewer than the 28,000 ports that a client's address has for one
#: peer, and than the descriptors that a process may have.
_CHUNK: Final = 10_000

_SERVER: Final = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server((sys.argv[1], 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
ends = []
for _ in range(int(sys.argv[2])):
    end = listener.accept()[0]
    end.recv(100)
    end.sendall(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
    ends.append(end)
sys.stdin.read()
"""

_CLIENTS: Final = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
ends = []
for _ in range(int(sys.argv[3])):
    end = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    end.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    assert end.recv(100)
    ends.append(end)
print("connected", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def connections(network: Network, count: int) -> Iterator[tuple[int, ...]]:
    """Hold ``count`` answered connections to the pod; yield the ports that they go to."""
    with contextlib.ExitStack() as stack:
        ports = []
        clients = []
        for start in range(0, count, _CHUNK):
            part = str(min(_CHUNK, count - start))
            server = _started(stack, [sys.executable, "-c", _SERVER, network.pod, part])
            port = _line(server)
            ports.append(int(port))
            python = [*network.client_command, sys.executable, "-c", _CLIENTS]
            clients.append(_started(stack, [*python, network.pod, port, part]))
        for one in clients:
            assert _line(one) == "connected"
        yield tuple(ports)


def _started(stack: contextlib.ExitStack, argv: Sequence[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 # this interpreter, the texts above
    stack.callback(process.communicate)
    return process


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
