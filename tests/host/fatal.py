"""``python -m tests.host.fatal CONFIG N``: a publish that is killed right after its Nth entry."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lossless.host.config import read_config
from lossless.host.journal import Journal
from lossless.host.plan import Verb
from lossless.host.signals import Interrupts
from lossless.host.store import Store
from tests.host.machine import a_publisher


@dataclass(frozen=True, slots=True)
class FatalStore(Store):
    """A store whose owner dies, as by the OOM killer, when so many entries have been written."""

    left: list[int] = field(default_factory=list)

    def write(self, journal: Journal) -> None:
        """Write it, and die if it was the last one."""
        Store.write(self, journal)
        self.left[0] -= 1
        if not self.left[0]:
            os.kill(os.getpid(), signal.SIGKILL)


def main(config: str, entries: int) -> None:
    """Publish until death."""
    parsed = read_config(config)
    store = FatalStore(Path(parsed.state_directory), [entries])
    store.prepare()
    publisher = a_publisher(parsed, store, Interrupts(), sys.stdout)

    async def run() -> int:
        with store.lock():
            return await publisher.run(publisher.plan(Verb.PUBLISH, restart=False))

    sys.exit(asyncio.run(run()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
