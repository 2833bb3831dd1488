"""Where things are kept."""

from pathlib import Path

import pytest

from e2e.cluster.paths import Paths


@pytest.mark.parametrize(
    ("environ", "cache", "state"),
    [
        pytest.param(
            {"HOME": "/home/me"}, "/home/me/.cache", "/home/me/.local/state", id="defaults"
        ),
        pytest.param(
            {"HOME": "/home/me", "XDG_CACHE_HOME": "/c", "XDG_STATE_HOME": "/s"},
            "/c",
            "/s",
            id="named",
        ),
        pytest.param(
            {"HOME": "/home/me", "XDG_CACHE_HOME": "", "XDG_STATE_HOME": "relative"},
            "/home/me/.cache",
            "/home/me/.local/state",
            id="empty and relative ones do not count",
        ),
    ],
)
def test_the_xdg_base_directories_are_followed(
    environ: dict[str, str], cache: str, state: str
) -> None:
    """As their specification says."""
    paths = Paths.of_user(environ)

    assert paths.cache == Path(cache, "lossless")
    assert paths.state == Path(state, "lossless/cluster")
    assert paths.lock.parent == paths.state.parent
