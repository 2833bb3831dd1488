"""What an administrator sets of the webhook."""

from dataclasses import dataclass
from typing import Final

from lossless.injection.agent_settings import AgentSettings
from lossless.model.scope import WHOLE_CLUSTER, Scope

_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Everything ``lossless webhook`` is started with."""

    namespace: str
    """Of the installation: of the Lease, the Secret and the Service."""
    agent: AgentSettings
    scope: Scope = WHOLE_CLUSTER
    """Whose LosslessRollouts are served."""
    port: int = 9443
    """Admission, over TLS; 0 for any that is free."""
    http_port: int = 8080
    """``/metrics``, ``/healthz`` and ``/readyz``, in the clear; 0 for any that is free."""
    host: str | None = None
    """Address to listen on; None: all, IPv4 and IPv6."""
    kubeconfig: str | None = None
    """None: the service account of the pod."""
    lease_tolerance: float = 5.0
    """Seconds beyond its own duration that a Lease counts as fresh."""
    external_certificate: bool = False
    """Somebody else, such as cert-manager, keeps the Secret with the certificate."""
    certificate_interval: float = 60.0
    """Seconds between two looks at the Secret with the certificate."""
    linger: float = 5.0
    """Seconds between the order to stop and the end, in which connections are told to close."""

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: names the field, its value and the remedy.
        """
        if not self.namespace:
            raise ValueError("namespace '': name the namespace of the installation")
        self.scope.check_installed_in(self.namespace)
        for field, value in (("port", self.port), ("http port", self.http_port)):
            if not 0 <= value <= _HIGHEST_PORT:
                raise ValueError(f"{field} {value}: must be from 0 to {_HIGHEST_PORT}")
        for field, seconds in (
            ("lease tolerance", self.lease_tolerance),
            ("certificate interval", self.certificate_interval),
            ("linger", self.linger),
        ):
            if not 0 <= seconds <= 600:  # noqa: PLR2004 # ten minutes is a typing error
                raise ValueError(f"{field} {seconds}: must be from 0 to 600 seconds")
