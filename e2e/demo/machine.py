"""On what the demo is carried out."""

import json
import os
import platform
from datetime import UTC, datetime

from e2e.demo.page import Made
from e2e.support.testbed import Testbed
from lossless import __version__


def made_on(testbed: Testbed) -> Made:
    """Return the date, the versions, and what the machine is."""
    versions = json.loads(testbed.kubectl("version", "--output=json"))
    nodes = testbed.kubectl("get", "nodes", "--output=name").split()
    facts = (
        ("Lossless", __version__),
        ("Kubernetes", str(versions["serverVersion"]["gitVersion"])),
        ("Nodes", str(len(nodes))),
        ("Python of the client", platform.python_version()),
        ("Kernel", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Cores, for clients and cluster together", str(os.cpu_count() or "unknown")),
    )
    return Made(datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), facts)
