"""Logs, one JSON object a line on standard output; and what the metrics and probes share.

Forbidden here: anything that knows Kubernetes, and metrics of one component, which live with it.
"""
