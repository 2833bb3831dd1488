"""``kubectl-lossless``: reads the command line, calls the verb, and ends cleanly however it ends.

What needs a cluster is imported when a verb needs it: the client alone takes longer to import than
everything else together, and ``--help``, completion and ``check -f`` do without.
"""

import argparse
import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from lossless.plugin.commandline import parser
from lossless.plugin.exits import Exit, RefusedError, UsageError
from lossless.plugin.terminal import Terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, see ``Exit``."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a bar shows a question mark; it is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        return _run(sys.argv[1:] if arguments is None else arguments, Terminal())
    except BrokenPipeError:
        # The interpreter flushes standard output once more at its end, and would complain.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return Exit.INTERRUPTED


def _run(arguments: Sequence[str], terminal: Terminal) -> int:
    try:
        options = parser().parse_args(arguments)
        agree(options)
    except UsageError as error:
        terminal.note(f"kubectl lossless: {error}")
        return Exit.USAGE
    except SystemExit as end:  # argparse, after --help and --version
        return int(end.code or 0)
    try:
        return _dispatch(options, terminal)
    except RefusedError as error:
        terminal.note(f"kubectl lossless {options.verb}: {error}")
        return Exit.FAILED
    except UsageError as error:
        terminal.note(f"kubectl lossless {options.verb}: {error}")
        return Exit.USAGE


def agree(options: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: says which, and what to do.
    """
    verb = options.verb
    everywhere = getattr(options, "all_namespaces", False)
    name = getattr(options, "name", None)
    if everywhere and name:
        raise UsageError(f"{verb} NAME looks in one namespace: leave -A or {name} away")
    if everywhere and options.namespace:
        raise UsageError("-A and -n exclude each other: leave one away")
    if verb == "status" and options.watch and options.output in {"json", "yaml"}:
        raise UsageError(
            "--watch draws for people; for programs: kubectl get llr -w -o json, or leave -w away"
        )
    if verb == "check" and options.filename and (name or everywhere):
        raise UsageError("check looks at files (-f) or at the cluster (NAME, -A): choose one")
    if verb == "history" and options.output and options.html is not None:
        raise UsageError("--html writes a page, -o a document: choose one")
    if verb == "undo" and options.to_revision < 0:
        raise UsageError(f"--to-revision {options.to_revision}: must be 1 or more")


def _dispatch(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.verb == "check" and options.filename:
        from lossless.plugin.check import (  # noqa: PLC0415 # see the module
            FAIL_ON,
            accepted_codes,
            check_files,
        )

        fail_on, accept = FAIL_ON[options.fail_on], accepted_codes(options.accept)
        return check_files(options.filename, terminal, options.output, fail_on, accept)
    if options.verb == "render":
        from lossless.plugin.render import UNKNOWN_IMAGE, render  # noqa: PLC0415 # the same

        image = options.agent_image or UNKNOWN_IMAGE
        return render(options.filename, terminal, options.output, image, gate=not options.no_gate)
    return asyncio.run(_with_cluster(options, terminal))


async def _with_cluster(options: argparse.Namespace, terminal: Terminal) -> int:
    from lossless.cluster.client import ConfigurationError  # noqa: PLC0415 # the same
    from lossless.cluster.errors import ApiError  # noqa: PLC0415 # the same
    from lossless.plugin.failures import remedy  # noqa: PLC0415 # the same
    from lossless.plugin.session import Access, connected  # noqa: PLC0415 # the same
    from lossless.plugin.verbs import run  # noqa: PLC0415 # the same
    from lossless.telemetry import logs  # noqa: PLC0415 # the same

    # Watches and the official client warn of what is tried again, or what our errors say better.
    logs.configure("error", sys.stderr)

    access = Access(
        kubeconfig=options.kubeconfig,
        context=options.context,
        namespace=options.namespace,
        all_namespaces=getattr(options, "all_namespaces", False),
        request_timeout=options.request_timeout,
    )
    try:
        async with connected(access) as session:
            return await run(options, session, terminal)
    except ConfigurationError as error:
        raise RefusedError(str(error)) from error
    except ApiError as error:
        raise RefusedError(f"{error}. {remedy(error)}") from error
