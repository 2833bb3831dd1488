"""Lossless: a pod may stop only when there is evidence that no client can notice.

Where to find what:

* ``model``: pure. Names, the spec, the drain report, evidence, decisions. Start reading here.
* ``agent``: the sidecar in every protected pod: counts connections, holds the kubelet.
* ``webhook``: admission: puts the agent and the holds into pods as they are created.
* ``cluster``: Kubernetes I/O without decisions.
* ``middleware``: for the user's Python application: close frames without a proxy.
* ``nginx``: prints the close-frame snippet, checks configurations.
* ``controller``: watches ``LosslessRollout`` objects, opens gates, writes status.
* ``telemetry``: logs and metrics.
"""

__version__ = "0.1.0"
