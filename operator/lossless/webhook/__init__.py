"""Admission: answers the API server when pods and LosslessRollouts are created.

Belongs here: reading an AdmissionReview, answering over TLS with what ``injection`` decided, and
the certificate for it. Forbidden here: anything that could keep a pod from being created; what we
cannot do ends in a warning and an unchanged pod.
"""
