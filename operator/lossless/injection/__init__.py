"""What is put into a pod at its creation: the agent, the holds, the gate; pure.

Belongs here: what a pod needs, what keeps an agent out of it, and the patch, as functions of the
pod and a spec. The webhook asks at admission; checks and ``kubectl lossless render`` ask at a
desk, so that both tell the truth. Forbidden here: I/O, clocks and servers.
"""
