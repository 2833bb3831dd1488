"""The native sidecar in each of the user's pods: counts, holds, and says when the pod may stop.

Belongs here: everything that runs in the user's pod. It may import the standard library, h11
and ``lossless.model``, nothing else, because each megabyte is paid for in every pod.
Forbidden here: the Kubernetes API; the agent has no token and knows only its own pod.

Where to look: ``drain`` is the life of one pod; ``sockets`` and ``ledger`` are its evidence
(judged by ``lossless.model.drain``); ``server`` and ``routes`` are what the kubelet's hooks talk
to; ``control`` and ``start_drain`` are the only way to start a drain; ``closing`` tells clients to
leave, and ``counting`` asks what proxies and applications count.
"""
