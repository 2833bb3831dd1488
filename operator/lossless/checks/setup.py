"""What the checks look at: one LosslessRollout and the objects around it, raw, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lossless.checks.known_objects import template_of
from lossless.injection.admission_pod import AdmissionPod, ServingContainer
from lossless.injection.agent_settings import AgentSettings
from lossless.injection.containers import counted_ports
from lossless.injection.patching import value_at
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.protection import Protection, problems_of, protect
from lossless.injection.reading import read_pod
from lossless.model.fields import InvalidSpec
from lossless.model.names import AGENT_PORT, KIND
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.model.rollout.strategy import DEFAULT, Strategy
from lossless.model.targets import Kind, Target

Raw = Mapping[str, Any]


def named(raw: Raw) -> str:
    """Return ``Kind namespace/name``, as findings name objects."""
    return f"{raw.get('kind', '')} {qualified(raw)}"


def qualified(raw: Raw) -> str:
    """Return ``namespace/name``; a manifest may leave the namespace to kubectl."""
    metadata = raw.get("metadata") or {}
    return "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))


def annotations(raw: Raw) -> Mapping[str, str]:
    """Return the annotations of an object or a template."""
    return (raw.get("metadata") or {}).get("annotations") or {}


def labels(raw: Raw) -> Mapping[str, str]:
    """Return the labels of an object or a template."""
    return (raw.get("metadata") or {}).get("labels") or {}


def selects(selector: Raw | None, of: Mapping[str, str]) -> bool:
    """Return whether a ``metav1.LabelSelector`` matches labels; an empty one matches all."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(of.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(rule, of) for rule in selector.get("matchExpressions") or ())


def _holds(rule: Raw, of: Mapping[str, str]) -> bool:
    key, values = rule.get("key", ""), rule.get("values") or ()
    match rule.get("operator"):
        case "In":
            return of.get(key) in values
        case "NotIn":
            return of.get(key) not in values
        case "Exists":
            return key in of
        case "DoesNotExist":
            return key not in of
        case _:
            return False


def _fewest(autoscaler: Raw) -> int:
    """Return the fewest pods that an autoscaler keeps while there is something to do.

    KEDA takes the last one away as well when there is not.
    """
    spec = autoscaler.get("spec") or {}
    return int(spec.get("minReplicas") or spec.get("minReplicaCount") or 1)


