"""Reads from the API server over connections that stay open.

A kubectl for each look costs a tenth of a second of a core, and stories look again and again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import config

Object = dict[str, Any]

#: Seconds for one answer, as for a kubectl.
_TIMEOUT: Final = 60.0
#: KEP-3352: all groups, versions and resources in two answers.
_DISCOVERY: Final = (
    "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,"
    "application/json;v=v2beta1;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"
)


class ReadFailed(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """The API server did not answer, or refused; the text is what was asked and what it said."""

    def __init__(self, text: str, status: int = 0) -> None:
        """Take the HTTP status; 0 if there was no answer."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Resource:
    """Where objects of one kind are."""

    prefix: str
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of a collection, or of one object in it."""
        where = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{self.prefix}{where}/{self.plural}{f'/{name}' if name else ''}"


def resources(groups: Mapping[str, Any]) -> Iterator[tuple[str, Resource]]:
    """Yield each resource of an ``APIGroupDiscoveryList`` under all names that kubectl takes.

    What is preferred comes first: the order is the API server's.
    """
    for item in groups["items"]:
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            prefix = f"{f'/apis/{group}' if group else '/api'}/{version['version']}"
            for one in version.get("resources", []):
                found = Resource(prefix, one["resource"], one.get("scope") == "Namespaced")
                kind = one.get("responseKind", {}).get("kind", "").lower()
                names = {one["resource"], one.get("singularResource"), kind} - {None, ""}
                for name in (*names, *one.get("shortNames", ())):
                    yield name, found
                    yield f"{name}.{group}", found
                    yield f"{name}.{version['version']}.{group}", found


class Api:
    """An API server; safe to use from several threads."""

    def __init__(self, kubeconfig: Path) -> None:
        """Connect with the first question, not before."""
        # The library has no types for what it returns.
        self._client: Any = config.new_client_from_config(str(kubeconfig))
        self._host: Final = str(self._client.configuration.host)
        self._resources: dict[str, Resource] = {}

    def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = "") -> Any:
        """Return the JSON at a path.

        Raises:
            ReadFailed: no answer within a minute, or a status that is not 2xx.
        """
        tokens = self._client.configuration.auth_settings().values()
        headers = {one["key"]: one["value"] for one in tokens if one["in"] == "header"}
        headers["Accept"] = accept or "application/json"
        url = f"{self._host}{path}{f'?{urlencode(query)}' if query else ''}"
        try:
            answer = self._client.call_api("GET", url, headers, _request_timeout=_TIMEOUT)
            body = answer.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ReadFailed(f"GET {path}: {error}") from error
        if answer.status != HTTPStatus.OK:
            raise ReadFailed(f"GET {path}: {answer.status}: {body.decode()}", answer.status)
        return json.loads(body)

    def resource(self, kind: str) -> Resource:
        """Return where objects of a kind are, by any name that kubectl takes.

        Raises:
            ReadFailed: the API server knows no such kind, or does not answer.
        """
        name = kind.lower()
        if name not in self._resources:
            found: dict[str, Resource] = {}
            for root in ("/api", "/apis"):
                for key, resource in resources(self.get(root, accept=_DISCOVERY)):
                    found.setdefault(key, resource)
            self._resources = found
        if name not in self._resources:
            raise ReadFailed(f"the API server knows no {kind}", HTTPStatus.NOT_FOUND)
        return self._resources[name]

    def object(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None if there is none.

        Raises:
            ReadFailed: as of ``get``.
        """
        try:
            found: Object = self.get(self.resource(kind).path(namespace, name))
        except ReadFailed as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def objects(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        """Return the objects of a kind in a namespace, or in all if it is empty.

        Raises:
            ReadFailed: as of ``get``.
        """
        query = {"labelSelector": selector} if selector else None
        listed = self.get(self.resource(kind).path(namespace), query)
        items: list[Object] = listed["items"]
        for item in items:  # a list leaves to its own kind what its items are
            item.setdefault("kind", listed["kind"].removesuffix("List"))
            item.setdefault("apiVersion", listed["apiVersion"])
        return items


@cache
def api_of(kubeconfig: Path) -> Api:
    """Return the API server of a kubeconfig, one for each process."""
    return Api(kubeconfig)
