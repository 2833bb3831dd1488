"""Every fault, when it strikes, and what a rollout under it may be like."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from e2e.faults import of_cluster, of_product, starvation
from e2e.faults.scene import CONNECTIONS, Scene
from e2e.faults.table import Loss
from lossless.model.status import RolloutPhase

#: Seconds that the last container takes to end when the others have, so that there is a time after
#: the drain and before the pod's end.
_LATE: Final = 8
_LATE_PROGRAM: Final = f"""\
import signal, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep({_LATE}), exit()))
while True: signal.pause()
"""
_LATE_CONTAINER: Final[Mapping[str, Any]] = {"late": {"command": ["python3", "-c", _LATE_PROGRAM]}}


class Moment(StrEnum):
    """When a fault strikes."""

    BEFORE = "before the rollout"
    DURING = "in mid-drain"
    """One pod drains and has a request in flight, and the next one is held."""
    AFTER = "after a drain"
    """A pod has drained, and has not ended yet."""


def _nothing(_: Scene) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and the promise under it."""

    key: str
    """For the command line and for the names of namespaces."""
    name: str
    moment: Moment
    strike: Callable[[Scene], AbstractContextManager[None]]
    """The fault is there within, or has passed when it is entered."""
    loses: Loss | None = None
    """What may be lost; None: nothing."""
    leaves: frozenset[RolloutPhase] = frozenset({RolloutPhase.READY})
    """Phases in which a LosslessRollout may be when all is over."""
    prepare: Callable[[Scene], None] = _nothing
    """Done before the rollout begins."""
    service: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the sample."""
    quick: bool = False
    """Whether ``make test`` runs it."""
    confined: bool = False
    """Whether it strikes pods of its own service only, and nobody else notices."""


_BROKEN_HOLD: Final = Loss(
    "the kubelet takes a broken preStop hook for an answer, and no sidecar is started again in a"
    " pod that stops (KEP-4438)",
    # The long request on that pod (seen: 1), and clients that have not left it yet.
    at_most=3,
)
#: A plain rollout of the same three pods has lost up to some 70, and never each client on each pod.
_AS_IF_PLAIN: Final = Loss(
    "a pod whose agent does not run when it is asked to stop has nobody to hold it",
    at_most=3 * CONNECTIONS,
)
#: One request of each client (seen: 4 in all).
_LOST_NODE: Final = Loss(
    "its pods are gone with it, and Services lead there until Kubernetes misses the node",
    at_most=CONNECTIONS,
)

FAULTS: Final = (
    Fault("leader", "kill -9 of the leader", Moment.DURING, of_product.leader_killed, quick=True),
    Fault("standby", "kill -9 of the standby", Moment.DURING, of_product.standby_killed),
    Fault(
        "webhook",
        "kill -9 of all webhooks",
        Moment.BEFORE,
        of_product.webhooks_killed,
        leaves=frozenset({RolloutPhase.READY, RolloutPhase.NOT_INJECTED}),
        quick=True,
    ),
    Fault(
        "agent-before",
        "kill -9 of every agent",
        Moment.BEFORE,
        of_product.agents_killed,
        confined=True,
    ),
    Fault(
        "agent-during",
        "kill -9 of the agent",
        Moment.DURING,
        of_product.draining_agent_killed,
        loses=_BROKEN_HOLD,
        quick=True,
        confined=True,
    ),
    Fault(
        "agent-after",
        "kill -9 of the agent",
        Moment.AFTER,
        of_product.draining_agent_killed,
        service={"containers": _LATE_CONTAINER},
        confined=True,
    ),
    Fault(
        "agent-crashing",
        "every agent in back-off",
        Moment.BEFORE,
        of_product.agents_crashing,
        loses=_AS_IF_PLAIN,
        confined=True,
    ),
    Fault(
        "cut-off",
        "leader cut off from the API server",
        Moment.DURING,
        of_product.leader_cut_off,
        quick=True,
    ),
    Fault("watches", "watches cut, then 410 Gone", Moment.DURING, of_product.watches_expired),
    Fault("expired", "certificate expired", Moment.DURING, of_product.certificate_expired),
    Fault("secret", "certificate's Secret deleted", Moment.DURING, of_product.certificate_gone),
    Fault(
        "full",
        "the agent's volumes are full",
        Moment.BEFORE,
        of_product.volumes_full,
        quick=True,
        confined=True,
    ),
    Fault("kubelet", "kubelets restarted", Moment.DURING, of_cluster.kubelets_restarted),
    Fault(
        "apiserver",
        "API server restarted",
        Moment.DURING,
        of_cluster.apiserver_restarted,
        quick=True,
    ),
    Fault("slow", "API server slow", Moment.DURING, of_cluster.apiserver_slow),
    Fault(
        "throttled",
        "429 for the controllers, 20 s",
        Moment.DURING,
        starvation.controller_throttled,
    ),
    Fault("etcd", "etcd stands still for 20 s", Moment.DURING, of_cluster.etcd_frozen),
    Fault(
        "node",
        "node lost",
        Moment.DURING,
        of_cluster.node_lost,
        loses=_LOST_NODE,
        # Until the node is missed, every other review is sent to a webhook that is not there.
        leaves=frozenset({RolloutPhase.READY, RolloutPhase.NOT_INJECTED}),
        prepare=of_cluster.prefer_another_node,
    ),
)
