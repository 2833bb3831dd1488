"""Clients in Python; they run in an environment of their own, ``requirements/proof.txt``."""
