"""The record of what is up, and the lock around it."""

import io
import multiprocessing
from pathlib import Path

import pytest

from e2e.cluster.errors import ClusterError
from e2e.cluster.local import standing
from e2e.cluster.paths import Paths
from e2e.cluster.processes import boot_id
from e2e.cluster.progress import Progress
from e2e.cluster.record import Record, exclusive
from e2e.cluster.topology import Topology

TOPOLOGY = {"topology": Topology("10.89.0.0/24", 2).as_record()}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Empty folders."""
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state" / "cluster")


def test_a_record_is_read_as_it_was_written(paths: Paths) -> None:
    """And its folder is the owner's only."""
    record = Record("kind", complete=True, boot="b", details={"nodes": 3})
    record.write(paths)

    assert Record.read(paths) == record
    assert paths.state.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"provider": "kind"'])
def test_a_record_without_sense_is_none(text: str | None, paths: Paths) -> None:
    """Whatever a killed run or another version left."""
    paths.state.mkdir(parents=True)
    if text is not None:
        paths.record.write_text(text)

    assert Record.read(paths) is None


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(None, id="none"),
        pytest.param(Record("kind", True, boot_id(), {"nodes": 2}), id="another provider's"),  # noqa: FBT003
        pytest.param(Record("local", False, boot_id(), TOPOLOGY), id="unfinished"),  # noqa: FBT003
        pytest.param(Record("local", True, "another boot", TOPOLOGY), id="before a reboot"),  # noqa: FBT003
    ],
)
def test_a_cluster_that_does_not_stand_is_made_anew(record: Record | None, paths: Paths) -> None:
    """Only a complete cluster of this boot is mended."""
    assert standing(record, paths) is None


def _hold(lock: Path, held: "multiprocessing.synchronize.Event") -> None:
    with exclusive(lock, Progress(io.StringIO())):
        held.set()
        held.wait(60)
        multiprocessing.Event().wait(60)


def test_a_second_run_waits_and_says_for_whom(paths: Paths) -> None:
    """And a killed holder's lock is free at once."""
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(paths.lock, held), daemon=True)
    holder.start()
    assert held.wait(20)
    said = io.StringIO()

    with (
        pytest.raises(ClusterError, match=f"pid {holder.pid}"),
        exclusive(paths.lock, Progress(said), timeout=0),
    ):
        pass
    holder.kill()
    holder.join()
    with exclusive(paths.lock, Progress(said), timeout=5):
        pass

    assert said.getvalue() == ""
