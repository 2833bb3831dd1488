"""What the metrics of controller and webhook have in common: a registry, and who is speaking."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from lossless import __version__

#: As the agent spells it too, which has no such library.
BUILD: Final = "lossless_build"
BUILD_TEXT: Final = "1, with the version that runs."


def registry_of(component: str) -> CollectorRegistry:
    """Return the registry of a process, with its version, its CPU time and its memory in it.

    Args:
        component: ``controller`` or ``webhook``, as in the names of the Deployments.
    """
    # A gauge beside each counter, of its first moment: `process_start_time_seconds` says as much.
    disable_created_metrics()  # type: ignore[no-untyped-call] # their decorator has no types
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    Info(BUILD, BUILD_TEXT, registry=registry).info(
        {"component": component, "version": __version__}
    )
    return registry
