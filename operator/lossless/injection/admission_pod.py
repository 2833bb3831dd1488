"""A pod as it comes to admission, read once: what every decision about it goes by.

It holds what counts for its injection and nothing else, in the terms of the Kubernetes API. How it
is read from an object, ``reading`` says; what is written to the object, ``writing``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lossless.injection.patching import Path
from lossless.model.drain.agent_config import AgentConfig, Probe
from lossless.model.names import PRIVATE_VOLUME, SHARED_VOLUME


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A declared TCP port."""

    name: str
    """Empty: it has none."""
    number: int


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """Where a container sees a volume."""

    name: str
    """Of the volume."""
    path: str
    """As it is written: it may end with a slash."""
    sub_path: str = ""
    sub_path_expr: str = ""

    @property
    def directory(self) -> str:
        """The path without a slash at its end."""
        return self.path.rstrip("/")

    def holds(self, path: str) -> bool:
        """Return whether ``path`` is the mount's own or below it."""
        return f"{path}/".startswith(f"{self.directory}/")

    def document(self) -> dict[str, Any]:
        """Return the same mount for another container, which may write to it."""
        sub_path = {"subPath": self.sub_path} if self.sub_path else {}
        return {"name": self.name, "mountPath": self.path, **sub_path}


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the pod."""

    name: str
    kind: str
    """Its source, such as ``emptyDir``; empty: it names none."""


@dataclass(frozen=True, slots=True)
class ExecAction:
    """A hook that runs a program."""

    command: tuple[str, ...]
    """The container's own; empty: the hook only waits for a file, and is ours."""
    shell: str
    """What runs it, if that is a shell; else empty."""
    held: bool
    """It waits for a file already, by an earlier pass."""


@dataclass(frozen=True, slots=True)
class HttpGetAction:
    """A hook that sends a request."""

    host: str
    elsewhere: bool
    """The kubelet sends it to somebody else than the pod."""
    scheme: str
    path: str
    """As it is written; empty: it names none."""
    port: object
    """As it is written: a number or a name."""
    number: int | None
    """Of the port; None: no such port is declared."""
    headers: tuple[tuple[str, str], ...]
    asks_for_hold: bool
    """The path is one by which a container is held; whether the agent's, the port says."""


@dataclass(frozen=True, slots=True)
class SleepAction:
    """A hook that only waits."""

    seconds: int


@dataclass(frozen=True, slots=True)
class OtherAction:
    """A hook of which nothing is known but its kind, or that says nothing else."""

    kind: str


LifecycleHandler = ExecAction | HttpGetAction | SleepAction | OtherAction


@dataclass(frozen=True, slots=True)
class ServingContainer:
    """A container that runs while the pod serves: a main container or a native sidecar."""

    name: str
    path: Path
    """Where it is in the pod."""
    image: str = ""
    command: tuple[str, ...] = ()
    """Empty: that of its image."""
    args: tuple[str, ...] = ()
    """Empty, if ``command`` is: those of its image."""
    ports: tuple[ContainerPort, ...] = ()
    mounts: tuple[VolumeMount, ...] = ()
    devices: tuple[str, ...] = ()
    """Paths of block devices (``volumeDevices``)."""
    pre_stop: LifecycleHandler | None = None
    readiness: Probe | None = None
    """Its readiness probe, if that opens connections to the pod."""
    has_readiness_probe: bool = False

    @property
    def native(self) -> bool:
        """Whether it is a native sidecar, which the kubelet stops after the main containers."""
        return self.path[1] == "initContainers"

    def mount_of(self, path: str) -> VolumeMount | None:
        """Return the mount that brings ``path`` to it, the one with the longest path; or None.

        Of a volume of the user's own: ours hold nothing that a spec may name.
        """
        ours = (SHARED_VOLUME, PRIVATE_VOLUME)
        holding = [one for one in self.mounts if one.name not in ours and one.holds(path)]
        return max(holding, key=lambda mount: len(mount.directory), default=None)


@dataclass(frozen=True, slots=True)
class AdmissionPod:
    """All of it that a decision may go by."""

    containers: tuple[ServingContainer, ...]
    """Those that serve, in the order of the pod, the agent apart."""
    volumes: tuple[Volume, ...]
    annotations: Mapping[str, str]
    named: str
    """The LosslessRollout that its label names; empty: none."""
    host_network: bool
    """It is on its node's network."""
    shares_processes: bool
    """Its containers are in one process namespace (``shareProcessNamespace``)."""
    windows: bool
    grace: int | None
    """Seconds, ``terminationGracePeriodSeconds``; None: it says nothing."""
    guaranteed: bool
    """Each container but the agent's has limits, and requests equal to them."""
    has_budget: bool
    """It has resources as a whole (KEP-2837)."""
    has_agent_name: bool
    """One of its containers is named as the agent's is."""
    before: AgentConfig | None
    """What an earlier pass has told the agent; None: the pod has not been injected."""

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The readiness probes that open connections to the pod, each once, in order."""
        found = (one.readiness for one in self.containers)
        return tuple(dict.fromkeys(probe for probe in found if probe is not None))

    @property
    def injected(self) -> bool:
        """Whether the pod has been injected already."""
        return self.before is not None
