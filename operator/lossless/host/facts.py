"""Gathers what ``standing`` judges; nothing here decides, and nothing changes the host."""

import os
from dataclasses import replace

from lossless.agent.clock import Clock
from lossless.host.config import HostConfig
from lossless.host.draining import a_sampler
from lossless.host.flags import present
from lossless.host.looks import answers, listening
from lossless.host.namespace import NetworkNamespace
from lossless.host.standing import Facts
from lossless.host.store import Store


async def gather(config: HostConfig, store: Store, namespace: NetworkNamespace) -> Facts:
    """Return what can be seen of the host; what cannot is named in ``problems``."""
    flags = present(config.status_files)
    problems = [
        f"{path} cannot be looked at as user {os.geteuid()}; run this as root"
        for path, there in flags.items()
        if there is None
    ]
    facts = Facts(flags=flags, app_problem=None)
    try:
        facts = replace(facts, holder=store.holder())
    except OSError as error:
        problems.append(f"whether a run is at work cannot be seen: {error}")
    try:
        facts = replace(facts, journal=store.read())
    except (OSError, ValueError) as error:
        problems.append(f"{store.journal}: {error}")
    try:
        namespace.enter()
    except OSError as error:
        problems.append(str(error))
        return replace(facts, problems=tuple(problems))
    try:
        heard = listening({*config.ports, config.ready.port})
    except (OSError, ValueError) as error:
        problems.append(f"sockets cannot be counted: {error}")
    else:
        facts = replace(
            facts,
            listening=heard.issuperset(config.ports),
            app_listening=config.ready.port in heard,
        )
    sample = await a_sampler(config, Clock(), _silent)[0].take()
    if not sample.problem:
        facts = replace(facts, connections=sample.connections)
    return replace(facts, app_problem=await answers(config.ready), problems=tuple(problems))


def _silent(event: str, **fields: object) -> None:
    del event, fields
