"""Runs a command on a host over SSH, with the user's own keys, agent and known hosts."""

import errno
import socket
from collections.abc import Callable
from typing import Any, Final

from lossless.host.remote import RemoteFailed, RemoteHost

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
_BROKE: Final = (
    "the connection broke before the command had ended, and it may go on there; see there: lossless"
    " host status"
)
_NO_WAY: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})


class Ssh:
    """SSH as the user has configured it."""

    def __init__(self, **options: Any) -> None:
        """Take more options for ``asyncssh.connect``."""
        self._options = options

    async def run(self, target: RemoteHost, command: str, tell: Callable[[str], None]) -> int:
        """Run ``command``, tell each line that it writes, and return its exit code.

        If we are cancelled it is sent SIGTERM, upon which a publish ends in order. OpenSSH's sshd
        refuses that for root and sends it as the user who has logged in (session.c,
        ``session_signal_req``), so root's command, and one of sudo, goes on to its end.

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
            connection = await asyncssh.connect(
                target.host,
                connect_timeout=CONNECT,
                login_timeout=CONNECT,
                keepalive_interval=interval,
                keepalive_count_max=missed,
                **options,
            )
        # A ValueError is about a key file or ~/.ssh/config (KeyImportError, ConfigParseError).
        except (OSError, ValueError, asyncssh.Error) as error:
            raise RemoteFailed(f"{explain(error, target)}; nothing was begun there") from error
        try:
            async with (
                connection,
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
            raise RemoteFailed(f"{_BROKE} ({type(error).__name__}: {error})") from error
        if code is None:
            raise RemoteFailed(_BROKE)
        return code


def explain(error: Exception, target: RemoteHost) -> str:
    """Return why nobody could log in at ``target``, and what to do about it."""
    login = _login(target)
    match error:
        case asyncssh.HostKeyNotVerifiable():
            why = (
                f"its host key is not the one in known_hosts: log in once with `{login}` and"
                " compare what it shows with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on"
                " the host"
            )
        case asyncssh.PermissionDenied():
            why = (
                "none of your keys opens the account: put one into its ~/.ssh/authorized_keys, or"
                f" load it with ssh-add, until `{login}` asks for nothing"
            )
        case socket.gaierror():
            why = "its name is not known: correct the list of hosts, or the DNS"
        case TimeoutError():
            why = (
                f"no answer within {CONNECT:g} s: is it up, and does a firewall let you to its SSH"
                f" port? Try `{login}`"
            )
        case ConnectionRefusedError():
            why = "nothing listens there: is sshd running, and this its port?"
        case OSError() if error.errno in _NO_WAY:
            why = "there is no way to it: is it up, and the address right?"
        case ValueError():
            why = f"your own SSH keys or ~/.ssh/config cannot be used: try `{login}`"
        case _:
            why = f"no SSH connection: try `{login}`"
    return f"{why} ({type(error).__name__}: {error})".replace(": )", ")")


def _login(target: RemoteHost) -> str:
    port = f"-p {target.port} " if target.port else ""
    user = f"{target.user}@" if target.user else ""
    return f"ssh {port}{user}{target.host}"
