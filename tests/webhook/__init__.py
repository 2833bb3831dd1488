"""Admission: pods in, pods out, and the server that carries them."""
