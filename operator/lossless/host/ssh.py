"""Runs a command on a host over SSH, with the user's own keys, agent and known hosts."""

from collections.abc import Callable
from typing import Any, Final

from lossless.host.rollout import RemoteFailed, Target

try:
    import asyncssh
except ImportError as error:
    raise ValueError(
        "asyncssh is not installed; install lossless-operator with its extra: [host]"
    ) from error

#: Seconds to connect and log in.
CONNECT: Final = 20.0
#: Seconds between signs of life, and how many may be missed: a host that is gone is noticed.
ALIVE: Final = (10.0, 3)


class Ssh:
    """SSH as the user has configured it."""

    def __init__(self, **options: Any) -> None:
        """Take more options for ``asyncssh.connect``."""
        self._options = options

    async def run(self, target: Target, command: str, tell: Callable[[str], None]) -> int:
        """Run ``command``, tell each line that it writes, and return its exit code.

        If we are cancelled it is told to stop, which it does in order.

        Raises:
            RemoteFailed: the host cannot be reached, or the connection broke.
        """
        interval, missed = ALIVE
        options = dict(self._options)
        if target.port is not None:
            options["port"] = target.port
        if target.user is not None:
            options["username"] = target.user
        try:
            async with (
                asyncssh.connect(
                    target.host,
                    connect_timeout=CONNECT,
                    login_timeout=CONNECT,
                    keepalive_interval=interval,
                    keepalive_count_max=missed,
                    **options,
                ) as connection,
                connection.create_process(
                    command, stderr=asyncssh.STDOUT, stdin=asyncssh.DEVNULL
                ) as process,
            ):
                try:
                    async for line in process.stdout:
                        # At the end of the output asyncssh gives an empty text, which is no line.
                        if line:
                            tell(str(line).rstrip("\r\n"))
                    await process.wait()
                except BaseException:
                    process.terminate()
                    raise
                code = process.returncode
        except (OSError, asyncssh.Error) as error:
            raise RemoteFailed(f"{type(error).__name__}: {error}") from error
        if code is None:
            raise RemoteFailed("the connection broke before the command had ended")
        return code
