"""``lossless host``: reads options, composes, decides nothing."""

import argparse
import asyncio
import os
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog

from lossless.agent.clock import Clock
from lossless.host.checkup import examine, render
from lossless.host.config import HostConfig, read_config
from lossless.host.exits import Exit
from lossless.host.facts import gather
from lossless.host.namespace import NetworkNamespace
from lossless.host.plan import TITLES, Verb
from lossless.host.progress import Progress
from lossless.host.publisher import Publisher
from lossless.host.signals import Interrupts
from lossless.host.standing import judge
from lossless.host.store import Locked, Store
from lossless.host.work import Work, describe
from lossless.model.names import HOST_CONFIG
from lossless.telemetry import logs

_VERBS: Final = frozenset(verb.value for verb in Verb)


def run(options: argparse.Namespace) -> int:
    """Run one verb; return its exit code (``exits``)."""
    try:
        if options.verb == "rollout":
            from lossless.host.rollout import main  # noqa: PLC0415 # asyncssh is an extra

            return asyncio.run(main(options))
        config = read_config(options.config)
        if options.verb in _VERBS:
            return asyncio.run(_work(options, config))
        return asyncio.run(_look(options, config))
    except Locked as error:
        return _refuse(options, error, Exit.LOCKED)
    except (OSError, ValueError) as error:
        return _refuse(options, error, Exit.USAGE)


def _refuse(options: argparse.Namespace, error: Exception, code: Exit) -> int:
    sys.stderr.write(f"lossless host {options.verb}: {error}\n")
    return code


def _log(event: str, **fields: Any) -> None:
    structlog.get_logger("lossless.host").info(event, **fields)


def _command(options: argparse.Namespace) -> str:
    path = os.path.abspath(options.config)  # noqa: PTH100 # of text that people see
    told = "" if path == HOST_CONFIG else f" --config {shlex.quote(path)}"
    return f"lossless host {{}}{told.replace('{', '{{').replace('}', '}}')}"


async def _work(options: argparse.Namespace, config: HostConfig) -> int:
    store = Store(Path(config.state_directory))
    progress = Progress(sys.stdout)
    namespace = NetworkNamespace(config.network_namespace)
    namespace.enter()
    verb = Verb(options.verb)
    interrupts = Interrupts(progress.say)
    publisher = Publisher(
        Work(config, store, namespace, _log, Clock()),
        store,
        command=_command(options),
        progress=progress,
        log=_log,
        interrupts=interrupts,
    )
    if options.dry_run:
        plan = publisher.plan(verb, restart=options.restart)
        for index, step in enumerate(plan.steps, 1):
            progress.say(f"[{index}/{len(plan.steps)}] {TITLES[step]}: {describe(config, step)}")
        return Exit.OK
    store.prepare()
    with store.lock(), store.log.open("a", encoding="utf-8") as log:
        logs.configure(options.log_level, log)
        interrupts.listen()
        return await publisher.run(publisher.plan(verb, restart=options.restart))


async def _look(options: argparse.Namespace, config: HostConfig) -> int:
    facts = await gather(
        config,
        Store(Path(config.state_directory)),
        NetworkNamespace(config.network_namespace),
    )
    standing = judge(facts, _command(options), time.time())
    lines = [f"{standing.state.value}: {standing.reason}"]
    if standing.remedy:
        lines.append(f"What to do: {standing.remedy}")
    code = standing.exit
    if options.verb == "check":
        findings = await examine(config, facts)
        lines += render(findings)
        if code is Exit.OK and any(finding.wrong for finding in findings):
            code = Exit.FAILED
        if options.quiet and code is Exit.OK:
            return code
    else:
        if facts.connections is not None:
            counted = facts.connections
            lines.append(f"Connections: {counted.active} active, {counted.idle} idle")
        lines += [f"cannot see: {problem}" for problem in facts.problems]
        if os.geteuid() != 0 and facts.problems:
            lines.append("As root, more can be seen.")
    with suppress(BrokenPipeError):
        sys.stdout.write("\n".join(lines) + "\n")
    return code
