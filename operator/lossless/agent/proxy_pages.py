"""The counters of nginx and Envoy, parsed. No I/O."""

import re
from typing import Final

from lossless.agent.quantities import Quantity

#: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
_STUB_STATUS: Final = re.compile(
    r"Active connections: \d{1,12} *\r?\n"
    r"server accepts handled requests\r?\n"
    r" *\d{1,20} \d{1,20} \d{1,20} *\r?\n"
    r"Reading: (\d{1,12}) Writing: (\d{1,12}) Waiting: (\d{1,12})\s*",
    re.ASCII,
)
_GAUGE: Final = re.compile(
    r"http\.(?P<prefix>.+)\.downstream_(?P<kind>cx|rq)_active: (?P<value>\d{1,12})", re.ASCII
)
#: Not ``usedonly``: Envoy then leaves out a gauge until it was used, and so does a pod that never
#: had a request. The expression is ``^http\..*\.downstream_(cx|rq)_active$``.
ENVOY_STATISTICS: Final = (
    "/stats?filter=%5Ehttp%5C..%2A%5C.downstream_%28cx%7Crq%29_active%24&format=text"
)
#: The connection manager of the admin API, on which this very question is a request in flight.
_ADMIN: Final = "admin"


def parse_stub_status(text: str) -> Quantity:
    """Return how many requests nginx reads or answers, but for the one that asks.

    Raises:
        ValueError: not a ``stub_status`` page, or one that does not count itself.
    """
    found = _STUB_STATUS.fullmatch(text)
    if found is None:
        raise ValueError(f"not a stub_status page: {text!r:.80}")
    reading, writing, waiting = (int(number) for number in found.groups())
    if reading + writing < 1:
        raise ValueError("a stub_status page that does not count the request for itself")
    return Quantity(reading + writing - 1, f"idle connections: {waiting}")


def parse_envoy_stats(text: str) -> Quantity:
    """Return how many requests Envoy's HTTP listeners have, as told by ``ENVOY_STATISTICS``.

    Raises:
        ValueError: a line is not in the format, or no HTTP listener is there.
    """
    totals = {"cx": 0, "rq": 0}
    listeners = 0
    for line in text.splitlines():
        found = _GAUGE.fullmatch(line)
        if found is None:
            raise ValueError(f"not a line of Envoy's statistics: {line!r:.80}")
        if found["prefix"] != _ADMIN:
            totals[found["kind"]] += int(found["value"])
            listeners += found["kind"] == "rq"
    if not listeners:
        raise ValueError("Envoy has no HTTP listener, so it counts no requests")
    return Quantity(totals["rq"], f"connections: {totals['cx']}")
