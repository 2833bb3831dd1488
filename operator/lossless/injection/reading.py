"""From an object of the API to the pod that decisions go by: the only reader of its fields."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lossless.injection.admission_pod import (
    AdmissionPod,
    ContainerPort,
    ExecAction,
    HttpGetAction,
    LifecycleHandler,
    OtherAction,
    ServingContainer,
    SleepAction,
    Volume,
    VolumeMount,
)
from lossless.injection.file_hold import is_file_hold, own_command, shell_of
from lossless.injection.operating_system import is_windows
from lossless.injection.patching import Path
from lossless.injection.pure_sleep import slept
from lossless.model.drain.agent_config import AgentConfig, Probe, parse_agent_config
from lossless.model.drain.hold_path import parse_hold_path
from lossless.model.names import AGENT_CONTAINER, CONFIG_ENV, INJECTED_ANNOTATION
from lossless.model.policy import DrainPolicy
from lossless.model.targets import named_by

Raw = Mapping[str, Any]
# Defaults of core/v1 Probe; a pod at CREATE has them filled in, a template in a file may not.
_PERIOD: Final = 10
_TIMEOUT: Final = 1
_LOOPBACKS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def read_pod(raw: Raw) -> AdmissionPod:
    """Return the pod.

    Args:
        raw: as in an admission request, or ``metadata`` and ``spec`` of a template.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none that an API server would send.
    """
    spec = raw["spec"]
    host_network = bool(spec.get("hostNetwork"))
    annotations = raw["metadata"].get("annotations") or {}
    everything = [container for _, container in _containers(spec)]
    return AdmissionPod(
        containers=tuple(
            _serving(path, container, host_network=host_network)
            for path, container in _containers(spec)
            if _serves(path, container)
        ),
        volumes=tuple(map(_volume, spec.get("volumes") or ())),
        annotations=annotations,
        named=named_by(raw),
        host_network=host_network,
        shares_processes=bool(spec.get("shareProcessNamespace")),
        windows=is_windows(spec),
        grace=spec.get("terminationGracePeriodSeconds"),
        guaranteed=all(_is_guaranteed(one) for one in everything if not _is_agent(one)),
        has_budget=bool(spec.get("resources")),
        has_agent_name=any(map(_is_agent, everything)),
        before=_before(annotations, spec),
    )


def _containers(spec: Raw) -> Iterator[tuple[Path, Raw]]:
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield ("spec", kind, index), container


def _is_agent(container: Raw) -> bool:
    return bool(container.get("name") == AGENT_CONTAINER)


def _serves(path: Path, container: Raw) -> bool:
    """Return whether it runs while the pod serves, the agent apart.

    Plain init containers have ended before. A native sidecar is an init container with
    ``restartPolicy: Always`` (KEP-753).
    """
    runs = path[1] == "containers" or container.get("restartPolicy") == "Always"
    return runs and not _is_agent(container)


def _serving(path: Path, raw: Raw, *, host_network: bool) -> ServingContainer:
    ports = tuple(
        ContainerPort(str(port.get("name") or ""), int(port["containerPort"]))
        for port in raw.get("ports") or ()
        if (port.get("protocol") or "TCP") == "TCP"
    )
    hook = (raw.get("lifecycle") or {}).get("preStop") or {}
    return ServingContainer(
        name=str(raw.get("name", "")),
        path=path,
        image=str(raw.get("image") or ""),
        command=tuple(map(str, raw.get("command") or ())),
        args=tuple(map(str, raw.get("args") or ())),
        ports=ports,
        mounts=tuple(map(_mount, raw.get("volumeMounts") or ())),
        devices=tuple(str(one.get("devicePath", "")) for one in raw.get("volumeDevices") or ()),
        pre_stop=_handler(hook, ports, host_network=host_network),
        readiness=_readiness(raw.get("readinessProbe") or {}, ports, host_network=host_network),
        has_readiness_probe="readinessProbe" in raw,
    )


def _mount(raw: Raw) -> VolumeMount:
    return VolumeMount(
        name=str(raw.get("name") or ""),
        path=str(raw.get("mountPath") or ""),
        sub_path=str(raw.get("subPath") or ""),
        sub_path_expr=str(raw.get("subPathExpr") or ""),
    )


def _volume(raw: Raw) -> Volume:
    kind = next((str(key) for key in raw if key != "name"), "")
    return Volume(str(raw.get("name") or ""), kind)


def _handler(
    hook: Raw, ports: tuple[ContainerPort, ...], *, host_network: bool
) -> LifecycleHandler | None:
    if not hook:
        return None
    command = tuple((hook.get("exec") or {}).get("command") or ())
    if command:
        held, own = is_file_hold(command), own_command(command)
        seconds = None if held else slept(own)
        if seconds is not None:
            return SleepAction(seconds)
        return ExecAction(own, shell=command[0] if held else shell_of(own), held=held)
    if "sleep" in hook:
        return SleepAction(int((hook["sleep"] or {}).get("seconds") or 0))
    if "httpGet" not in hook:
        return OtherAction(min(hook))
    request = hook["httpGet"]
    path = str(request.get("path") or "")
    return HttpGetAction(
        host=str(request.get("host") or ""),
        elsewhere=_goes_elsewhere(request, host_network=host_network),
        scheme=str(request.get("scheme") or "HTTP").upper(),
        path=path,
        port=request.get("port"),
        number=_port_number(ports, request.get("port")),
        headers=tuple(
            (str(header.get("name")), str(header.get("value") or ""))
            for header in request.get("httpHeaders") or ()
        ),
        asks_for_hold=parse_hold_path(path) is not None,
    )


def _readiness(probe: Raw, ports: tuple[ContainerPort, ...], *, host_network: bool) -> Probe | None:
    for kind in ("httpGet", "tcpSocket", "grpc"):
        handler = probe.get(kind)
        if not handler or _goes_elsewhere(handler, host_network=host_network):
            continue
        port = _port_number(ports, handler.get("port"))
        if port is None:
            return None
        return Probe(
            port=port,
            period=float(probe.get("periodSeconds") or _PERIOD),
            timeout=float(probe.get("timeoutSeconds") or _TIMEOUT),
        )
    return None


def _goes_elsewhere(handler: Raw, *, host_network: bool) -> bool:
    """Return whether the kubelet sends a handler's request to somebody else than the pod.

    On the node's network the kubelet's loopback is the pod's, too.
    """
    host = str(handler.get("host") or "")
    return bool(host) and not (host_network and host in _LOOPBACKS)


def _port_number(ports: tuple[ContainerPort, ...], port: object) -> int | None:
    """Return the number of a handler's port, which may be a name; None if nobody declares it.

    A name is looked up in the handler's own container only, as the kubelet does
    (kubernetes pkg/probe/util.go, ResolveContainerPort).
    """
    if isinstance(port, str):
        declared = {one.name: one.number for one in ports}
        return int(port) if port.isdecimal() else declared.get(port)
    return port if isinstance(port, int) else None


def _is_guaranteed(container: Raw) -> bool:
    """Return whether limits and requests are equal; a request left out becomes the limit."""
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return all(
        limits.get(what) and requests.get(what, limits[what]) == limits[what]
        for what in ("cpu", "memory")
    )


def _before(annotations: Mapping[str, str], spec: Raw) -> AgentConfig | None:
    """Return what an earlier pass has told the agent; None if there was no earlier pass.

    Where that cannot be read, an agent would go by defaults, and so does this.
    """
    agents = [one for one in spec.get("initContainers") or () if _is_agent(one)]
    if INJECTED_ANNOTATION not in annotations or not agents:
        return None
    configs = (
        variable.get("value") or ""
        for container in agents
        for variable in container.get("env") or ()
        if variable.get("name") == CONFIG_ENV
    )
    try:
        return parse_agent_config(next(configs, ""))
    except ValueError:
        return AgentConfig(rollout="", ports=(), drain=DrainPolicy())
