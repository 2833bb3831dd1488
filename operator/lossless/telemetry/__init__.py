"""Logs: one JSON object a line on standard output, whoever writes it; and what all metrics share.

Forbidden here: anything that knows Kubernetes, and metrics of one component, which live with it.
"""
