"""The project's own check ends as the tests did, and takes the cluster away."""

import os
import subprocess
from pathlib import Path

import pytest

_RUN = Path(__file__).parents[1] / ".ci" / "run"
#: In the place of make: ends as it is told to.
_MAKE = """\
#!/bin/sh
echo "$@, e2e tests: $LOSSLESS_E2E"
case $1 in
  test) exit "$TEST" ;;
  down) exit "$DOWN" ;;
esac
"""


@pytest.mark.parametrize(
    ("test", "down", "status"),
    [
        pytest.param(0, 0, 0, id="good"),
        pytest.param(0, 2, 2, id="the-cluster-stays"),
        pytest.param(1, 0, 1, id="a-test-fails"),
        pytest.param(1, 2, 1, id="a-test-fails-and-the-cluster-stays"),
    ],
)
def test_the_first_failure_counts(test: int, down: int, status: int, tmp_path: Path) -> None:
    """The cluster is taken away in any case."""
    make = tmp_path / "make"
    make.write_text(_MAKE)
    make.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "TEST": str(test),
        "DOWN": str(down),
    }

    done = subprocess.run(  # noqa: S603 # a script of ours
        [_RUN], env=environ, capture_output=True, text=True, check=False, timeout=30
    )

    assert done.stdout.splitlines() == [
        "test, e2e tests: required",
        "down, e2e tests: required",
    ]
    assert done.returncode == status, done.stderr
