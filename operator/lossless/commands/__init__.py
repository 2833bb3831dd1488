"""Commands that run once in a cluster and end: ``lossless release`` and ``lossless selftest``.

Belongs here: what gathers, decides and acts in one go, with exit codes. ``cluster`` stays I/O
without decisions, ``controller`` and ``webhook`` stay servers.
"""
