"""Kubernetes as its users reach it: kubectl, and the API itself where a program reads."""

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from e2e.support import api as reads
from e2e.support.api import Api, ReadFailed, api_of

Object = reads.Object

T = TypeVar("T")


class KubectlFailed(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """kubectl ended with a status other than 0, or the API server did not answer; says which."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with a kubeconfig and, mostly, a namespace."""

    program: Path
    kubeconfig: Path
    namespace: str = ""

    def within(self, namespace: str) -> "Kubectl":
        """Return the same for another namespace."""
        return replace(self, namespace=namespace)

    def argv(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        where = [f"--namespace={self.namespace}"] if self.namespace else []
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *where, *arguments]

    def __call__(self, *arguments: str, stdin: str = "", timeout: float = 60) -> str:
        """Run kubectl and return what it printed.

        Args:
            arguments: after the global ones.
            stdin: for ``-f -``.
            timeout: seconds.

        Raises:
            KubectlFailed: not status 0, or not within ``timeout``.
        """
        return self._succeeded(arguments, stdin, timeout).stdout

    def _succeeded(
        self, arguments: Sequence[str], stdin: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        done = self._ended(arguments, stdin, timeout)
        if done.returncode:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def _ended(
        self, arguments: Sequence[str], stdin: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                self.argv(*arguments),
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(
                f"kubectl {' '.join(arguments)}: no end in {timeout:g} s"
            ) from error

    def may(self, account: str, verb: str, kind: str) -> bool:
        """Return whether a user may do something in this namespace."""
        done = self._ended(("auth", "can-i", verb, kind, f"--as={account}"))
        if done.stdout.strip() not in {"yes", "no"}:
            raise KubectlFailed(f"kubectl auth can-i: {done.stderr.strip()}")
        return done.stdout.strip() == "yes"

    def get(self, kind: str, name: str) -> Object | None:
        """Return an object, or None if there is none."""
        return self._read(lambda api: api.object(kind, self._namespace, name))

    def list(
        self, kind: str, selector: Mapping[str, str] | None = None, *, everywhere: bool = False
    ) -> list[Object]:
        """Return all objects of a kind, or those with these labels, here or in all namespaces."""
        labels = ",".join(f"{key}={value}" for key, value in (selector or {}).items())
        namespace = "" if everywhere else self._namespace
        return self._read(lambda api: api.objects(kind, namespace, labels))

    def apply(self, objects: Iterable[Object], *options: str) -> str:
        """Apply manifests, with options such as ``--dry-run=server``; return all warnings.

        Raises:
            KubectlFailed: refused; the text names the field.
        """
        document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        arguments = ("apply", "--filename=-", *options)
        return self._succeeded(arguments, json.dumps(document)).stderr

    def dry_run(self, thing: Object) -> Object:
        """Return an object as the API server would store it, admission included."""
        text = self(
            "create",
            "--dry-run=server",
            "--output=json",
            "--filename=-",
            stdin=json.dumps(thing),
        )
        stored: Object = json.loads(text)
        return stored

    def raw(self, path: str) -> Any:
        """Return the JSON that the API server answers at a path."""
        return self._read(lambda api: api.get(path))

    @property
    def _namespace(self) -> str:
        return self.namespace or "default"

    def _read(self, read: Callable[[Api], T]) -> T:
        try:
            return read(api_of(self.kubeconfig))
        except ReadFailed as error:
            raise KubectlFailed(str(error)) from error
