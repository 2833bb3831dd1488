"""Machines without Kubernetes: a rolling publish loses nothing, and waits only as it must."""

import os
import shutil

import pytest

from e2e.hosts.machines import Times
from e2e.hosts.network import HOSTS
from e2e.hosts.story import machines, table, tell, verdict
from e2e.hosts.ways import WAYS

_MISSING = [program for program in ("ip", "haproxy", "nginx") if shutil.which(program) is None]


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
@pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")
def test_a_rolling_publish_on_three_hosts_loses_nothing() -> None:
    """Naively it loses some in the same minute; with the seed's sleeps it takes longer."""
    times = Times()
    with machines(times) as made:
        results = [tell(made, way, times) for way in WAYS]

    shown = table(results)
    good, words = verdict(results)
    assert good, f"{words}\n{shown}"
    for result in results:
        served = {name for name in result.report.pods if name}
        assert served == {place.name for place in HOSTS}, f"{result.way}: {served}\n{shown}"
