"""What a controller needs around it to run as a whole process."""

from pathlib import Path
from typing import Any

import yaml

from lossless.model.names import API_VERSION, KIND, PLURAL

CRDS = "apiextensions.k8s.io/v1"


def served(group_version: str, *names: tuple[str, str]) -> dict[str, Any]:
    """Return the discovery document of a group and version."""
    verbs = ["get", "list", "watch", "patch"]
    resources = [
        {"name": name, "singularName": "", "kind": kind, "namespaced": True, "verbs": verbs}
        for name, kind in names
    ]
    return {"groupVersion": group_version, "resources": resources}


def group(group_version: str) -> dict[str, Any]:
    """Return an entry of the list of groups."""
    name, version = group_version.split("/")
    served_version = {"version": version, "groupVersion": group_version}
    return {"name": name, "versions": [served_version], "preferredVersion": served_version}


#: What kopf asks for before it begins.
DISCOVERY: dict[str, dict[str, Any]] = {
    "/api": {"versions": ["v1"]},
    "/api/v1": served("v1", ("namespaces", "Namespace"), ("events", "Event")),
    "/apis": {"groups": [group(API_VERSION), group(CRDS)]},
    f"/apis/{CRDS}": served(CRDS, ("customresourcedefinitions", "CustomResourceDefinition")),
    f"/apis/{API_VERSION}": served(API_VERSION, (PLURAL, KIND)),
}


def kubeconfig(url: str, folder: Path) -> str:
    """Write a kubeconfig for a plain HTTP server and return its path."""
    path = folder / "kubeconfig"
    named = {"name": "fake"}
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{**named, "cluster": {"server": url}}],
                "users": [{**named, "user": {"token": "a-token"}}],
                "contexts": [{**named, "context": {"cluster": "fake", "user": "fake"}}],
                "current-context": "fake",
            }
        ),
        encoding="utf-8",
    )
    return str(path)
