"""Kubernetes I/O without decisions: one client, its errors, list and watch.

Belongs here: requests, answers and streams, as raw JSON objects or what a caller's ``parse`` makes
of them. Forbidden here: what any of it means for a rollout.
"""
