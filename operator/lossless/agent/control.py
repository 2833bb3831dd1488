"""The unix socket on which the agent's own preStop hook starts the drain.

It is in a directory that no other container mounts, so nothing but a process in the agent's own
container, which is what the kubelet's exec hook is, can start one.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Final

from lossless.agent.log import Log

#: The one word that is understood, as ``start_drain`` sends it.
DRAIN: Final = b"drain\n"
#: Seconds for a hook to say its word.
PATIENCE: Final = 5.0
#: Seconds between attempts to listen, while the directory is not there or full.
RETRY: Final = 2.0


class Control:
    """Listens for the hook."""

    def __init__(
        self, ask_to_stop: Callable[[], str], *, log: Log, patience: float = PATIENCE
    ) -> None:
        """Call ``ask_to_stop`` for each hook; it returns one line about the drain.

        Args:
            ask_to_stop: starts the drain, or joins it.
            log: told of mistakes.
            patience: seconds for a hook to say its word.
        """
        self._ask_to_stop = ask_to_stop
        self._patience = patience
        self._log = log
        self._server: asyncio.Server | None = None

    async def listen_at_last(self, path: str, *, retry: float = RETRY) -> None:
        """Begin to listen at ``path`` as soon as it is possible, however long it takes.

        Args:
            path: of the socket; one that is left there from an earlier run is replaced.
            retry: seconds between two attempts.
        """
        told = False
        while self._server is None:
            try:
                await self._listen(path)
            except OSError as error:
                if not told:
                    self._log("cannot listen", path=path, error=str(error))
                told = True
                await asyncio.sleep(retry)

    def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _listen(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            # Left by an earlier run.
            os.unlink(path)  # noqa: PTH108 # pathlib costs memory in every pod
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            listener.bind(path)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=64)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._patience):
                word = await reader.readline()
                if word == DRAIN:
                    answer = f"ok {self._ask_to_stop()}\n"
                else:
                    answer = f"error {word!r:.40} is not understood\n"
                writer.write(answer.encode())
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            return
        except Exception as error:  # noqa: BLE001 # the next hook must find somebody listening
            self._log("mistake", error=f"{type(error).__name__}: {error}")
        finally:
            writer.close()
