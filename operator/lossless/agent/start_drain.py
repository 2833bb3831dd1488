"""The agent's own preStop hook: asks the agent to start the drain, and returns at once.

The kubelet runs it as ``python3 -I -S start_drain.py`` in the agent's container. Its start is on
the way of every pod's end, so it imports nothing but built-in modules: not this package, and
``_socket`` in place of ``socket``, which would take three times as long. Whatever happens, the
kubelet only looks at the exit code, and shows what is printed in an event.
"""

import _socket
import sys
import time

#: The same as ``lossless.model.names.CONTROL_SOCKET``.
CONTROL_SOCKET = "/run/lossless/control.sock"
#: Seconds for an agent that is just starting. The holds of the other containers wait for less,
#: but a pod that stops while it starts has no clients yet.
PATIENCE = 10.0
RETRY = 0.1


def ask(path: str, seconds: float) -> str:
    """Return the agent's answer.

    Raises:
        OSError: nobody answered within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _ask_once(path, max(RETRY, deadline - time.monotonic()))
        except OSError:
            if time.monotonic() + RETRY >= deadline:
                raise
            time.sleep(RETRY)


def _ask_once(path: str, seconds: float) -> str:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(path)
        connection.send(b"drain\n")
        answer = b""
        while not answer.endswith(b"\n"):
            part = connection.recv(512)
            if not part:
                raise ConnectionResetError("the agent closed the connection without an answer")
            answer += part
        return answer.decode("utf-8", "replace").strip()
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    """Ask the agent; return the exit code.

    Args:
        arguments: of the command line: the socket's path and the patience in seconds, if they
            are not to be the default.
    """
    path = arguments[0] if arguments else CONTROL_SOCKET
    seconds = float(arguments[1]) if len(arguments) > 1 else PATIENCE
    try:
        answer = ask(path, seconds)
    except OSError as error:
        sys.stderr.write(f"the drain was not started: no agent at {path}: {error}\n")
        return 1
    if not answer.startswith("ok"):
        sys.stderr.write(f"the drain was not started: {answer}\n")
        return 1
    sys.stdout.write(f"{answer}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
