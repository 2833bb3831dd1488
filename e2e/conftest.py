"""One cluster with the product installed for all tests; a namespace of its own for each world."""

import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NoReturn

import pytest

from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError
from e2e.cluster.progress import Progress
from e2e.support import install, when
from e2e.support.collect import collect
from e2e.support.install import Images
from e2e.support.leftovers import WORLDS, no_pod_is_left
from e2e.support.table import aligned, how
from e2e.support.testbed import Testbed, Unavailable, the_cluster
from e2e.support.world import World, make_world, remove

#: Seconds for one test, its fixtures apart, which have deadlines of their own.
LIMIT: Final = 300
#: ``required``: what cannot be shown on this machine is a failure, not a reason to skip.
REQUIRED: Final = os.environ.get("LOSSLESS_E2E") == "required"
ARTIFACTS: Final = Path(
    os.environ.get("LOSSLESS_E2E_ARTIFACTS") or Path(tempfile.gettempdir(), "lossless-e2e")
)

MakeWorld = Callable[[str], World]
_FAILED: Final = pytest.StashKey[bool]()
_COUNTED: Final = pytest.StashKey[list[tuple[str, ...]]]()


def cannot_be_shown(reason: str) -> NoReturn:
    """Skip the test that asks, or fail it where all are required.

    Args:
        reason: what this machine or its cluster lacks.
    """
    if REQUIRED:
        pytest.fail(f"{reason} (LOSSLESS_E2E=required)", pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the table of requests."""
    config.stash[_COUNTED] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what each test counted: a claim of none lost is worth what its control lost."""
    rows = config.stash[_COUNTED]
    if rows:
        terminalreporter.section("requests")
        heads = ("test", "world", "requests", "failed", "how")
        terminalreporter.write_line(aligned(heads, rows, left=(0, 1, 4)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test a limit of its own; pyproject's is for unit tests."""
    for item in items:
        if not any(item.iter_markers("timeout")):
            item.add_marker(pytest.mark.timeout(LIMIT, func_only=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixtures that clean up, and name the folder with the logs."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
        report.sections.append(("where to look", f"logs and objects: {_folder(item)}"))
    return report


@pytest.fixture(scope="session")
def testbed() -> Iterator[Testbed]:
    """Return the cluster, brought up if need be; it stays up."""
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(the_cluster(Progress(sys.stderr)))
        except Unavailable as reason:
            cannot_be_shown(str(reason))
        yield cluster
        no_pod_is_left(cluster.kubectl, "the last pod of the tests to be gone")


@pytest.fixture
def cluster(testbed: Testbed) -> Cluster:  # noqa: ARG001 # which is up then
    """Return the cluster's own processes, for tests that break them."""
    try:
        return Cluster.current()
    except ClusterError as reason:
        cannot_be_shown(str(reason))


@pytest.fixture(scope="session")
def images(testbed: Testbed) -> Images:
    """Return the images of this checkout, on every node, with the chart installed."""
    built = install.build_images(testbed)
    install.install_chart(testbed, built)
    return built


@pytest.fixture(scope="session")
def proof_image(testbed: Testbed) -> str:
    """Return the image of the proof's pods, on every node."""
    return install.build_proof_image(testbed)


@pytest.fixture
def make(request: pytest.FixtureRequest, testbed: Testbed, images: Images) -> Iterator[MakeWorld]:
    """Return a function that makes a world, in a namespace with a name to recognize it by."""
    worlds: list[World] = []
    folder = _folder(request.node)
    shutil.rmtree(folder, ignore_errors=True)

    def a_world(name: str) -> World:
        namespace = f"{WORLDS}{name}-{uuid.uuid4().hex[:5]}"
        worlds.append(make_world(testbed, images, namespace, folder / name))
        return worlds[-1]

    yield a_world

    failed = request.node.stash.get(_FAILED, False)
    name = request.node.nodeid.rpartition("::")[2]
    for world in worlds:
        request.config.stash[_COUNTED] += [
            (name, world.namespace, f"{seen.requests:,}", f"{seen.failed:,}", how(seen.kinds))
            for seen in world.counted
        ]
        if failed:
            collect(world)
        remove(world)
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def restored(testbed: Testbed) -> Iterator[None]:
    """Bring the product back to full strength, whatever a test did to it."""
    product = testbed.kubectl.within(install.NAMESPACE)
    before = {
        name: thing["spec"]["replicas"]
        for name in (when.CONTROLLER, when.WEBHOOK)
        if (thing := product.get("deployment.apps", name)) is not None
    }
    yield
    for name, replicas in before.items():
        product("scale", f"deployment/{name}", f"--replicas={replicas}")
    for name in before:
        product("rollout", "status", f"deployment/{name}", "--timeout=120s", timeout=130)


def _folder(item: pytest.Item) -> Path:
    return ARTIFACTS / re.sub(r"[^A-Za-z0-9_.-]+", "-", item.nodeid.rpartition("/")[2])
