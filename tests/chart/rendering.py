"""Runs Helm on the chart and returns what it says."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from e2e.cluster.paths import Paths

ROOT: Final = Path(__file__).parent.parent.parent
CHART: Final = ROOT / "charts" / "lossless"
RELEASE: Final = "shop"
NAMESPACE: Final = "lossless-here"
IMAGE: Final = "registry.example.com:5000/lossless:1.2.3"
_SECONDS: Final = 20.0

#: A Kubernetes object as Helm rendered it.
Manifest = dict[str, Any]


def find_helm() -> Path | None:
    """Return Helm's binary: from ``PATH``, else the one that the cluster tool has built."""
    found = shutil.which("helm") or shutil.which("helm", path=str(Paths.of_user().bin))
    return Path(found) if found else None


class HelmError(RuntimeError):
    """Helm has refused; the text is what it says."""


@dataclass(frozen=True, slots=True)
class Helm:
    """Helm with a home of its own, so that nobody's plugins and repositories matter."""

    binary: Path
    home: Path

    def run(self, *arguments: str) -> str:
        """Return what Helm prints.

        Raises:
            HelmError: it ends with another status than 0.
        """
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "HELM_CACHE_HOME": str(self.home / "cache"),
            "HELM_CONFIG_HOME": str(self.home / "config"),
            "HELM_DATA_HOME": str(self.home / "data"),
            # Nothing listens there: rendering asks no cluster.
            "KUBECONFIG": str(self.home / "none"),
        }
        done = subprocess.run(  # noqa: S603 # the binary is Helm, the arguments are the tests'
            [self.binary, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise HelmError(done.stderr)
        return done.stdout

    def template(self, values: Mapping[str, Any] | None = None, *flags: str) -> str:
        """Return the text that the chart renders to, with an image unless ``values`` say one."""
        return self.run("template", *self._of_release(values), *flags)

    def notes(self, values: Mapping[str, Any] | None = None) -> str:
        """Return what an installation with these values would say at its end."""
        said = self.run("install", *self._of_release(values), "--dry-run=client")
        return said.partition("NOTES:")[2]

    def _of_release(self, values: Mapping[str, Any] | None) -> tuple[str, ...]:
        path = self.home / "values.yaml"
        path.write_text(yaml.safe_dump({"image": IMAGE} | dict(values or {})))
        return RELEASE, str(CHART), "--namespace", NAMESPACE, f"--values={path}"

    def render(self, values: Mapping[str, Any] | None = None, *flags: str) -> list[Manifest]:
        """Return the objects that the chart renders to."""
        return [
            document
            for document in yaml.safe_load_all(self.template(values, *flags))
            if document is not None
        ]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Return the one object of this kind and name.

    Raises:
        ValueError: there is none, or more than one.
    """
    (found,) = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    return found


def of_kind(manifests: Sequence[Manifest], kind: str) -> list[Manifest]:
    """Return all objects of this kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def container_of(deployment: Manifest) -> Manifest:
    """Return the only container of a Deployment's pods."""
    container: Manifest
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container
