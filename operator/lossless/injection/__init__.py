"""What is put into a pod at its creation: the agent, the holds, the gate; pure.

A pod is read once (``reading``), decided about (``protection``, which asks the others) and written
in one place (``writing``). What decides takes an ``AdmissionPod`` and says what is wanted; of the
object itself it knows nothing. The webhook asks at admission; checks and ``kubectl lossless
render`` ask at a desk, so that both tell the truth. Forbidden here: I/O, clocks and servers.
"""
