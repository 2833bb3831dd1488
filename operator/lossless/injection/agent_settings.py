"""The agent's container as an administrator sets it for the whole installation."""

import re
from dataclasses import dataclass
from typing import Final

from lossless import __version__
from lossless.model.names import AGENT_UID

_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
#: k8s.io/apimachinery resource.Quantity, without signs and exponents: nobody needs them here.
_QUANTITY: Final = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|Ki|Mi|Gi)?", re.ASCII)
#: k8s.io/apimachinery pkg/util/validation, IsValidUserID and IsValidGroupID.
_HIGHEST_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The agent's container as the installation wants it."""

    image: str
    pull_policy: str = "IfNotPresent"
    cpu_request: str = "10m"
    cpu_limit: str = ""
    """Empty: none, so that a drain is never throttled."""
    cpu_guaranteed: str = "50m"
    """Request and limit in a pod of the QoS class Guaranteed, which must not lose it."""
    memory: str = "64Mi"
    """Request and limit alike: an agent that is evicted or killed for memory is a lost drain."""
    run_as_user: int | None = AGENT_UID
    """None: the platform gives one, as OpenShift does out of the namespace's range. Without one
    the agent would run as the user of its image, which is ``AGENT_UID`` too."""
    run_as_group: int | None = AGENT_UID
    """The same of its group."""
    version: str = __version__

    def __post_init__(self) -> None:
        """Refuse what the API server would refuse in every pod.

        Raises:
            ValueError: names the field, its value and the remedy.
        """
        if not self.image.strip():
            raise ValueError(f"agent image {self.image!r}: name the image of the agent")
        if self.pull_policy not in _PULL_POLICIES:
            raise ValueError(
                f"agent image pull policy {self.pull_policy!r}: use {', '.join(_PULL_POLICIES)}"
            )
        for field in ("cpu_request", "cpu_limit", "cpu_guaranteed", "memory"):
            value = getattr(self, field)
            if not _QUANTITY.fullmatch(value) and (value or field != "cpu_limit"):
                raise ValueError(f"agent {field} {value!r}: write a quantity, such as 50m or 64Mi")
        # It has runAsNonRoot, with which a kubelet starts nobody as user 0.
        for field, least in (("run_as_user", 1), ("run_as_group", 0)):
            number = getattr(self, field)
            if number is not None and not least <= number <= _HIGHEST_ID:
                raise ValueError(
                    f"agent {field} {number}: must be from {least} to {_HIGHEST_ID}, or nothing, to"
                    " leave it to the platform"
                )
