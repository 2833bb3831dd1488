"""Which ports of the pods only Prometheus asks, by what names, annotations and monitors say.

A scraper keeps its connection, so a port of its own is better left out of the count
(docs/limits.md). Who leaves it out is told nothing; who counts it is.
"""

import re
from collections.abc import Iterator
from typing import Final

from lossless.checks.service_ports import ServicePort, declared_ports, service_ports
from lossless.checks.setup import Raw, Setup, annotations, labels, selects
from lossless.injection.admission_pod import ServingContainer

_NAME: Final = re.compile(
    r"(?:.*[-_.])?(?:metrics?|prom|prometheus|monitoring|monitor|telemetry|stats|scrape|exporter)"
    r"(?:[-_.].*)?"
)
_EXPORTER: Final = re.compile(r"(?:.*[-_.])?exporter(?:[-_.].*)?")
_PORT: Final = "prometheus.io/port"
_SCRAPE: Final = "prometheus.io/scrape"


def says_metrics(name: str) -> bool:
    """Return whether a name of a port or a Service says that it is for metrics."""
    return bool(_NAME.fullmatch(name))


def exports(container: ServingContainer) -> bool:
    """Return whether a container does nothing but tell metrics."""
    image = container.image.rpartition("/")[2].partition(":")[0]
    return any(_EXPORTER.fullmatch(name) for name in (container.name, image))


def named_for_metrics(setup: Setup) -> frozenset[int]:
    """Return the declared ports that their own name, or their container's, says it of."""
    return frozenset(
        port.number
        for container in setup.containers
        for port in container.ports
        if says_metrics(port.name) or exports(container)
    )


def scraped(setup: Setup) -> frozenset[int]:
    """Return the ports that anything says it of; clients may use some of them as well."""
    return frozenset((*named_for_metrics(setup), *_told(setup)))


def only_scraped(setup: Setup) -> frozenset[int]:
    """Return those of which nothing says that clients use them as well."""
    by_clients = {
        port.number for port in service_ports(setup) if not _is_for_metrics(port)
    } - _monitored_services(setup)
    sure = named_for_metrics(setup)
    # Without any Service for clients it is not known what they use.
    told = scraped(setup) if by_clients else sure
    return frozenset(number for number in told if number in sure or number not in by_clients)


def _is_for_metrics(port: ServicePort) -> bool:
    metadata = port.service.get("metadata") or {}
    component = labels(port.service).get("app.kubernetes.io/component", "")
    return any(map(says_metrics, (port.name, str(metadata.get("name") or ""), component)))


def _told(setup: Setup) -> Iterator[int]:
    for said in (annotations(setup.template), *map(annotations, setup.services)):
        number = said.get(_PORT, "")
        if said.get(_SCRAPE) != "false" and number.isascii() and number.isdecimal():
            yield from (int(number),) if len(number) < 6 else ()  # noqa: PLR2004 # digits of the highest port
    yield from (port.number for port in service_ports(setup) if _is_for_metrics(port))
    yield from _monitored_services(setup)
    declared = declared_ports(setup)
    for monitor in setup.monitors:
        spec = monitor.get("spec") or {}
        if monitor.get("kind") == "PodMonitor" and selects(
            spec.get("selector"), labels(setup.template)
        ):
            for endpoint in spec.get("podMetricsEndpoints") or ():
                yield from _numbers(endpoint, declared)


def _monitored_services(setup: Setup) -> set[int]:
    found = set()
    for monitor in setup.monitors:
        spec = monitor.get("spec") or {}
        if monitor.get("kind") != "ServiceMonitor":
            continue
        for port in service_ports(setup):
            if selects(spec.get("selector"), labels(port.service)) and any(
                port.name and endpoint.get("port") == port.name
                for endpoint in spec.get("endpoints") or ()
            ):
                found.add(port.number)
    return found


def _numbers(endpoint: Raw, declared: dict[str, int]) -> Iterator[int]:
    for key in ("port", "targetPort"):
        value = endpoint.get(key)
        if isinstance(value, int):
            yield value
        elif value in declared:
            yield declared[str(value)]
