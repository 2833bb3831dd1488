"""What the agent is told by its environment; nothing in it can keep the agent from running."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lossless.agent.addresses import LOOPBACK
from lossless.agent.paths import Paths
from lossless.model.drain.agent_config import AgentConfig, parse_agent_config
from lossless.model.drain.hooks import HttpHook, SleepHook
from lossless.model.names import (
    CONFIG_ENV,
    CONTROL_SOCKET,
    DRAIN_MARKER,
    DRAINING_FILE,
    HOST_IPS_ENV,
    POD_IP_ENV,
    POD_NAME_ENV,
    POD_NAMESPACE_ENV,
    POD_UID_ENV,
    RELEASED_FILE,
    RELOAD_FILE,
    TERMINATION_LOG,
)
from lossless.model.policy import DrainPolicy

#: A directory put before every path, so that an agent can run outside a container.
PREFIX_ENV: Final = "LOSSLESS_PREFIX"


@dataclass(frozen=True, slots=True)
class Settings:
    """One agent's pod, policy and files."""

    config: AgentConfig
    paths: Paths
    pod: str = ""
    namespace: str = ""
    uid: str = ""
    address: str = LOOPBACK
    """The pod's, to which the kubelet sends hooks; loopback if nobody says it."""
    host_ips: tuple[str, ...] = ()
    sandbox: str = ""
    """Which of the pod's sandboxes the agent runs in (``survival.sandbox_id``)."""
    problem: str = ""
    """What was wrong with the environment, if anything; defaults are in its place."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return what ``environment`` says; what is missing or wrong there gets safe defaults.

    Safe is: the default policy, and every port that something listens on. An agent that refused
    to start would keep the user's pod from starting.
    """
    prefix = environment.get(PREFIX_ENV, "")
    config = AgentConfig(rollout="", ports=(), drain=DrainPolicy())
    problem = ""
    try:
        told = parse_agent_config(environment[CONFIG_ENV])
        _check(told)
    except KeyError:
        problem = f"{CONFIG_ENV} is not set"
    except ValueError as error:
        problem = f"{CONFIG_ENV}: {error}"
    else:
        config = told
        problem = "; ".join(told.problems)
    hosts = environment.get(HOST_IPS_ENV, "").split(",")
    return Settings(
        config=config,
        paths=Paths(
            status_files=tuple(prefix + path for path in config.status_files),
            marker=prefix + DRAIN_MARKER,
            control=prefix + CONTROL_SOCKET,
            last_words=prefix + TERMINATION_LOG,
            draining=prefix + DRAINING_FILE,
            released=prefix + RELEASED_FILE,
            reload=prefix + RELOAD_FILE,
            prefix=prefix,
        ),
        pod=environment.get(POD_NAME_ENV, ""),
        namespace=environment.get(POD_NAMESPACE_ENV, ""),
        uid=environment.get(POD_UID_ENV, ""),
        address=environment.get(POD_IP_ENV, "") or LOOPBACK,
        host_ips=tuple(host for host in (one.strip() for one in hosts) if host),
        problem=problem,
    )


def _check(config: AgentConfig) -> None:
    """Refuse what no webhook of any version writes, and what could not be acted on.

    Raises:
        ValueError: names the field and its value.
    """
    asked = (hook.port for hook in config.hooks if isinstance(hook, HttpHook))
    probed = (probe.port for probe in config.probes)
    for port in (config.agent_port, *config.ports, *probed, *asked, *config.barrier.ports):
        if not 0 < port < 65536:  # noqa: PLR2004 # the highest TCP port
            raise ValueError(f"{port} is not a port")
    drain = config.drain
    for name, seconds in (
        ("drain.clientIdleTimeout", drain.client_idle_timeout),
        ("drain.propagation", drain.propagation),
        ("drain.quiet", drain.quiet),
        ("drain.timeout", drain.timeout),
        ("barrier", config.barrier.seconds),
        *(("sleep", hook.seconds) for hook in config.hooks if isinstance(hook, SleepHook)),
    ):
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{name}: {seconds} is not a number of seconds")
    for probe in config.probes:
        if not probe.period > 0 or not probe.timeout >= 0:
            raise ValueError(f"probes: {probe} has no period")
    for path in config.status_files:
        if not path.startswith("/"):
            raise ValueError(f"statusFiles: {path!r} is not an absolute path")
