"""The product as a user installs it: images on the nodes, ``helm upgrade --install``."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from e2e.cluster import build_context
from e2e.support.eventually import eventually
from e2e.support.seconds import Step, spent_on
from e2e.support.testbed import ROOT, Testbed

RELEASE: Final = "lossless"
NAMESPACE: Final = "lossless-system"
CHART: Final = ROOT / "charts" / "lossless"
_SAMPLE: Final = ROOT / "e2e" / "sample" / "image"
#: What is not installed well is told sooner than by default.
_QUICK: Final = {"selftest.timeout": "20"}
_PROOF: Final = "e2e/proof/image"
#: What the image of the proof's pods is made of, below the repository's root; of the product it is
#: the middleware only, so that the image stays what it is when anything else changes.
_PROOF_PARTS: Final = (
    _PROOF,
    "e2e/sample/image",
    "operator/lossless/__init__.py",
    "operator/lossless/middleware",
    "operator/lossless/model/__init__.py",
    "operator/lossless/model/names.py",
)


@dataclass(frozen=True, slots=True)
class Images:
    """Names of images that are on every node."""

    operator: str
    agent: str
    sample: str


class InstallFailed(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """Helm refused or gave up; the text is what it said."""


@spent_on(Step.INSTALL)
def build_images(testbed: Testbed) -> Images:
    """Build what is not built yet and bring it onto every node."""
    product = _tag(ROOT / "Dockerfile", ROOT)
    images = Images(
        operator=f"localhost/lossless:{product}",
        agent=f"localhost/lossless-agent:{product}",
        sample=f"localhost/lossless-sample:{_tag(_SAMPLE / 'Dockerfile', _SAMPLE)}",
    )
    dockerfile = ROOT / "Dockerfile"
    testbed.load_images(
        [
            testbed.build_image(images.operator, dockerfile, ROOT, target="operator"),
            testbed.build_image(images.agent, dockerfile, ROOT, target="agent"),
            testbed.build_image(images.sample, _SAMPLE / "Dockerfile", _SAMPLE),
        ]
    )
    return images


@spent_on(Step.INSTALL)
def build_proof_image(testbed: Testbed) -> str:
    """Build the image of the proof's pods, bring it onto every node, and return its name."""
    with TemporaryDirectory(prefix="lossless-proof-image-") as folder:
        context = Path(folder)
        make_proof_context(context)
        dockerfile = context / _PROOF / "Dockerfile"
        name = f"localhost/lossless-proof:{_tag(dockerfile, context)}"
        testbed.load_images([testbed.build_image(name, dockerfile, context)])
    return name


def make_proof_context(folder: Path) -> None:
    """Copy all that the image of the proof's pods is made of into an empty folder."""
    for part in _PROOF_PARTS:
        source, copy = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def _tag(dockerfile: Path, context: Path) -> str:
    """Return a tag that changes with what is built: nodes keep an image by its name."""
    return build_context.key(context, dockerfile, ())[:12]


@spent_on(Step.INSTALL)
def install_chart(
    testbed: Testbed,
    images: Images,
    values: Mapping[str, str] | None = None,
    *,
    chart: Path = CHART,
) -> None:
    """Install the chart, or upgrade it to these images and values, and wait until it is ready.

    Helm waits for the new pods only; those of the release before go on answering reviews until
    they have ended.

    Raises:
        InstallFailed: it is not ready in time.
        NeverHappened: its old pods do not go.
    """
    _forget_a_killed_run(testbed)
    settings = {"image": images.operator, "agentImage": images.agent, **_QUICK, **(values or {})}
    _helm(
        testbed,
        *("upgrade", "--install", RELEASE, str(chart)),
        "--create-namespace",
        *(f"--set={name}={value}" for name, value in settings.items()),
        *("--wait", "--timeout=3m"),
    )
    eventually(
        lambda: testbed.kubectl.within(NAMESPACE).list("pods"),
        lambda pods: not any("deletionTimestamp" in pod["metadata"] for pod in pods),
        what="the pods of the release before to be gone",
        within=120,
    )


def _forget_a_killed_run(testbed: Testbed) -> None:
    """Remove a release that was left in the middle: Helm would refuse ever to go on with it."""
    listed = json.loads(_helm(testbed, "list", "--output=json"))
    if any(release["status"].startswith("pending-") for release in listed):
        _helm(testbed, "uninstall", RELEASE, "--no-hooks", "--wait", "--timeout=2m")


@spent_on(Step.INSTALL)
def uninstall_chart(testbed: Testbed) -> None:
    """Remove the chart, if it is installed."""
    _helm(testbed, "uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout=2m")
    testbed.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=120)


@spent_on(Step.INSTALL)
def self_test(testbed: Testbed, *, within: float) -> tuple[bool, str]:
    """Run ``helm test``; return whether the installation works, and what the test has said."""
    done = _ended(testbed, "test", RELEASE, "--logs", f"--timeout={within:g}s")
    return done.returncode == 0, done.stdout + done.stderr


def _helm(testbed: Testbed, *arguments: str) -> str:
    done = _ended(testbed, *arguments)
    if done.returncode:
        raise InstallFailed(f"helm {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def _ended(testbed: Testbed, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [
        str(testbed.program("helm")),
        f"--kubeconfig={testbed.kubeconfig}",
        f"--namespace={NAMESPACE}",
        *arguments,
    ]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
