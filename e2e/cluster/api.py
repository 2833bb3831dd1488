"""Asking the API server, without the start-up time of a kubectl per question."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 5.0


class ApiError(ClusterError):
    """The API server cannot be reached or does not answer with success."""


class Api:
    """The API server of a kubeconfig that was written by `kubeconfig.render`."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster = document["clusters"][0]["cluster"]
        user = document["users"][0]["user"]
        address = urlsplit(cluster["server"])
        self._host, self._port = address.hostname or "", address.port
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        # ssl reads client credentials from a file only.
        with tempfile.NamedTemporaryFile("w") as credentials:
            os.fchmod(credentials.fileno(), 0o600)
            for name in ("client-certificate-data", "client-key-data"):
                credentials.write(base64.b64decode(user[name]).decode())
            credentials.flush()
            self._tls.load_cert_chain(credentials.name)

    def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> str:
        """The body of a successful answer.

        Raises:
            ApiError: No connection, or a status that is not 2xx.
        """
        headers = {"Content-Type": content_type or "application/json"}
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT, context=self._tls
        )
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, body=payload, headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"The API server at {self._host}:{self._port}: {error}.") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise ApiError(f"{method} {path}: HTTP {response.status}: {text[:500]}")
        return text

    def get(self, path: str) -> dict[str, Any]:
        """A JSON object."""
        document: dict[str, Any] = json.loads(self.request("GET", path))
        return document

    def patch(self, path: str, body: Any) -> None:
        """A merge patch (RFC 7386)."""
        self.request("PATCH", path, body, "application/merge-patch+json")

    def is_ready(self) -> bool:
        """Whether /readyz says ok."""
        try:
            return self.request("GET", "/readyz") == "ok"
        except ApiError:
            return False


def condition(document: dict[str, Any], kind: str) -> str:
    """The status of a condition of an object: "True", "False" or "Unknown" (also when absent)."""
    conditions = document.get("status", {}).get("conditions", [])
    return next((str(row["status"]) for row in conditions if row["type"] == kind), "Unknown")
