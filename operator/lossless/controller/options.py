"""What an administrator sets of the controller."""

from dataclasses import dataclass
from typing import Final

from lossless.cluster.reports import TIMEOUT
from lossless.model.names import AGENT_PORT
from lossless.model.scope import WHOLE_CLUSTER, Scope

_HIGHEST_PORT: Final = 65535
_FAILURE_POLICIES: Final = ("Ignore", "Fail")


@dataclass(frozen=True, slots=True)
class ElectionTiming:
    """Seconds that rule the election; the field's usual proportions (client-go leaderelection)."""

    duration: int = 15
    """For so long after a renewal nobody else takes the Lease."""
    renew: float = 10.0
    """Who could not renew for so long stops leading, well before another may begin."""
    retry: float = 2.0
    """Between two attempts, to renew as to acquire."""

    def __post_init__(self) -> None:
        """Refuse what would let two lead at once.

        Raises:
            ValueError: names the values and the remedy.
        """
        if not 0 < self.retry < self.renew < self.duration:
            raise ValueError(
                f"election: retry {self.retry}, renew {self.renew}, duration {self.duration}:"
                " must be each shorter than the next"
            )


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """Everything ``lossless controller`` is started with."""

    namespace: str
    """Of the installation: of the Lease, the Secret and the webhook's Service."""
    identity: str
    """Of this process in the election and in Events: the name of its pod."""
    scope: Scope = WHOLE_CLUSTER
    """Whose LosslessRollouts are served."""
    kubeconfig: str | None = None
    """None: the service account of the pod."""
    http_port: int = 8080
    """``/metrics``, ``/healthz`` and ``/readyz``; 0 for any that is free."""
    host: str | None = None
    """Address to listen on; None: all, IPv4 and IPv6."""
    workers: int = 8
    """LosslessRollouts that are looked at at the same time."""
    resync: float = 45.0
    """Seconds between two full looks at everything."""
    failure_policy: str = "Ignore"
    """Of the webhook: what becomes of a pod if nobody answers."""
    external_certificate: bool = False
    """Somebody else, such as cert-manager, keeps ``caBundle`` once it is there."""
    agent_port: int = AGENT_PORT
    agent_timeout: float = TIMEOUT
    """Seconds for an agent's answer."""
    election: ElectionTiming = ElectionTiming()

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: names the field, its value and the remedy.
        """
        for field in ("namespace", "identity"):
            if not getattr(self, field):
                raise ValueError(f"{field} '': must not be empty")
        self.scope.check_installed_in(self.namespace)
        if not 0 <= self.http_port <= _HIGHEST_PORT:
            raise ValueError(f"http port {self.http_port}: must be from 0 to {_HIGHEST_PORT}")
        if self.workers < 1:
            raise ValueError(f"workers {self.workers}: must be at least 1")
        if not 1 <= self.resync <= 600:  # noqa: PLR2004 # ten minutes without a look is a typing error
            raise ValueError(f"resync {self.resync}: must be from 1 to 600 seconds")
        if self.failure_policy not in _FAILURE_POLICIES:
            raise ValueError(
                f"failure policy {self.failure_policy!r}: use {' or '.join(_FAILURE_POLICIES)}"
            )
