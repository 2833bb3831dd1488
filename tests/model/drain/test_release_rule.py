"""When each container may stop, once its pod is being drained."""

from typing import Any

import pytest

from lossless.model.drain.release_rule import DrainState, Hold, Presence, may_stop

HERE, GONE, UNKNOWN = Presence.HERE, Presence.GONE, Presence.UNKNOWN
#: Started at 100, ended at 110, might have taken until 160.
ENDED = DrainState(100.0, 60.0, 110.0)
DRAINING = DrainState(100.0, 60.0)
SLEEPER, SIDECAR = Hold(sleep=90.0), Hold(waits=30.0)


@pytest.mark.parametrize(
    ("state", "hold", "now", "more", "released"),
    [
        pytest.param(DRAINING, Hold(), 105.0, {}, False, id="nobody-stops-before-the-end"),
        pytest.param(DRAINING, Hold(), 999.0, {}, False, id="its-deadline-is-the-drains-business"),
        pytest.param(ENDED, Hold(), 110.0, {}, True, id="at-its-end-it-may"),
        pytest.param(ENDED, SLEEPER, 189.9, {}, False, id="its-own-sleep-is-longer"),
        pytest.param(ENDED, SLEEPER, 190.0, {}, True, id="its-own-sleep-is-over"),
        pytest.param(
            ENDED, Hold(), 159.9, {"own_hook_done": False}, False, id="its-own-hook-is-under-way"
        ),
        pytest.param(ENDED, Hold(), 160.0, {"own_hook_done": False}, True, id="its-own-hook-hangs"),
        pytest.param(ENDED, SIDECAR, 112.0, {"looks": [HERE] * 3}, False, id="the-app-is-there"),
        pytest.param(ENDED, SIDECAR, 112.0, {"looks": [GONE] * 3}, True, id="the-app-has-ended"),
        pytest.param(ENDED, SIDECAR, 112.0, {"looks": [GONE] * 2}, False, id="too-few-looks"),
        pytest.param(
            ENDED, SIDECAR, 112.0, {"looks": [GONE, HERE, GONE]}, False, id="a-connection-between"
        ),
        pytest.param(
            ENDED, SIDECAR, 112.0, {"looks": [HERE, GONE, GONE, GONE]}, True, id="the-latest-count"
        ),
        pytest.param(
            ENDED, SIDECAR, 112.0, {"looks": [GONE, UNKNOWN, GONE]}, False, id="unknown-is-not-gone"
        ),
        pytest.param(ENDED, SIDECAR, 139.9, {}, False, id="not-looked-yet"),
        pytest.param(ENDED, SIDECAR, 140.0, {"looks": [HERE] * 3}, True, id="long-enough"),
        pytest.param(
            ENDED,
            Hold(sleep=50.0, waits=30.0),
            112.0,
            {"looks": [GONE] * 3},
            False,
            id="all-of-them-hold",
        ),
    ],
)
def test_a_container_may_stop(  # the columns of a table
    state: DrainState,
    hold: Hold,
    now: float,
    more: dict[str, Any],
    released: bool,  # noqa: FBT001 # a column
) -> None:
    """Never before its pod, and never later than each of its own waits allows."""
    assert may_stop(state, now, hold, **more) is released
