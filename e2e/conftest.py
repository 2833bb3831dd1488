"""One cluster with the product installed for all stories; a namespace of its own for each world.

With ``--numprocesses`` stories run side by side: whoever starts the run brings the cluster up and
installs the product, and its workers take turns (``turns``). Stories that disturb the cluster or
the product are marked ``alone`` and come last, one after the other.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError
from e2e.support import install, seconds, when
from e2e.support.eventually import NeverHappened
from e2e.support.install import Images
from e2e.support.scheduling import OneByOne
from e2e.support.shared import Shared, shared
from e2e.support.stories import Story, requests_table, seconds_table
from e2e.support.testbed import Testbed
from e2e.support.turns import Turns
from e2e.support.worlds import MakeWorld

#: Seconds for one test, its fixtures apart, which have deadlines of their own.
LIMIT: Final = 300
#: ``required``: what cannot be shown on this machine is a failure, not a reason to skip.
REQUIRED: Final = os.environ.get("LOSSLESS_E2E") == "required"
ARTIFACTS: Final = Path(
    os.environ.get("LOSSLESS_E2E_ARTIFACTS") or Path(tempfile.gettempdir(), "lossless-e2e")
)

_FAILED: Final = pytest.StashKey[bool]()
_SHARED: Final = pytest.StashKey[Shared]()
_STORIES: Final = pytest.StashKey[list[Story]]()
_HELD: Final = pytest.StashKey[ExitStack]()
#: What a story tells of itself, as a property of its report: a worker has no other way.
_TOLD: Final = "story"
#: Seconds of a story that does not say what it costs.
_COST: Final = 60.0
#: First lines of what went wrong that are shown at once; the whole stands at the end.
_SHOWN: Final = 40
#: What begins after all else, by its marker.
_LAST: Final = {"apart": 1, "alone": 2}
_MARKERS: Final = (
    "alone(why): disturbs the cluster or the product, so nothing else may run meanwhile",
    "apart(why): does not touch the cluster, so it runs beside those that must be alone on it",
    "costs(seconds): much more than others, so it begins before them",
)


def cannot_be_shown(reason: str) -> NoReturn:
    """Skip the test that asks, or fail it where all are required.

    Args:
        reason: what this machine or its cluster lacks.
    """
    if REQUIRED:
        pytest.fail(f"{reason} (LOSSLESS_E2E=required)", pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Make room for what stories count."""
    config.stash[_STORIES] = []
    config.stash[_HELD] = ExitStack()
    stories: list[Story] = config.stash[_STORIES]
    has_workers = bool(config.getoption("numprocesses", None))
    config.pluginmanager.register(_Listener(stories, at_once=has_workers))
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    told = getattr(config, "workerinput", {}).get(_TOLD)
    if told is not None:
        config.stash[_SHARED] = Shared.parse(told)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Bring the cluster up for the workers of this run, if it has any."""
    config = session.config
    if config.getoption("numprocesses", None) and not config.getoption("collectonly"):
        config.stash[_SHARED] = config.stash[_HELD].enter_context(shared())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne:
    """Hand stories out one by one, in their order."""
    return OneByOne(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of the cluster."""
    found = node.config.stash.get(_SHARED, None)
    node.workerinput[_TOLD] = None if found is None else found.text()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Insist that no pod is left; the cluster stays up."""
    held = session.config.stash[_HELD]
    try:
        held.close()
    except NeverHappened as error:
        print(f"ERROR e2e - {error}", file=sys.stderr)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class _Listener:
    """Hears of every story's end, in whichever process it was told."""

    def __init__(self, stories: list[Story], *, at_once: bool) -> None:
        """Take where stories are kept, and whether to show failures at once."""
        self._stories = stories
        self._at_once = at_once

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a story has told of itself; show a failure now: the run's end is far away."""
        if report.failed and self._at_once:
            said = report.longreprtext.splitlines()
            reason = [line for line in said if line.startswith("E ")][:_SHOWN]
            print("", f"{report.nodeid} ({report.when})", *reason, sep="\n", file=sys.stderr)
        if report.when == "teardown":
            told: list[Any] = [it for name, it in report.user_properties if name == _TOLD]
            self._stories += [Story.parse(document) for document in told]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what each story took and counted: none lost is worth what its control lost."""
    stories: list[Story] = config.stash[_STORIES]
    if not stories:
        return
    terminalreporter.section("seconds of each story, the longest first")
    terminalreporter.write_line(seconds_table(stories))
    terminalreporter.section("requests")
    terminalreporter.write_line(requests_table(stories))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each story a limit of its own, and put all into the order in which they begin."""
    for item in items:
        if not any(item.iter_markers("timeout")):
            item.add_marker(pytest.mark.timeout(LIMIT, func_only=True))
    items.sort(key=lambda item: (_rank(item), -_cost(item)))