@dataclass(frozen=True)
class Setup:
    """One LosslessRollout's surroundings."""

    rollout: Raw
    workload: Raw | None = None
    """None: there is none of that name."""
    rivals: tuple[Raw, ...] = ()
    """Other LosslessRollouts for the same workload."""
    services: tuple[Raw, ...] = ()
    """That select its pods."""
    ingresses: tuple[Raw, ...] = ()
    """That lead to those Services."""
    budgets: tuple[Raw, ...] | None = ()
    """PodDisruptionBudgets that select its pods; None: nobody could see."""
    policies: tuple[Raw, ...] = ()
    """NetworkPolicies that select its pods."""
    autoscaler: Raw | None = None
    """The HorizontalPodAutoscaler or ScaledObject (KEDA) of the workload, if one was seen."""
    monitors: tuple[Raw, ...] = ()
    """ServiceMonitors and PodMonitors (Prometheus operator) of its namespace that were seen."""
    config_maps: Mapping[str, Raw] = field(default_factory=dict)
    """By name: those of its namespace that were seen."""
    namespace: Raw | None = None
    """The Namespace object; None: not seen."""
    live: bool = True
    """Read from a cluster; else from files, where what is not there may still exist."""

    @cached_property
    def spec(self) -> RolloutSpec | InvalidSpec:
        """What the LosslessRollout asks for."""
        try:
            return parse_spec(self.rollout.get("spec") or {})
        except InvalidSpec as invalid:
            return invalid

    @property
    def valid(self) -> RolloutSpec | None:
        """The spec, if it can be acted on."""
        return self.spec if isinstance(self.spec, RolloutSpec) else None

    @property
    def name(self) -> str:
        """The LosslessRollout, as findings name it."""
        return f"{KIND} {qualified(self.rollout)}"

    @property
    def target(self) -> str:
        """The workload, as findings name it."""
        metadata = self.rollout.get("metadata") or {}
        if self.is_for_pods:
            return Target(Kind.POD, str(metadata.get("name", ""))).pods
        name = "/".join(filter(None, (metadata.get("namespace"), self.workload_name)))
        return f"{self._reference.get('kind', Kind.DEPLOYMENT)} {name}"

    @property
    def workload_name(self) -> str:
        """The workload's name, without kind and namespace; empty for pods by their label."""
        return str(self._reference.get("name", ""))

    @property
    def is_for_pods(self) -> bool:
        """Whether it is for pods by their label, whoever makes them: of no workload, then."""
        return self._reference.get("kind") == Kind.POD

    @property
    def _reference(self) -> Raw:
        return (self.rollout.get("spec") or {}).get("targetRef") or {}

    @property
    def workload_spec(self) -> Raw:
        """``spec`` of the workload; empty if there is none."""
        return (self.workload or {}).get("spec") or {}

    @property
    def template(self) -> Raw:
        """The pod template; empty if there is none."""
        return template_of(self.workload or {})

    @cached_property
    def pod(self) -> AdmissionPod:
        """The pod that the template asks for, as the webhook would read it."""
        return read_pod({"metadata": self.template.get("metadata") or {}, "spec": self.pod_spec})

    @property
    def pod_spec(self) -> Raw:
        """``spec`` of the template; empty if there is none."""
        return self.template.get("spec") or {}

    @property
    def containers(self) -> tuple[ServingContainer, ...]:
        """Those that serve; none if there is no template."""
        return self.pod.containers

    def raw_of(self, container: ServingContainer) -> Raw:
        """Return a container as the template has it, for what admission does not go by."""
        found: Raw = value_at({"spec": self.pod_spec}, container.path)
        return found

    @property
    def counted(self) -> tuple[int, ...]:
        """The ports whose connections count; empty: all that something listens on."""
        return counted_ports(self.valid.ports, self.containers)[0] if self.valid else ()

    @cached_property
    def protection(self) -> Protection | Problem | None:
        """What the webhook would decide of a pod of the template; None: it could not be asked."""
        if self.valid is None or not self.containers:
            return None
        name = (self.rollout.get("metadata") or {}).get("name", "")
        gate = self.valid.target.kind.gated
        return protect(self.pod, name, self.valid, AgentSettings(image="agent"), gate=gate)

    @cached_property
    def all_problems(self) -> tuple[Problem, ...]:
        """What stands against the protection of such a pod."""
        return () if self.protection is None else problems_of(self.protection)

    def problems(self, *kinds: ProblemKind) -> tuple[Problem, ...]:
        """Return those of these kinds."""
        return tuple(problem for problem in self.all_problems if problem.kind in kinds)

    @property
    def on_host_network(self) -> bool:
        """Whether its pods are on their nodes' network."""
        return self.pod.host_network

    @property
    def agent_port(self) -> int:
        """The port that agents of its pods listen on."""
        found = self.protection
        return found.config.agent_port if isinstance(found, Protection) else AGENT_PORT

    @property
    def replicas(self) -> int | None:
        """Pods that are asked for; None: only the cluster's nodes or another controller know.

        What a manifest says an autoscaler changes; in a cluster it has done so.
        """
        value = self.workload_spec.get("replicas")
        if self.autoscaler is not None and (value is None or not self.live):
            return _fewest(self.autoscaler)
        if value is None and (self.is_for_pods or self._reference.get("kind") == Kind.DAEMON_SET):
            return None
        return 1 if value is None else int(value)

    @property
    def is_deployment(self) -> bool:
        """Whether the workload is there and is a Deployment."""
        kind = self._reference.get("kind", Kind.DEPLOYMENT)
        return self.workload is not None and kind == Kind.DEPLOYMENT

    @property
    def strategy(self) -> Strategy:
        """How far the Deployment lets itself go below its replicas."""
        strategy = self.workload_spec.get("strategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        return Strategy(
            recreate=strategy.get("type") == "Recreate",
            max_surge=rolling.get("maxSurge", DEFAULT),
            max_unavailable=rolling.get("maxUnavailable", DEFAULT),
        )
