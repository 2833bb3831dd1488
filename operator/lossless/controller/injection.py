"""Keeps the webhook configurations in step: which namespaces, and which authority.

An API server asks the webhook only about namespaces that hold a LosslessRollout. A pod that is
created before its namespace is among them simply starts without an agent, and status says so.

A Secret that is deleted or damaged is put back by the webhook within a minute, which serves with
what it had meanwhile. So what API servers trust is never taken away; only another authority ever
takes its place.
"""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Callable
from typing import Any, Final

import structlog

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import ApiError, NotFoundError
from lossless.model.names import FIELD_MANAGER, TLS_SECRET, VALIDATION_NAME, WEBHOOK_NAME
from lossless.model.webhook_configuration import validating_configuration, webhook_configuration

_log: Final = structlog.get_logger(__name__)
_CONFIGURATIONS: Final = "admissionregistration.k8s.io/v1"
#: Seconds between two looks at the Secret and the configuration, should nothing wake us before.
PERIOD: Final = 15.0
#: Seconds to the next attempt after one that failed.
_RETRY: Final = 2.0


class Injection:
    """Keeps the two webhook configurations."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        failure_policy: str,
        namespaces: Callable[[], frozenset[str]],
        *,
        external_authority: bool = False,
    ) -> None:
        """Take what the configuration depends on.

        Args:
            client: to the API server.
            namespace: of the installation.
            failure_policy: of the webhook, ``Ignore`` or ``Fail``.
            namespaces: returns those that hold a LosslessRollout.
            external_authority: somebody else keeps ``caBundle``. It is set with the webhook, which
                would else be called in vain for a moment, and then left as it is found: two
                writers who see a rotation at different times would undo each other's work.
        """
        self._client = client
        self._namespace = namespace
        self._failure_policy = failure_policy
        self._namespaces = namespaces
        self._external_authority = external_authority
        self._changed = asyncio.Event()
        self._complaints: dict[str, str] = {}

    def wake(self) -> None:
        """Say that the namespaces may have changed."""
        self._changed.set()

    async def keep(self) -> None:
        """Keep the configuration in step until cancelled."""
        while True:
            self._changed.clear()
            wait = PERIOD
            try:
                await self.step()
            except ApiError as error:
                wait = _RETRY
                _log.warning("webhook configuration not kept", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    async def step(self) -> bool:
        """Bring the configurations in step once; return whether one had to be changed.

        Raises:
            ApiError: something could not be read or written.
        """
        authority, namespaces = await self._authority(), self._namespaces()
        if self._external_authority and not authority:
            self._complain(
                "Secret",
                f"Secret {TLS_SECRET} in namespace {self._namespace} has no ca.crt, so no webhook"
                " is added that an API server would trust; cert-manager has not signed yet, or the"
                " issuer does not give its CA",
            )
        else:
            self._complaints.pop("Secret", None)

        def mutating(trusted: bytes) -> Raw:
            return webhook_configuration(
                namespaces, trusted, self._namespace, failure_policy=self._failure_policy
            )

        def validating(trusted: bytes) -> Raw:
            return validating_configuration(trusted, self._namespace)

        # Advice comes second: what fails here must not keep pods from being protected.
        changed = await self._keep(mutating, authority, WEBHOOK_NAME)
        if changed:
            _log.info("injection changed", namespaces=sorted(namespaces))
        return await self._keep(validating, authority, VALIDATION_NAME) or changed

    async def _keep(
        self, configuration: Callable[[bytes], Raw], authority: bytes, name: str
    ) -> bool:
        wanted = configuration(authority)
        kind = wanted["kind"]
        path = resource_path(_CONFIGURATIONS, f"{kind.lower()}s", name=wanted["metadata"]["name"])
        try:
            present = await self._client.get(path)
        except NotFoundError:
            # Not ours to create: the chart has not brought it yet, or is being removed.
            self._complain(kind, "there is no such webhook configuration")
            return False
        ours = [hook for hook in present.get("webhooks") or () if hook.get("name") == name]
        elsewhere = {_service_namespace(hook) for hook in ours} - {self._namespace}
        if elsewhere:
            self._complain(kind, f"the webhook configuration is that of {elsewhere}")
            return False
        self._complaints.pop(kind, None)
        trusted = _trusted(ours)
        if trusted and (self._external_authority or not authority):
            wanted = configuration(trusted)
        if _says(ours, wanted["webhooks"]):
            return False
        await self._client.apply(path, wanted, manager=FIELD_MANAGER)
        return True

    def _complain(self, kind: str, what: str) -> None:
        """Say it once, until something else is the case."""
        if self._complaints.get(kind) != what:
            self._complaints[kind] = what
            _log.warning(what, kind=kind)

    async def _authority(self) -> bytes:
        path = resource_path("v1", "secrets", namespace=self._namespace, name=TLS_SECRET)
        try:
            secret: Raw = await self._client.get(path)
        except NotFoundError:
            return b""
        return _decoded((secret.get("data") or {}).get("ca.crt"))


def _service_namespace(hook: Raw) -> str:
    service = (hook.get("clientConfig") or {}).get("service") or {}
    return str(service.get("namespace", ""))


def _trusted(present: list[Raw]) -> bytes:
    """Return the authority by which API servers call the webhook already; empty: there is none."""
    bundles = (_decoded((hook.get("clientConfig") or {}).get("caBundle")) for hook in present)
    return next(filter(None, bundles), b"")


def _decoded(text: str | None) -> bytes:
    """Return what base64 holds; what is none holds nothing."""
    try:
        return base64.b64decode(text or "", validate=True)
    except binascii.Error:
        return b""


def _says(present: Any, wanted: Any) -> bool:
    """Return whether ``present`` holds all of ``wanted``; the API server adds defaults to it."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(
            key in present and _says(present[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(present, list)
            and len(present) == len(wanted)
            and all(map(_says, present, wanted))
        )
    return bool(present == wanted)
