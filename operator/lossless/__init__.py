"""Lossless: a pod may stop only when there is evidence that no client can notice.

Where to find what:

* ``model``: pure. Names, the spec, the report; ``model.drain``: one pod; ``model.rollout``: one
  workload. Start reading here.
* ``injection``: pure. What is put into a pod at its creation.
* ``agent``: the sidecar in every protected pod: counts connections, holds the kubelet.
* ``webhook``: admission: reads reviews, answers with what ``injection`` decided.
* ``cluster``: Kubernetes I/O without decisions.
* ``controller``: watches ``LosslessRollout`` objects, opens gates, writes status.
* ``commands``: what runs once and ends: ``release``, ``selftest``.
* ``middleware``: for the user's Python application: close frames without a proxy.
* ``nginx``: prints the close-frame snippet, checks configurations.
* ``checks``: pure. What can be wrong with a set-up.
* ``plugin``: ``kubectl lossless``, what a person at a terminal sees and may do.
* ``host``: the agent's drain on machines without Kubernetes.
* ``telemetry``: logs and metrics.
"""

__version__ = "0.1.0"
