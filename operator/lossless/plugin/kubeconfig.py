"""Which context and namespace a command line means, by kubectl's own rules.

The official client knows contexts but not their namespaces, and of several files it takes the
current context of the last, where kubectl takes that of the first (client-go clientcmd, loader.go).
So both are found here and given to the client by name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from lossless.plugin.exits import RefusedError
from lossless.plugin.yaml_errors import place

#: Where a pod finds the namespace it runs in (kubernetes, service account admission).
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests go."""

    kubeconfig: str | None
    """Files, joined as in ``$KUBECONFIG``; None: there is none, which is right in a pod only."""
    context: str | None
    """None: no file names one."""
    namespace: str


def place_of(
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Place:
    """Return what the options and the kubeconfig say together.

    Args:
        kubeconfig: ``--kubeconfig``; None: ``$KUBECONFIG``, or ``~/.kube/config``.
        context: ``--context``; None: the current one.
        namespace: ``--namespace``; None: the context's, or ``default``.
        environment: of the process.

    Raises:
        RefusedError: a file cannot be read, or has no such context.
    """
    text = kubeconfig or environment.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    found = [file for file in files if file.is_file()]
    if not found:
        if kubeconfig:
            raise RefusedError(f"--kubeconfig {kubeconfig}: no such file; name one that exists")
        return Place(None, None, namespace or _own_namespace())
    documents = [_load(file) for file in found]
    current = context or _first(documents, "current-context")
    entries = _contexts(documents)
    if current and current not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise RefusedError(
            f"context {current!r}: not in {text}; contexts there: {known}. Name one of them with"
            " --context, or choose one: kubectl config use-context NAME"
        )
    own = entries.get(current, {}).get("namespace") if current else None
    return Place(text, current or None, namespace or own or "default")


def contexts_of(kubeconfig: str | None, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of all contexts; none if no file can be read."""
    text = kubeconfig or environment.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    try:
        return sorted(_contexts([_load(file) for file in files if file.is_file()]))
    except RefusedError:
        return []


def _load(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusedError(
            f"kubeconfig {file}: cannot be read: {error.strerror}; name another with --kubeconfig"
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise RefusedError(
            f"kubeconfig {file}: is not YAML ({place(error)}); correct it, or name another file"
        ) from None
    return document if isinstance(document, Mapping) else {}


def _first(documents: list[Mapping[str, Any]], key: str) -> str:
    return next((str(found) for document in documents if (found := document.get(key))), "")


def _contexts(documents: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the contexts by name; of two with one name the first counts."""
    known: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        for entry in document.get("contexts") or ():
            known.setdefault(str(entry.get("name", "")), entry.get("context") or {})
    return known


def _own_namespace() -> str:
    try:
        return _OWN_NAMESPACE.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"
