"""``lossless host``: the same drain, for machines without Kubernetes.

Belongs here: taking one host out of its load balancer, publishing, and putting it back. The drain
itself is the agent's (``lossless.agent.drain``), with the same evidence and the same words.
Forbidden here: the Kubernetes API; nothing imports this package but the command line.

Where to look: ``plan`` is the table of steps and what follows a crash, a failure or Ctrl-C;
``journal`` is what survives; ``publisher`` walks the plan; ``standing`` judges how a host stands.
"""
