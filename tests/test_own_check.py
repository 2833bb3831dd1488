"""The project's own check ends as the tests did, and takes the cluster away before and after."""

import os
import subprocess
from pathlib import Path

import pytest

_RUN = Path(__file__).parents[1] / ".ci" / "run"
#: In the place of make: ends as it is told to, the first time that it takes a cluster away too.
_MAKE = """\
#!/bin/sh
echo "$@, e2e tests: $LOSSLESS_E2E"
case $1 in
  test)
    : > "$TESTED"
    [ "$TEST" = 0 ] || echo 'ERROR e2e/test_it.py::test - pods are left'
    exit "$TEST" ;;
  down) if [ -e "$TESTED" ]; then exit "$AFTER"; else exit "$BEFORE"; fi ;;
esac
"""
_DOWN = "down, e2e tests: required"
_TEST = "test, e2e tests: required"
_ERROR = "ERROR e2e/test_it.py::test - pods are left"


@pytest.mark.parametrize(
    ("before", "test", "after", "status", "said"),
    [
        pytest.param(0, 0, 0, 0, [_DOWN, _TEST, _DOWN], id="good"),
        pytest.param(0, 0, 2, 2, [_DOWN, _TEST, _DOWN], id="the-cluster-stays"),
        pytest.param(0, 1, 0, 1, [_DOWN, _TEST, _ERROR, _DOWN, _ERROR], id="a-test-fails"),
        pytest.param(
            *(0, 1, 2, 1, [_DOWN, _TEST, _ERROR, _DOWN, _ERROR]),
            id="a-test-fails-and-the-cluster-stays",
        ),
        pytest.param(2, 0, 0, 2, [_DOWN, _DOWN], id="an-earlier-cluster-stays"),
    ],
)
def test_the_first_failure_counts(  # noqa: PLR0913, PLR0917 # what happens, and what comes of it
    before: int, test: int, after: int, status: int, said: list[str], tmp_path: Path
) -> None:
    """The cluster is taken away in any case, and what failed is said last."""
    make = tmp_path / "make"
    make.write_text(_MAKE)
    make.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "TESTED": str(tmp_path / "tested"),
        "BEFORE": str(before),
        "TEST": str(test),
        "AFTER": str(after),
    }

    done = subprocess.run(  # noqa: S603 # a script of ours
        [_RUN], env=environ, capture_output=True, text=True, check=False, timeout=30
    )

    assert done.stdout.splitlines() == said
    assert done.returncode == status, done.stderr
