"""Kubeconfig files with everything inside, so that a copy of the file works anywhere."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from e2e.cluster.certificates import KeyPair

CONTEXT = "lossless-local"
"""The context of the local provider; e2e refuses contexts that it does not know."""


def render(*, server: str, authority: bytes, user: str, credentials: KeyPair) -> str:
    """A kubeconfig as YAML.

    Args:
        server: The API server's URL.
        authority: PEM certificate that the server's is checked against.
        user: A name for people to read; the certificate says who it really is.
        credentials: The client certificate and key.
    """

    def encoded(pem: bytes) -> str:
        return base64.b64encode(pem).decode()

    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {"server": server, "certificate-authority-data": encoded(authority)},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": encoded(credentials.certificate),
                    "client-key-data": encoded(credentials.key),
                },
            }
        ],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
        "current-context": CONTEXT,
    }
    return yaml.safe_dump(document, sort_keys=False)
