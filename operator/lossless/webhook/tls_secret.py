"""Keeps the Secret with the certificate in order, and the running server on its newest one."""

import asyncio
import base64
import binascii
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from cryptography import x509

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import ApiError, ConflictError, NotFoundError
from lossless.model.names import CERT_MANAGER_ANNOTATION, TLS_SECRET, WEBHOOK_SERVICE
from lossless.webhook.certificate import (
    CA_KEY,
    CERTIFICATE,
    KEY,
    Material,
    leaf_of,
    make,
    needs_renewal,
    renewed,
    service_names,
)

_log: Final = structlog.get_logger(__name__)
_CONFLICTS: Final = 5


def server_context() -> ssl.SSLContext:
    """Return a TLS context for the server; certificates are loaded into it while it runs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def load(context: ssl.SSLContext, material: Material) -> None:
    """Let handshakes from now on use this certificate; connections that are open stay as they are.

    Raises:
        ValueError: it cannot be used; ``context`` is as before.
    """
    leaf_of(material)
    # A pair that fails half-way would leave the live context with a certificate and no key.
    for target in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
        # The ssl module reads files only. A memory file: the key never touches a disk, and the
        # container's root is read-only.
        with os.fdopen(os.memfd_create("tls", os.MFD_CLOEXEC), "wb") as file:
            file.write(material.key.rstrip() + b"\n" + material.certificate)
            file.flush()
            try:
                target.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
            except ssl.SSLError as error:
                raise ValueError(f"TLS cannot use the certificate: {error}; replace it") from error


class CertificateKeeper:
    """Reads, and if it is ours makes and renews, the Secret; any number may run at once."""

    def __init__(  # noqa: PLR0913 # each is a collaborator or a setting of its own
        self,
        client: Client,
        namespace: str,
        context: ssl.SSLContext,
        *,
        external: bool = False,
        interval: float = 60.0,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Begin without a certificate.

        Args:
            client: of the API server.
            namespace: of the installation.
            context: what the server uses.
            external: somebody else keeps the Secret, also while it does not exist yet.
            interval: seconds between two looks at the Secret.
            wall: the time of day, with its zone.
        """
        self._client = client
        self._namespace = namespace
        self._context = context
        self._external = external
        self._interval = interval
        self._wall = wall
        self._names = service_names(WEBHOOK_SERVICE, namespace)
        self._loaded: Material | None = None
        self._expires: datetime | None = None

    @property
    def expires(self) -> datetime | None:
        """When the certificate in use ends; None before there is one."""
        return self._expires

    @property
    def ready(self) -> bool:
        """Whether there is a certificate to serve with."""
        return self._loaded is not None

    async def run(self) -> None:
        """Keep looking for ever; failures are logged, and the last certificate stays in use."""
        while True:
            try:
                await self.refresh()
            except (ApiError, ValueError) as error:
                _log.warning("certificate not refreshed", error=str(error), in_use=self.ready)
            except Exception:  # noqa: BLE001 # the last one is good enough; without us pods start bare
                _log.exception("certificate not refreshed", in_use=self.ready)
            await asyncio.sleep(self._interval if self.ready else min(1.0, self._interval))

    async def refresh(self) -> None:
        """Bring Secret and server to a valid certificate once.

        Raises:
            ApiError: the Secret cannot be read or written.
            ValueError: the Secret is somebody else's and holds nothing usable.
        """
        material = await self._stored()
        if material == self._loaded:
            return
        load(self._context, material)
        leaf = leaf_of(material)
        self._loaded, self._expires = material, leaf.not_valid_after_utc
        _log.info(
            "certificate loaded",
            expires=leaf.not_valid_after_utc.isoformat(),
            serial=f"{leaf.serial_number:x}",
        )

    async def _stored(self) -> Material:
        """Return what the Secret holds after everything due in it has been written."""
        for _ in range(_CONFLICTS):
            secret = await self._read()
            material = None if secret is None else _material(secret)
            wanted = self._wanted(secret, material)
            if wanted == material:
                return wanted
            try:
                await self._write(secret, wanted)
            except ConflictError:
                # Another replica was first: its certificate is as good as ours.
                continue
            _log.info("certificate written", secret=TLS_SECRET, namespace=self._namespace)
            return wanted
        raise ValueError(
            f"Secret {TLS_SECRET} changed {_CONFLICTS} times while it was written; stop what"
            " else writes it"
        )

    def _wanted(self, secret: Raw | None, material: Material | None) -> Material:
        now = self._wall()
        if self._external or (secret is not None and _is_foreign(secret)):
            if material is None:
                raise ValueError(self._awaited(secret))
            self._check_foreign(leaf_of(material), now)
            return material
        # One that was deleted or damaged is put back: another authority would not be believed
        # before the leader has published it and every API server has read that.
        for known in (material, self._own()):
            if known is not None:
                try:
                    return renewed(known, self._names, now)
                except ValueError as error:
                    _log.warning("certificate cannot be renewed", cause=str(error))
        return make(self._names, now)

    def _own(self) -> Material | None:
        """Return what is in use, if it is of our own making."""
        return self._loaded if self._loaded is not None and self._loaded.ca_key else None

    def _awaited(self, secret: Raw | None) -> str:
        if not self._external:
            return (
                f"Secret {TLS_SECRET} is kept by others and holds no {CERTIFICATE} with its"
                f" {KEY} yet; wait for its keeper, or delete it to have one made"
            )
        state = "does not exist" if secret is None else f"holds no {CERTIFICATE} with its {KEY}"
        return (
            f"Secret {TLS_SECRET} {state} yet, and cert-manager is to write it; see: kubectl -n"
            f" {self._namespace} describe certificate {TLS_SECRET}"
        )

    def _check_foreign(self, leaf: x509.Certificate, now: datetime) -> None:
        if needs_renewal(leaf, now, self._names[:1]):
            _log.warning(
                "certificate of others is due for renewal, or lacks our name",
                secret=TLS_SECRET,
                expires=leaf.not_valid_after_utc.isoformat(),
                name=self._names[0],
            )

    async def _read(self) -> Raw | None:
        try:
            return await self._client.get(self._path(TLS_SECRET))
        except NotFoundError:
            return None

    async def _write(self, secret: Raw | None, material: Material) -> None:
        data = {key: base64.b64encode(value).decode() for key, value in material.data().items()}
        if secret is None:
            body: dict[str, Any] = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": TLS_SECRET, "namespace": self._namespace},
                "type": "kubernetes.io/tls",
                "data": data,
            }
            await self._client.create(self._path(), body)
        else:
            # With the resourceVersion that was read: two replicas never mix two pairs.
            await self._client.replace(self._path(TLS_SECRET), {**secret, "data": data})

    def _path(self, name: str = "") -> str:
        return resource_path("v1", "secrets", namespace=self._namespace, name=name)


def _material(secret: Raw) -> Material | None:
    try:
        data = {
            key: base64.b64decode(value, validate=True)
            for key, value in (secret.get("data") or {}).items()
        }
    except (binascii.Error, ValueError):
        return None
    return Material.of(data)


def _is_foreign(secret: Raw) -> bool:
    """Return whether others keep this Secret: cert-manager, or whoever brought a pair alone."""
    if CERT_MANAGER_ANNOTATION in (secret["metadata"].get("annotations") or {}):
        return True
    data = secret.get("data") or {}
    return not data.get(CA_KEY) and any(data.get(key) for key in (CERTIFICATE, KEY))
