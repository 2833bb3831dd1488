"""Status files, the state directory and its lock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lossless.host.flags import present, remember, restore, withdraw
from lossless.host.journal import Flag, Journal
from lossless.host.plan import Verb
from lossless.host.store import Locked, Store
from tests.host.machine import ENVIRONMENT

JOURNAL = Journal("1", Verb.PUBLISH, 1, 1.0, 2.0)
_HOLD = """
import sys
from pathlib import Path
from lossless.host.store import Store
with Store(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_flag_comes_back_as_it_was(tmp_path: Path) -> None:
    """Content, for load balancers that compare it, and mode, for those who read it."""
    flag = tmp_path / "on"
    flag.write_bytes(b"UP\xff\n")
    flag.chmod(0o604)
    kept = remember([str(flag)])
    withdraw([str(flag), str(flag)])
    assert present([str(flag)]) == {str(flag): False}

    restore(kept)

    assert flag.read_bytes() == b"UP\xff\n"
    assert flag.stat().st_mode & 0o7777 == 0o604
    assert list(tmp_path.iterdir()) == [flag]


def test_a_flag_that_is_gone_already_is_remembered_from_before(tmp_path: Path) -> None:
    """By the journal of the run that removed it; without one it is empty."""
    path = str(tmp_path / "on")
    before = Flag(path, "UP", 0o600, 1, 1)

    assert remember([path], [before]) == (before,)
    assert remember([path]) == (Flag(path),)


def test_a_flag_that_somebody_has_put_back_is_left_alone(tmp_path: Path) -> None:
    """What is there is what people want."""
    flag = tmp_path / "on"
    flag.write_text("theirs")
    restore([Flag(str(flag), "ours")])

    assert flag.read_text() == "theirs"


def test_a_flag_of_megabytes_is_none(tmp_path: Path) -> None:
    """Somebody has mistaken the log for it."""
    flag = tmp_path / "on"
    flag.write_text("x" * 5000)

    with pytest.raises(ValueError, match="more than 4096 bytes"):
        remember([str(flag)])


def test_what_cannot_be_removed_is_an_error(tmp_path: Path) -> None:
    """The load balancer would still send."""
    with pytest.raises(OSError, match=f"cannot remove {tmp_path}"):
        withdraw([str(tmp_path)])


def test_the_journal_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Nothing else is left beside it."""
    store = Store(tmp_path / "state")
    store.prepare()
    assert store.read() is None
    store.write(JOURNAL)
    store.write(JOURNAL)

    assert store.read() == JOURNAL
    assert [path.name for path in store.directory.iterdir()] == ["journal.json"]


def test_two_runs_at_once_are_refused_by_name(tmp_path: Path) -> None:
    """A killed holder holds nothing: the kernel has let go."""
    store = Store(tmp_path)
    assert store.holder() is None
    with subprocess.Popen(  # noqa: S603 # this interpreter
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert store.holder() == holder.pid
        with (
            pytest.raises(Locked, match=f"process {holder.pid}; wait for it, or .*kill"),
            store.lock(),
        ):
            pass
        holder.kill()
        holder.wait(10)
        assert store.holder() is None
        with store.lock():
            assert store.holder() == os.getpid()
