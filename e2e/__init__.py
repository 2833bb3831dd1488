"""End-to-end tests on a real cluster, and the tool that makes such a cluster.

The product is not installed in the virtual environment, only what it needs, so its source root
is put on the path here, before anything imports it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))