def _rank(item: pytest.Item) -> int:
    """Return 0 for most stories, 1 for those apart from the cluster, 2 for those alone on it."""
    return next((rank for name, rank in _LAST.items() if item.get_closest_marker(name)), 0)


def _cost(item: pytest.Item) -> float:
    marker = item.get_closest_marker("costs")
    return _COST if marker is None else float(marker.args[0])


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
def prepared_cluster(request: pytest.FixtureRequest) -> Iterator[Shared]:
    """Return the cluster with the product installed, brought up if need be; it stays up."""
    found = request.config.stash.get(_SHARED, None)
    with ExitStack() as stack:
        if found is None:
            found = stack.enter_context(shared())
        yield found


@pytest.fixture(scope="session")
def turns(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Turns:
    """Return what keeps the processes of a run apart where they must be."""
    found = request.config.stash.get(_SHARED, None)
    return Turns(tmp_path_factory.mktemp("turns")) if found is None else found.turns


@pytest.fixture(scope="session")
def testbed(prepared_cluster: Shared) -> Testbed:
    """Return the cluster."""
    if prepared_cluster.testbed is None:
        cannot_be_shown(prepared_cluster.unavailable)
    return prepared_cluster.testbed


@pytest.fixture
def cluster(testbed: Testbed) -> Cluster:  # noqa: ARG001 # which is up then
    """Return the cluster's own processes, for tests that break them."""
    try:
        return Cluster.current()
    except ClusterError as reason:
        cannot_be_shown(str(reason))


@pytest.fixture(scope="session")
def images(testbed: Testbed, prepared_cluster: Shared) -> Images:  # noqa: ARG001 # or why not
    """Return the images of this checkout, on every node, with the chart installed."""
    assert prepared_cluster.images is not None  # as there is a cluster
    return prepared_cluster.images


@pytest.fixture(scope="session")
def proof_image(testbed: Testbed, turns: Turns) -> str:
    """Return the image of the proof's pods, on every node."""
    with turns.once("proof-image"):
        return install.build_proof_image(testbed)


@pytest.fixture(autouse=True)
def story(request: pytest.FixtureRequest, turns: Turns) -> Iterator[Story]:
    """Return what is kept of a story, for which it is its turn on the cluster."""
    told = Story(request.node.name)
    with ExitStack() as stack:
        if not request.node.get_closest_marker("apart"):
            alone = request.node.get_closest_marker("alone") is not None
            stack.enter_context(turns.taken(alone=alone))
        begun = time.monotonic()
        seconds.taken()
        yield told
        told.seconds = time.monotonic() - begun
        told.steps = seconds.taken()
    request.node.user_properties.append((_TOLD, told.document()))


@pytest.fixture
def make(
    request: pytest.FixtureRequest, testbed: Testbed, images: Images, turns: Turns, story: Story
) -> Iterator[MakeWorld]:
    """Return what makes worlds."""
    folder = _folder(request.node)
    shutil.rmtree(folder, ignore_errors=True)
    worlds = MakeWorld(testbed, images, turns, folder)

    yield worlds

    failed = request.node.stash.get(_FAILED, False)
    for world in worlds.made:
        story.counted(world.namespace, world.counted)
    worlds.remove_all(failed=failed)
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
