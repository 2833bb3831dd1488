"""What an entry in the tables of accepted and refused specs is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.model.names import API_VERSION, KIND

TARGET: Final[Mapping[str, Any]] = {"kind": "Deployment", "name": "web"}


@dataclass(frozen=True, slots=True)
class GoodSpec:
    """A spec that is accepted: ``patch`` over one that names only a Deployment."""

    name: str
    patch: Mapping[str, Any]

    @property
    def spec(self) -> dict[str, Any]:
        """The whole ``spec``."""
        return {"targetRef": TARGET, **self.patch}

    def manifest(self, namespace: str) -> dict[str, Any]:
        """Return the object to send."""
        return _manifest(namespace, self.spec)


@dataclass(frozen=True, slots=True)
class BadSpec:
    """A spec that is refused: ``patch`` over one that names only a Deployment."""

    name: str
    patch: Mapping[str, Any]
    field: str
    """Dotted path of the field that is at fault."""
    says: str
    """Part of the refusal."""
    api_field: str = ""
    """Where the API server sees the fault, if elsewhere."""
    api_says: str = ""
    """Part of the API server's refusal, if it has words of its own."""

    @property
    def spec(self) -> dict[str, Any]:
        """The whole ``spec``."""
        return {"targetRef": TARGET, **self.patch}

    def manifest(self, namespace: str) -> dict[str, Any]:
        """Return the object to send."""
        return _manifest(namespace, self.spec)

    @property
    def api_cause(self) -> tuple[str, str]:
        """Field and part of the message that the API server's ``details.causes`` must hold."""
        return self.api_field or self.field, self.api_says or self.says


def _manifest(namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }
