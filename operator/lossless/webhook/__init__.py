"""Admission: puts the agent, the holds and the gate into pods as they are created.

Belongs here: reading an AdmissionReview, deciding what a pod needs (pure), answering over TLS, and
the certificate for it. Forbidden here: anything that could keep a pod from being created; what we
cannot do ends in a warning and an unchanged pod.
"""
