"""Questions about what counts that need not: metrics ports, and containers that only help."""

from collections.abc import Iterator

from lossless.checks.finding import Trouble
from lossless.checks.scraped_ports import exports, only_scraped, says_metrics
from lossless.checks.service_ports import service_ports
from lossless.checks.setup import Setup
from lossless.injection.admission_pod import ServingContainer
from lossless.injection.containers import main_containers


def metrics_port(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a scraper's connection may hold drains."""
    if setup.valid is None:
        return
    aside = only_scraped(setup)
    held_by = sorted(set(setup.counted) & aside)
    others = [number for number in setup.counted if number not in aside]
    if held_by and others:
        listed = ", ".join(map(str, held_by))
        yield Trouble(
            f"{setup.name} spec.ports",
            f"{listed} counts and is for metrics: a scraper that keeps its connection and asks more"
            " often than spec.drain.clientIdleTimeout holds every drain until its timeout",
            f"name the ports that serve clients alone: spec.ports: [{_named(setup, others)}]",
        )


def no_barrier(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a container that only helps another one stops together with it.

    Whoever declares a port that counts is taken for one that serves clients.
    """
    if setup.valid is None or setup.valid.ports or setup.valid.sidecars.sleeps:
        return
    main = main_containers(setup.containers, setup.counted)
    if len(main) < 2 or not any(_numbers(container) for container in main):  # noqa: PLR2004 # alone nobody waits
        return
    led_to = {port.number for port in service_ports(setup)}
    aside = only_scraped(setup)
    helping = [
        container
        for container in main
        if not (_numbers(container) & led_to if led_to else False)
        and not _numbers(container) <= aside
        and not exports(container)
    ]
    serving = [container for container in main if _numbers(container) & led_to] if led_to else main
    if not helping or (led_to and not serving) or (not led_to and len(helping) < 2):  # noqa: PLR2004 # the same
        return
    names = ", ".join(container.name for container in main)
    kept = sorted(
        {number for container in serving for number in _numbers(container)} & {*setup.counted}
    )
    yield Trouble(
        f"{setup.target} template",
        f"containers {names} all declare ports and spec.ports is empty, so all are taken for"
        " serving clients and stop together: one that only helps another, such as a database's"
        " proxy, goes while that one still ends its work",
        (
            f"name the ports that serve clients: spec.ports: [{_named(setup, kept)}]"
            if led_to
            else "name the ports that serve clients in spec.ports"
        ),
    )


def _numbers(container: ServingContainer) -> set[int]:
    return {port.number for port in container.ports}


def _named(setup: Setup, numbers: list[int]) -> str:
    """Return ports as people would name them: by their names where they have one."""
    names = {
        port.number: port.name
        for container in setup.containers
        for port in container.ports
        if port.name and not says_metrics(port.name)
    }
    return ", ".join(names.get(number, str(number)) for number in numbers)
