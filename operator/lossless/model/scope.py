"""Which namespaces an installation serves: the whole cluster, or those that are named."""

import re
from dataclasses import dataclass
from typing import Final, Self

from lossless.model.webhook_configuration import NEVER

#: Each namespace costs the controller four connections for its watches, and the official client
#: opens no more than 100 (``Configuration.connection_pool_maxsize``); the rest is for requests.
MOST: Final = 20
#: RFC 1123 label, as the API server demands of a namespace's name.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


def is_namespace(name: str) -> bool:
    """Return whether a namespace can have this name."""
    return _NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces whose LosslessRollouts count."""

    namespaces: tuple[str, ...] = ()
    """Empty: all there are."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the scope that an option says: names with commas between them, or nothing.

        Raises:
            ValueError: names the value and the remedy.
        """
        return cls(tuple(text.split(",")) if text else ())

    def __post_init__(self) -> None:
        """Refuse what cannot be served.

        Raises:
            ValueError: names the value and the remedy.
        """
        for name in self.namespaces:
            if not is_namespace(name):
                raise ValueError(
                    f"watch namespaces: {name!r} is not the name of a namespace; correct it"
                )
            if name in NEVER:
                raise ValueError(
                    f"watch namespaces: pods in {name} are never injected; take it off the list"
                )
            if self.namespaces.count(name) > 1:
                raise ValueError(f"watch namespaces: {name} is named twice; name it once")
        if len(self.namespaces) > MOST:
            raise ValueError(
                f"watch namespaces: {len(self.namespaces)} are named, and {MOST} can be;"
                " name none to serve the whole cluster"
            )

    def check_installed_in(self, namespace: str) -> None:
        """Refuse to serve the namespace of the installation, whose pods are never injected.

        Raises:
            ValueError: names the value and the remedy.
        """
        if namespace in self.namespaces:
            raise ValueError(
                f"watch namespaces: {namespace} is the namespace of the installation, whose pods"
                " are never injected; take it off the list, or install elsewhere"
            )

    @property
    def collections(self) -> tuple[str, ...]:
        """The namespaces to list and watch; the one empty name stands for all at once."""
        return self.namespaces or ("",)

    def serves(self, namespace: str) -> bool:
        """Return whether a LosslessRollout in ``namespace`` counts."""
        return not self.namespaces or namespace in self.namespaces


WHOLE_CLUSTER: Final = Scope()
