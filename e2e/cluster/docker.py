"""Whether a Docker engine is there; the command alone proves nothing."""

from __future__ import annotations

from e2e.cluster.command import succeeds


def engine_answers() -> bool:
    """Whether a Docker engine answers, not only its client program.

    `docker info` ends with status 0 without an engine in old releases when a format is given that
    needs none; the server's version is what only an engine knows.
    """
    return succeeds(["docker", "version", "--format={{.Server.Version}}"], timeout=15)
