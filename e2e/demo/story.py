"""The demo, act by act."""

import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from e2e.cluster.progress import Progress, Step
from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, install, then, timeline, when
from e2e.support.load import FortioReport, LoadFailed, RunningLoad, fortio
from e2e.support.table import WIDTH, Row, fortio_row, own_row, render
from e2e.support.testbed import Testbed, the_cluster
from e2e.support.world import World, clear_away, make_world, remove
from lossless.model.names import SHORT_NAME

TITLES: Final = {
    Variant.PLAIN: "plain: no preStop hook, as most Deployments are",
    Variant.SLEEP: "sleep: preStop sleeps 10 s in nginx and 12 s in the app behind it",
    Variant.LOSSLESS: "lossless: a LosslessRollout with close: [{nginx: {}}], all else default",
}
_NOTES: Final = {
    "own": (
        "{connections} keep-alive clients outside the cluster, each sends a POST about every 60 ms"
        ' and never sends one twice; "timeout" is no answer within 10 s'
    ),
    "fortio": (
        "8 keep-alive clients, 100 POSTs/s in all, Go's net/http; does not tell an EOF from a reset"
    ),
    "rollout": (
        "from the change of the version until the last old pod was gone; 3 replicas, maxSurge 1,"
        " maxUnavailable 0; nginx 1.22 in front of a Python app, both stopped by SIGTERM"
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    """How one rollout went."""

    variant: Variant
    seconds: float
    own: LoadReport
    fortio: FortioReport
    account: str
    """Where requests were lost; empty if none was, or if it was to be expected."""
    began: float
    """Seconds of the epoch when the version was changed."""
    steps: Sequence[timeline.Step]
    """What happened meanwhile, in order of time."""

    @property
    def failed(self) -> int:
        """Requests that failed, whoever sent them."""
        return self.own.failed + self.fortio.failed


class Story:
    """Brings everything up, then tells one variant after the other."""

    def __init__(self, progress: Progress, *, connections: int, keep: bool) -> None:
        self._progress = progress
        self._connections = connections
        self._keep = keep
        self._testbed: Testbed | None = None
        self._images: install.Images | None = None
        self._stack = ExitStack()
        self._logs = Path(self._stack.enter_context(TemporaryDirectory(prefix="lossless-demo-")))

    def __enter__(self) -> Self:
        self._testbed = self._stack.enter_context(the_cluster(self._progress))
        self._images = install.build_images(self._testbed)
        with self._progress.step("Installing the chart"):
            install.install_chart(self._testbed, self._images)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def tell(self, variant: Variant) -> Result:
        """Deploy one variant, roll it out under load, and return what was lost."""
        self._progress.say(f"\n{TITLES[variant]}")
        world = self._world(variant)
        with self._progress.step("  Deploying three replicas"):
            given.the_service(world, variant, drain={})
        via = given.another_way_in(world)
        looks: list[tuple[str, str]] = []
        with (
            self._progress.step("  Rolling out version v2 under load") as step,
            given.load(world, connections=self._connections) as load,
            fortio(world.testbed, world.service_url(), via=via) as beside,
            _counted(step, load),
        ):
            began, begun = time.time(), time.monotonic()
            when.the_version_changes(world)
            if variant is Variant.LOSSLESS:
                then.status_shows(world, "a pod drains", lambda status: status.get("draining"))
                looks.append((" in mid-rollout", self._look(world)))
            when.the_rollout_ends(world)
            seconds = time.monotonic() - begun
            load.goes_on(requests=3000)
        lost = (load.report.failed or beside[0].failed) and variant is Variant.LOSSLESS
        result = Result(
            variant=variant,
            seconds=seconds,
            own=load.report,
            fortio=beside[0],
            account=then.account(world, load.report) if lost else "",
            began=began,
            steps=tuple(world.timeline.steps),
        )
        self._progress.say(f"  {result.failed} requests failed; the rollout took {seconds:.0f} s")
        if variant is Variant.LOSSLESS:
            looks.append((" afterwards", self._look(world)))
        for moment, seen in looks:
            self._progress.say(f"\n$ kubectl get {SHORT_NAME}  #{moment}\n{seen}")
        return result

    def table(self, results: Sequence[Result]) -> str:
        """Return the before/after table with its footnotes."""
        footnotes = "\n".join(
            textwrap.fill(f"{term:<8}{words}", WIDTH, subsequent_indent=" " * 8)
            for term, words in notes(self._connections)
        )
        return f"\n{render(rows_of(results))}\n\n{footnotes}"

    @property
    def testbed(self) -> Testbed:
        """The cluster, from entry on."""
        assert self._testbed is not None  # set on entry
        return self._testbed

    def where_to_look(self) -> str:
        """Return how to look around, and how to remove everything."""
        if self._testbed is None:
            return "\nRemove what there is:  make down"
        namespace = _namespace(Variant.LOSSLESS)
        return f"""
Look around:
  export KUBECONFIG={self._testbed.kubeconfig} PATH={self._testbed.folder}:$PATH
  kubectl -n {namespace} get {SHORT_NAME}
  kubectl -n {namespace} describe {SHORT_NAME} web
  kubectl -n {namespace} rollout restart deployment web; kubectl -n {namespace} get {SHORT_NAME} -w

Remove everything:
  make down"""

    def _world(self, variant: Variant) -> World:
        assert self._images is not None  # set on entry
        namespace = _namespace(variant)
        with self._progress.step(f"  Clearing away what an earlier run has left in {namespace}"):
            clear_away(self.testbed, namespace)
        world = make_world(self.testbed, self._images, namespace, self._logs / variant)
        if variant is Variant.LOSSLESS or self._keep:
            self._stack.callback(world.timeline.close)
        else:
            self._stack.callback(remove, world)
        return world

    @staticmethod
    def _look(world: World) -> str:
        return world.kubectl("get", SHORT_NAME).rstrip()


def notes(connections: int) -> list[tuple[str, str]]:
    """Return the table's terms, and what they mean."""
    return [(term, words.format(connections=connections)) for term, words in _NOTES.items()]


def rows_of(results: Sequence[Result]) -> list[Row]:
    """Return the rows of the before/after table."""
    return [
        row
        for result in results
        for row in (
            own_row(result.variant, result.seconds, result.own),
            fortio_row(result.variant, result.seconds, result.fortio),
        )
    ]


def verdict(results: Sequence[Result]) -> tuple[bool, str]:
    """Return whether the promise was kept and shown to mean something, and say so."""
    by_variant = {result.variant: result for result in results}
    plain, lossless = by_variant.get(Variant.PLAIN), by_variant.get(Variant.LOSSLESS)
    if plain is None or lossless is None:
        return False, "\nNothing is proved: that takes both the plain and the lossless row."
    if lossless.failed:
        return False, f"\nBROKEN: the lossless rollout lost requests.\n{lossless.account}"
    if not plain.failed:
        return (
            False,
            "\nNothing is proved: the plain rollout lost none either. Raise --connections.",
        )
    requests = lossless.own.requests + lossless.fortio.requests
    return True, (
        f"\nThe plain rollout lost {plain.failed} requests, the lossless one none of {requests:,}."
    )


def _namespace(variant: Variant) -> str:
    return f"demo-{variant}"


@contextmanager
def _counted(step: Step, load: RunningLoad) -> Iterator[None]:
    """Show the requests so far while a step goes on."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(0.5):
            try:
                seen = load.so_far
            except LoadFailed:
                return
            step.detail = f"{seen.requests:,} requests, {seen.failed} failed"

    thread = threading.Thread(target=show, name="demo: counting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
