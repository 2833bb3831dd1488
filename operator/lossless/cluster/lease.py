"""The Lease that says who leads, read and written with optimistic locking.

``kubernetes.aio.leaderelection`` was read and is not used. It writes ``renewTime`` in local time
and calls it UTC (the webhook judges freshness by it); an API server that cannot be reached ends it
with an exception instead of a retry; a request that hangs outlasts its renew deadline; it never
releases, so every restart costs a whole lease duration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import AlreadyExistsError, ConflictError, NotFoundError
from lossless.cluster.objects import metadata_of
from lossless.cluster.timestamps import format_micro_time

LEASES_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Lease:
    """``coordination.k8s.io/v1`` Lease."""

    holder: str
    """``holderIdentity``; empty: released."""
    duration: int
    """``leaseDurationSeconds`` for which it holds after a renewal; 0 if it says nothing usable."""
    renewed: str
    """``renewTime`` as text, to be compared with itself: clocks differ."""
    acquired: str
    transitions: int
    version: str
    """``metadata.resourceVersion``."""

    @classmethod
    def parse(cls, raw: Raw) -> Self:
        """Return the Lease; what is missing or of the wrong kind is empty, or 0."""
        spec = raw.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        return cls(
            holder=str(spec.get("holderIdentity") or ""),
            duration=_count(spec.get("leaseDurationSeconds")),
            renewed=str(spec.get("renewTime") or ""),
            acquired=str(spec.get("acquireTime") or ""),
            transitions=_count(spec.get("leaseTransitions")),
            version=str(metadata_of(raw).get("resourceVersion") or ""),
        )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return max(0, value)


class LeaseStore:
    """One Lease object."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        """Name it; nothing is sent yet."""
        self._client = client
        self._namespace = namespace
        self._name = name
        self._collection = resource_path(LEASES_VERSION, "leases", namespace=namespace)
        self._path = resource_path(LEASES_VERSION, "leases", namespace=namespace, name=name)

    async def read(self) -> Lease | None:
        """Return the Lease as it is, or None if there is none.

        Raises:
            ApiError: refused or unanswered.
        """
        try:
            return Lease.parse(await self._client.get(self._path))
        except NotFoundError:
            return None

    async def take(
        self, seen: Lease | None, holder: str, duration: int, now: float
    ) -> Lease | None:
        """Make ``holder`` the holder, unless the Lease has changed since it was ``seen``.

        Returns:
            The Lease as stored, or None if somebody else was faster.

        Raises:
            ApiError: refused or unanswered; it may have been stored all the same.
        """
        time = format_micro_time(now)
        taken = Lease(holder, duration, time, time, 0, "")
        if seen is not None and seen.holder == holder:
            taken = replace(seen, duration=duration, renewed=time)
        elif seen is not None:
            taken = replace(taken, transitions=seen.transitions + 1, version=seen.version)
        return await self._write(taken)

    async def release(self, held: Lease, now: float) -> None:
        """Give the Lease up, so that another may lead at once.

        Raises:
            ApiError: refused or unanswered.
        """
        # The API server wants a positive duration; client-go writes one second as well.
        await self._write(replace(held, holder="", duration=1, renewed=format_micro_time(now)))

    async def _write(self, lease: Lease) -> Lease | None:
        metadata = {"name": self._name, "namespace": self._namespace}
        body: Raw = {
            "apiVersion": LEASES_VERSION,
            "kind": "Lease",
            "metadata": metadata | ({"resourceVersion": lease.version} if lease.version else {}),
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.duration,
                "acquireTime": lease.acquired,
                "renewTime": lease.renewed,
                "leaseTransitions": lease.transitions,
            },
        }
        try:
            if lease.version:
                return Lease.parse(await self._client.replace(self._path, body))
            return Lease.parse(await self._client.create(self._collection, body))
        except (ConflictError, AlreadyExistsError, NotFoundError):
            return None
