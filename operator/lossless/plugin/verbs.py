"""From a parsed command line to the verb that needs a cluster."""

import argparse
from collections.abc import Awaitable, Callable

from lossless.plugin.check import FAIL_ON, accepted_codes
from lossless.plugin.check_cluster import check_cluster
from lossless.plugin.exits import Exit
from lossless.plugin.explain import explain
from lossless.plugin.history import history
from lossless.plugin.pause import pause, resume
from lossless.plugin.restart import restart
from lossless.plugin.session import Session
from lossless.plugin.status import status, watch
from lossless.plugin.terminal import Terminal
from lossless.plugin.undo import undo


async def run(options: argparse.Namespace, session: Session, terminal: Terminal) -> Exit:
    """Run one verb and return its exit code.

    Raises:
        RefusedError: it cannot do what was asked.
        UsageError: an argument cannot be read.
        ApiError: refused or unanswered.
    """
    output = getattr(options, "output", "")
    calls: dict[str, Callable[[], Awaitable[Exit]]] = {
        "status": lambda: (watch if options.watch else status)(
            session, terminal, options.name, output
        ),
        "explain": lambda: explain(session, terminal, options.pod, output),
        "check": lambda: check_cluster(
            session,
            terminal,
            options.name,
            output,
            FAIL_ON[options.fail_on],
            accept=accepted_codes(options.accept),
        ),
        "history": lambda: history(session, terminal, options.name, output, options.html),
        "restart": lambda: restart(session, terminal, options.name),
        "pause": lambda: pause(session, terminal, options.name),
        "resume": lambda: resume(session, terminal, options.name),
        "undo": lambda: undo(session, terminal, options.name, options.to_revision),
    }
    return await calls[options.verb]()
