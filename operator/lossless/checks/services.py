"""Questions about the Services that lead to the pods."""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.istio import redirects
from lossless.checks.scraped_ports import scraped
from lossless.checks.service_ports import (
    is_for_peers,
    is_headless,
    publishes_not_ready,
    service_ports,
    tcp_targets,
)
from lossless.checks.setup import Raw, Setup, named
from lossless.checks.template import declared_names
from lossless.model.durations import format_duration

#: Seconds for which kubeadm's CoreDNS lets its answers be cached (``ttl 30`` in its Corefile).
DNS_TTL: Final = 30.0
#: Seconds that a health check of a load balancer needs at least to take a node or target out: two
#: failures, ten seconds apart, are the quicker end of what the clouds do by default.
HEALTH_CHECK: Final = 20.0


def _spec(service: Raw) -> Raw:
    return service.get("spec") or {}


def targets(setup: Setup) -> frozenset[int]:
    """Return the ports of the pods that Services lead to."""
    return frozenset(port.number for port in service_ports(setup))


def none(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a Service leads to the pods."""
    if setup.workload is not None and not setup.services and setup.live:
        yield Trouble(
            setup.target,
            "no Service selects its pods; if clients reach them in another way, nothing tells"
            " these that a pod is going",
            "make a Service with the template's labels as its selector, if they should use one",
        )


def not_counted(setup: Setup) -> Iterator[Trouble]:
    """Ask whether connections of clients through every Service port count.

    Those that Istio redirects count by another port (``mesh.istio_not_counted``). A scraper is no
    client that a pod should wait for, nor are the pods themselves.
    """
    counted = setup.counted
    if not counted:
        return
    listed = ", ".join(map(str, counted))
    aside = {*scraped(setup), setup.agent_port}
    for port in service_ports(setup):
        number = port.number
        counts = number in counted or number in aside or redirects(setup, number)
        if not counts and not is_for_peers(setup, port.service):
            yield Trouble(
                port.at,
                f"it leads to port {number}, which does not count (counted: {listed}): a pod"
                " stops while clients are connected through it",
                "add it to spec.ports, or declare it in the container if spec.ports is empty",
            )


def no_such_port(setup: Setup) -> Iterator[Trouble]:
    """Ask whether every named targetPort is declared."""
    declared = declared_names(setup)
    for service in setup.services:
        for _, shown, target in tcp_targets(service):
            if setup.containers and isinstance(target, str) and target not in declared:
                yield Trouble(
                    f"{named(service)} {shown}",
                    f"targetPort {target!r} is declared by no container, so it has no endpoints",
                    "name a port of the pod template, or use its number",
                )


def not_ready_addresses(setup: Setup) -> Iterator[Trouble]:
    """Ask whether pods get traffic before they are Ready."""
    for service in setup.services:
        if publishes_not_ready(service) and not is_for_peers(setup, service):
            yield Trouble(
                named(service),
                "publishNotReadyAddresses is true: pods get traffic before they are Ready, while"
                " their gate is shut and after they have drained",
                "take it away; for peers that must find each other early, make a second Service,"
                " headless, and leave this one to clients",
            )


def headless(setup: Setup) -> Iterator[Trouble]:
    """Ask whether clients that resolve pods by DNS hear in time that one is going."""
    if setup.valid is None:
        return
    propagation = setup.valid.drain.propagation
    for service in setup.services:
        late = is_headless(service) and propagation < DNS_TTL
        if late and not is_for_peers(setup, service):
            yield Trouble(
                named(service),
                "it is headless: clients may use a cached DNS answer for"
                f" {format_duration(DNS_TTL)} (CoreDNS), but spec.drain.propagation is"
                f" {format_duration(propagation)}",
                f"raise spec.drain.propagation to {format_duration(DNS_TTL)}, or to your clients'"
                " own DNS cache time if that is longer",
            )


def local_traffic(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a load balancer has time to leave a node without pods."""
    if setup.valid is None:
        return
    propagation = setup.valid.drain.propagation
    for service in setup.services:
        local = _spec(service).get("externalTrafficPolicy") == "Local"
        if local and propagation < HEALTH_CHECK:
            yield Trouble(
                named(service),
                "externalTrafficPolicy is Local: the load balancer learns by its health checks that"
                " a node has no pod left, which takes longer than spec.drain.propagation,"
                f" {format_duration(propagation)}",
                f"raise spec.drain.propagation to {format_duration(HEALTH_CHECK)}, or to interval"
                " times failures of your load balancer's check",
            )


def affinity(setup: Setup) -> Iterator[Trouble]:
    """Ask whether clients expect to come back to the same pod."""
    for service in setup.services:
        if _spec(service).get("sessionAffinity") == "ClientIP":
            yield Trouble(
                named(service),
                "sessionAffinity is ClientIP: clients of a replaced pod come to another one",
                "keep nothing in a pod that its clients need later",
            )
