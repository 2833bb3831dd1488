"""One connection pool to one API server: raw JSON objects in and out, every request bounded.

Credentials, TLS and pooling are the official client's (``kubernetes.aio``). Its typed models are
not used: they cost some milliseconds and several times the memory per object, and drop fields
that they do not know.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME

from lossless import __version__
from lossless.cluster.errors import ApiError, SilentError, UnreachableError, error_of

#: A Kubernetes object as it came: nobody has looked at it yet.
Raw = dict[str, Any]

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

#: RFC 7234 section 5.5: code, agent, text; the API server writes ``299 - "text"`` (KEP-1693).
_WARNING: Final = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')
#: What to do about an answer of somebody who speaks another language.
_STRANGER: Final = "see whether it comes from an API server, or from a proxy before it"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a request may take."""

    connect: float = 3.0
    """Until there is a connection, TLS included."""
    total: float = 15.0
    """Until the answer is complete; streams are bounded by silence instead."""


class ConfigurationError(ValueError):
    """There is no way to an API server; says what was tried."""


def resource_path(
    api_version: str,
    plural: str,
    *,
    namespace: str = "",
    name: str = "",
    subresource: str = "",
) -> str:
    """Return the URL path of a collection or an object.

    Args:
        api_version: ``v1`` or ``group/version``.
        plural: for example ``pods``.
        namespace: empty for cluster-scoped resources and for a list over all namespaces.
        name: empty for the collection.
        subresource: for example ``status``.
    """
    parts = ["apis" if "/" in api_version else "api", *api_version.split("/")]
    parts += ["namespaces", namespace] if namespace else []
    parts += [part for part in (plural, name, subresource) if part]
    return "/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Raw | list[Raw] | None = None
    content_type: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Client:
    """Requests to one API server; close it, or use it as an async context manager."""

    def __init__(self, api: ApiClient, timeouts: Timeouts = Timeouts()) -> None:
        """Take an ``api`` that nobody else closes.

        From here on its own requests, too, end after ``timeouts``: the official client waits five
        minutes by default, which no leader election survives.
        """
        self._api = api
        self._timeouts = timeouts
        api.rest_client = _BoundedRest(api.configuration, timeouts)
        api.user_agent = f"lossless/{__version__}"

    @classmethod
    async def connect(
        cls,
        kubeconfig: str | Path | None = None,
        *,
        context: str | None = None,
        timeouts: Timeouts = Timeouts(),
    ) -> Self:
        """Return a client; nothing is sent yet.

        Args:
            kubeconfig: a file. None: the service account if this is a pod, else ``$KUBECONFIG``
                or ``~/.kube/config``.
            context: of the kubeconfig; None: its current one.
            timeouts: of each request.

        Raises:
            ConfigurationError: there is no such file, or it cannot be used.
        """
        configuration = Configuration()
        # As client-go: a CA without an authority key identifier is no reason to refuse it
        # (Python 3.13 turned VERIFY_X509_STRICT on). The chain is verified all the same.
        configuration.disable_strict_ssl_verification = True
        try:
            if kubeconfig is None and SERVICE_HOST_ENV_NAME in os.environ:
                load_incluster_config(client_configuration=configuration)
            else:
                await load_kube_config(
                    config_file=_kubeconfig(kubeconfig),
                    context=context,
                    client_configuration=configuration,
                    persist_config=False,
                )
        except ConfigException as error:
            raise ConfigurationError(
                f"no way to an API server: {error}; name a kubeconfig and a context that are whole"
            ) from error
        return cls(ApiClient(configuration), timeouts)

    @property
    def api(self) -> ApiClient:
        """The official client below: kopf takes its credentials from there."""
        return self._api

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; streams end with UnreachableError."""
        await self._api.close()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Raw:
        """Return the object, or one page of a list, at ``path``.

        Raises:
            ApiError: one of its subclasses, as in ``lossless.cluster.errors``.
        """
        return await self._send(_Request("GET", path, params))

    async def create(self, path: str, body: Raw, params: Mapping[str, str] | None = None) -> Raw:
        """Post ``body`` to the collection at ``path`` and return the stored object.

        Raises:
            AlreadyExistsError: somebody was first.
            ApiError: otherwise refused or unanswered.
        """
        return await self._send(_Request("POST", path, params, body))

    async def dry_run(self, path: str, body: Raw) -> tuple[str, ...]:
        """Post ``body`` as if it were to be created, and return the warnings on it.

        Admission takes part, and nothing is stored (``dryRun=All``).

        Raises:
            ApiError: refused or unanswered.
        """
        request = _Request("POST", path, {"dryRun": "All"}, body)
        _, lines = await self._exchange(request)
        return tuple(
            re.sub(r"\\(.)", r"\1", found[1]) for line in lines for found in _WARNING.finditer(line)
        )

    async def replace(self, path: str, body: Raw, params: Mapping[str, str] | None = None) -> Raw:
        """Put ``body`` to the object at ``path`` and return the stored object.

        Raises:
            ConflictError: ``metadata.resourceVersion`` of ``body`` is not the newest.
            ApiError: otherwise refused or unanswered.
        """
        return await self._send(_Request("PUT", path, params, body))

    async def patch(
        self,
        path: str,
        body: Raw | list[Raw],
        *,
        content_type: str = MERGE_PATCH,
        params: Mapping[str, str] | None = None,
    ) -> Raw:
        """Patch the object at ``path`` and return the stored object.

        Raises:
            ApiError: refused or unanswered.
        """
        return await self._send(_Request("PATCH", path, params, body, content_type))

    async def apply(self, path: str, body: Raw, *, manager: str, force: bool = True) -> Raw:
        """Apply ``body`` on the server as field manager ``manager`` and return the stored object.

        Raises:
            ConflictError: another manager owns a field, and ``force`` is false.
            ApiError: otherwise refused or unanswered.
        """
        params = {"fieldManager": manager, "force": "true" if force else "false"}
        return await self._send(_Request("PATCH", path, params, body, APPLY_PATCH))

    async def delete(self, path: str, body: Raw | None = None) -> Raw:
        """Delete the object at ``path``; ``body`` may hold DeleteOptions.

        Raises:
            NotFoundError: it is gone already.
            ApiError: otherwise refused or unanswered.
        """
        return await self._send(_Request("DELETE", path, None, body))

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str] | None = None, *, silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open ``path`` and yield an iterator over its lines, each with its line end.

        The iterator ends when the server ends the answer in order.

        Args:
            path: URL path.
            params: query.
            silence: seconds without a byte after which the connection counts as dead.

        Raises:
            SilentError: no byte came for ``silence`` seconds.
            ApiError: the answer is an error, or the connection broke.
        """
        timeout = aiohttp.ClientTimeout(
            total=None, connect=self._timeouts.connect, sock_read=silence
        )
        request = _Request("GET", path, params)
        response = await self._open(request, timeout)
        try:
            if not response.ok:
                raise await _error(response, request)
            yield _lines(response, request)
        finally:
            response.close()

    async def _send(self, request: _Request) -> Raw:
        answer, _ = await self._exchange(request)
        return answer

    async def _exchange(self, request: _Request) -> tuple[Raw, list[str]]:
        """Return the answer, and the lines of its header Warning."""
        timeout = aiohttp.ClientTimeout(total=self._timeouts.total, connect=self._timeouts.connect)
        response = await self._open(request, timeout)
        try:
            if not response.ok:
                raise await _error(response, request)
            answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(error, request) from error
        except (ValueError, RecursionError) as error:
            raise UnreachableError(
                f"the answer is not JSON: {error}; {_STRANGER}",
                request=str(request),
                status=response.status,
            ) from error
        finally:
            response.release()
        if not isinstance(answer, dict):
            raise UnreachableError(
                f"the answer is not an object; {_STRANGER}", request=str(request)
            )
        return answer, response.headers.getall("Warning", [])

    async def _open(
        self, request: _Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": "application/json"}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        try:
            _, url, headers, _, _ = await self._api.param_serialize(
                request.method,
                request.path,
                query_params=list((request.params or {}).items()),
                header_params=headers,
                auth_settings=["BearerToken"],
            )
            answer = await self._api.rest_client.request(
                request.method, url, headers=headers, body=request.body, _request_timeout=timeout
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ConfigException) as error:
            raise _unreachable(error, request) from error
        response: aiohttp.ClientResponse = answer.response
        return response


class _BoundedRest(RESTClientObject):
    """The official transport with a deadline for whoever does not bring one."""

    def __init__(self, configuration: Configuration, timeouts: Timeouts) -> None:
        super().__init__(configuration)
        self._timeout = aiohttp.ClientTimeout(total=timeouts.total, connect=timeouts.connect)

    async def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> Any:
        bounded = isinstance(_request_timeout, aiohttp.ClientTimeout)
        timeout = _request_timeout if bounded else self._timeout
        return await super().request(  # type: ignore[no-untyped-call] # the excluded package
            method, url, headers, body, post_params, timeout
        )


def _kubeconfig(named: str | Path | None) -> str:
    path = str(named or os.environ.get("KUBECONFIG") or "~/.kube/config")
    if not any(Path(part).expanduser().is_file() for part in path.split(os.pathsep) if part):
        raise ConfigurationError(
            f"kubeconfig {path!r}: no such file, and this is not a pod"
            f" (${SERVICE_HOST_ENV_NAME} is not set); name a kubeconfig that exists"
        )
    return path


async def _lines(response: aiohttp.ClientResponse, request: _Request) -> AsyncIterator[bytes]:
    try:
        async for line in response.content:
            yield line
    except TimeoutError as error:
        raise SilentError("the stream went silent", request=str(request)) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # ValueError: a line longer than the read buffer, 4 MiB; etcd stores no such object.
        raise _unreachable(error, request) from error


async def _error(response: aiohttp.ClientResponse, request: _Request) -> ApiError:
    try:
        body = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError):
        # The status alone says what has to be done; a proxy that fails often breaks off its body.
        body = b""
    return error_of(
        response.status,
        body,
        request=str(request),
        retry_after=response.headers.get("Retry-After"),
    )


def _unreachable(error: Exception, request: _Request) -> UnreachableError:
    said = "no answer in time" if isinstance(error, TimeoutError) else str(error)
    return UnreachableError(said or type(error).__name__, request=str(request))
