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
        numbers = first.isdecimal() and (not last or last.isdecimal())
        if numbers and int(first) <= port <= int(last or first):
            return True
    return False


def _injects(setup: Setup) -> bool:
    template = setup.template
    own = labels(template).get(_INJECT) or annotations(template).get(_INJECT)
    if own is not None:
        return own == "true"
    return labels(setup.namespace or {}).get("istio-injection") == "enabled" or (
        "istio.io/rev" in labels(setup.namespace or {})
    )
