"""One command's connection: a client, the namespace, and reads that explain their failures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lossless.cluster.client import Client, Raw, Timeouts, resource_path
from lossless.cluster.errors import ForbiddenError, NotFoundError
from lossless.cluster.objects import metadata_of
from lossless.cluster.workloads import list_all
from lossless.model.names import API_VERSION, KIND, PLURAL, SHORT_NAME, SINGULAR
from lossless.model.targets import Kind, Target
from lossless.plugin.exits import RefusedError, UsageError
from lossless.plugin.kubeconfig import place_of

#: What may stand before the slash of a name, and which objects it means.
_ROLLOUT_KINDS: Final = frozenset({SHORT_NAME, SINGULAR, PLURAL})
_WORKLOAD_KINDS: Final = {
    "deploy": "Deployment",
    "deployment": "Deployment",
    "deployments": "Deployment",
    "sts": "StatefulSet",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
    "ds": "DaemonSet",
    "daemonset": "DaemonSet",
    "daemonsets": "DaemonSet",
}
_PLURALS: Final = {
    Kind.DEPLOYMENT: "deployments",
    Kind.STATEFUL_SET: "statefulsets",
    Kind.DAEMON_SET: "daemonsets",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What of a command line says where to ask."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
    request_timeout: float = 15.0
    """Seconds for one request."""


@dataclass(frozen=True, slots=True)
class WorkloadReference:
    """The workload that a LosslessRollout names; it need not exist."""

    kind: Kind
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Its URL path."""
        return resource_path(
            self.kind.api_version, _PLURALS[self.kind], namespace=self.namespace, name=self.name
        )

    def __str__(self) -> str:
        """Return what messages call it."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Session:
    """Reads with the rights of whoever types."""

    client: Client
    namespace: str
    all_namespaces: bool = False

    @property
    def scope(self) -> str:
        """The namespace of lists; empty for all."""
        return "" if self.all_namespaces else self.namespace

    async def rollouts(self) -> list[Raw]:
        """Return the LosslessRollouts that are asked for.

        Raises:
            RefusedError: the cluster does not know the resource.
            ApiError: otherwise refused or unanswered.
        """
        try:
            return await self.items(API_VERSION, PLURAL, self.scope)
        except NotFoundError as error:
            raise RefusedError(
                f"this cluster does not know {PLURAL}: Lossless is not installed, or --context"
                " means another cluster. To install it: helm install lossless charts/lossless"
                " -n lossless-system --create-namespace"
            ) from error

    async def rollout(self, named: str) -> Raw:
        """Return one LosslessRollout: ``web``, ``llr/web``, or by its target ``deploy/web``.

        Raises:
            RefusedError: there is none; says which there are.
            UsageError: what stands before the slash is no kind that has one.
        """
        kind, slash, name = named.rpartition("/")
        if kind and kind.lower() in _WORKLOAD_KINDS:
            return await self._of_target(_WORKLOAD_KINDS[kind.lower()], name)
        if (slash and kind.lower() not in _ROLLOUT_KINDS) or not name:
            raise UsageError(f"{named!r}: name a LosslessRollout, as web, llr/web or deploy/web")
        path = resource_path(API_VERSION, PLURAL, namespace=self.namespace, name=name)
        try:
            return await self.client.get(path)
        except NotFoundError as error:
            known = await self.rollouts()
            raise RefusedError(
                f"there is no LosslessRollout {self.namespace}/{name}; {_known(known)}"
            ) from error

    async def _of_target(self, kind: str, name: str) -> Raw:
        known = await self.rollouts()
        for raw in known:
            target = (raw.get("spec") or {}).get("targetRef") or {}
            if (target.get("kind"), target.get("name")) == (kind, name):
                return raw
        raise RefusedError(
            f"no LosslessRollout protects {kind} {self.namespace}/{name}; {_known(known)}"
        )

    async def workload(self, rollout: Raw) -> Raw:
        """Return the workload that a LosslessRollout names.

        Raises:
            RefusedError: it is not there, or of a kind that nobody knows.
        """
        reference = self.workload_reference(rollout)
        try:
            return await self.client.get(reference.path)
        except NotFoundError as error:
            name = metadata_of(rollout).get("name", "")
            raise RefusedError(
                f"there is no {reference}, which LosslessRollout {name} names; create it, or"
                " correct spec.targetRef"
            ) from error

    def workload_reference(self, rollout: Raw) -> WorkloadReference:
        """Return what a LosslessRollout's ``spec.targetRef`` means.

        Raises:
            RefusedError: ``spec.targetRef`` names no kind that we know, or pods by their label.
        """
        target = (rollout.get("spec") or {}).get("targetRef") or {}
        kind, name = str(target.get("kind", "")), str(target.get("name", ""))
        namespace = metadata_of(rollout).get("namespace", self.namespace)
        if kind == Kind.POD:
            own = str(metadata_of(rollout).get("name", ""))
            raise RefusedError(
                f"{KIND} {namespace}/{own} is for {Target(Kind.POD, own).pods}, whoever makes them;"
                " do this by the controller that made them"
            )
        if kind not in _PLURALS or not name:
            raise RefusedError(
                f"{KIND} {namespace}/{metadata_of(rollout).get('name', '')}: spec.targetRef names"
                f" {kind or 'nothing'}/{name}; correct it"
            )
        return WorkloadReference(Kind(kind), namespace, name)

    async def items(
        self, api_version: str, plural: str, namespace: str, selector: str = ""
    ) -> list[Raw]:
        """Return all objects of a kind, page by page.

        Raises:
            ApiError: refused or unanswered.
        """
        return await list_all(self.client, api_version, plural, namespace, selector)

    async def items_if_allowed(
        self, api_version: str, plural: str, namespace: str, selector: str = ""
    ) -> list[Raw] | None:
        """Return all objects of a kind; None if this user may not see them, or nobody serves them.

        Raises:
            ApiError: unanswered.
        """
        try:
            return await self.items(api_version, plural, namespace, selector)
        except (ForbiddenError, NotFoundError):
            return None

    async def get_if_allowed(self, path: str) -> Raw | None:
        """Return an object; None if it is not there, or not this user's to see.

        Raises:
            ApiError: unanswered.
        """
        try:
            return await self.client.get(path)
        except (ForbiddenError, NotFoundError):
            return None


def _known(rollouts: list[Raw]) -> str:
    names = sorted(str(metadata_of(raw).get("name", "")) for raw in rollouts)
    if not names:
        return "there are none in this namespace; name another with -n, or look at all with -A"
    return f"name one that is there: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}"  # noqa: PLR2004 # one line


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Session]:
    """Connect for the length of the block; nothing is sent before the first request.

    Raises:
        RefusedError: the kubeconfig cannot be read or has no such context.
        ConfigurationError: there is no way to an API server.
    """
    place = place_of(access.kubeconfig, access.context, access.namespace)
    timeouts = Timeouts(
        connect=min(Timeouts().connect, access.request_timeout), total=access.request_timeout
    )
    client = await Client.connect(place.kubeconfig, context=place.context, timeouts=timeouts)
    async with client:
        yield Session(client, place.namespace, access.all_namespaces)
