"""``spec.sidecars``: how the pod's other containers outlive the ones that serve.

*Main* is a container (of ``spec.containers``) that declares a port that counts; if none does, the
pod's first one. Every other one is a plain sidecar. A native sidecar is neither: the kubelet stops
it after all of them by itself (KEP-753), whatever order is set here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Seconds; bounds of ``spec.sidecars.sleep`` (lowest, highest), the same in the CRD.
SLEEP_BOUNDS: Final = (1.0, 3600.0)
#: Seconds; what ``sleep`` is if it is not said. The CRD cannot default it, or no rule could tell
#: that it was given where it means nothing.
DEFAULT_SLEEP: Final = 100.0


class SidecarOrder(StrEnum):
    """When plain sidecars stop."""

    BARRIER = "Barrier"
    """As soon as the main containers have ended."""
    SLEEP = "Sleep"
    """After a fixed time, which depends on nothing."""


@dataclass(frozen=True, slots=True)
class SidecarPolicy:
    """``spec.sidecars``."""

    order: SidecarOrder = SidecarOrder.BARRIER
    sleep: float = DEFAULT_SLEEP
    """Seconds; means nothing under ``Barrier``."""

    @property
    def sleeps(self) -> bool:
        """Whether plain sidecars only sleep."""
        return self.order is SidecarOrder.SLEEP
