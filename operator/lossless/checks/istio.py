"""What Istio does to a pod's connections, by what the template and its namespace say.

Its annotations: https://istio.io/latest/docs/reference/config/annotations/. What is set for a whole
mesh is not seen.
"""

from typing import Final

from lossless.checks.setup import Setup, annotations, labels

#: Where the rule ``REDIRECT --to-ports 15006`` of Istio's iptables leads whoever comes in
#: (``istio-iptables -z``): the local port of each socket that Envoy accepts.
INBOUND: Final = 15006
EXCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_INCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/includeInboundPorts"
_INJECT: Final = "sidecar.istio.io/inject"
_INJECTION: Final = "istio-injection"
#: Of a namespace, and of a pod in one that has neither label.
_REVISION: Final = "istio.io/rev"
_DATA_PLANE: Final = "istio.io/dataplane-mode"
_MODE: Final = "sidecar.istio.io/interceptionMode"


def takes_over(setup: Setup, port: int) -> bool:
    """Return whether connections to ``port`` of the pod end in Istio's Envoy.

    Not for pods on their node's network: Istio leaves those alone.
    """
    if setup.workload is None or setup.on_host_network or not _injects(setup):
        return False
    said = annotations(setup.template)
    included = said.get(_INCLUDE_INBOUND, "*")
    return (
        said.get(_MODE) != "NONE"
        and not lists(said.get(EXCLUDE_INBOUND, ""), port)
        and (included == "*" or lists(included, port))
    )


def redirects(setup: Setup, port: int) -> bool:
    """Return whether the kernel shows connections to ``port`` as ones to ``INBOUND``.

    ``TPROXY``, the other way of interception, leaves a socket the port that its client chose.
    """
    return takes_over(setup, port) and annotations(setup.template).get(_MODE) != "TPROXY"


def lists(text: str, port: int) -> bool:
    """Return whether an annotation's list of ports and ranges holds ``port``."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        numbers = _is_port(first) and (not last or _is_port(last))
        if numbers and int(first) <= port <= int(last or first):
            return True
    return False


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) < 6  # noqa: PLR2004 # digits of the highest port


def _injects(setup: Setup) -> bool:
    template = setup.template
    own = labels(template).get(_INJECT) or annotations(template).get(_INJECT)
    if own is not None:
        return own == "true"
    around = labels(setup.namespace or {})
    if _INJECTION in around:
        # Then revisions mean nothing (istio-sidecar-injector's webhooks, by their selectors).
        return around[_INJECTION] == "enabled"
    return _REVISION in around or _REVISION in labels(template)


def is_ambient(setup: Setup) -> bool:
    """Return whether ztunnel takes over the pods' connections, as far as labels say it."""
    if setup.workload is None or setup.on_host_network:
        return False
    own = labels(setup.template).get(_DATA_PLANE)
    mode = own or labels(setup.namespace or {}).get(_DATA_PLANE)
    return mode == "ambient" and not _injects(setup)
