"""Kubernetes I/O, against a server that misbehaves as told."""
