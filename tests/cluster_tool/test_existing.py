"""The existing provider changes nothing and takes nothing by itself."""

import io
from pathlib import Path

import pytest

from e2e.cluster import existing
from e2e.cluster.errors import ClusterError
from e2e.cluster.existing import Existing
from e2e.cluster.kubectl import parse_nodes
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.provider import Options
from e2e.cluster.status import NodeStatus


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Empty folders."""
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def provider(paths: Paths) -> Existing:
    """The provider, silent."""
    return Existing(paths, Progress(io.StringIO()))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(Options(), "needs --context NAME", id="no context"),
        pytest.param(Options(context=""), "needs --context NAME", id="an empty context"),
        pytest.param(Options(context="prod", nodes=3), "cannot change", id="a number of nodes"),
        pytest.param(
            Options(context="prod", proxy_mode="nftables"), "cannot change", id="a proxy mode"
        ),
    ],
)
def test_nothing_is_done_without_the_users_explicit_word(
    options: Options, problem: str, provider: Existing, paths: Paths
) -> None:
    """The current context is never taken, and nothing is remembered."""
    with pytest.raises(ClusterError, match=problem):
        provider.up(options)

    assert not paths.state.exists()


def test_down_forgets_and_touches_nothing(provider: Existing, paths: Paths) -> None:
    """Our copy of the credentials goes; no program is started."""
    paths.state.mkdir(parents=True)
    paths.kubeconfig.write_text("secret")

    provider.down()

    assert not paths.state.exists()


def test_what_it_cannot_do_it_explains(provider: Existing) -> None:
    """Images need a registry; a client needs a provider of our own."""
    with pytest.raises(ClusterError, match=r"(?s)x\.tar.*registry"):
        provider.load_image([Path("/tmp/x.tar")])  # noqa: S108 - never opened
    with pytest.raises(ClusterError, match=r"(?s)curl.*node1.*--provider local"):
        provider.client_command(["curl", "x"], "node1")
    assert provider.logs() == {}


def test_a_copy_of_one_context_is_taken() -> None:
    """Minified and flattened: no other cluster's credentials, no other files."""
    command = existing.view_command(Path("/bin/kubectl"), "dev", Path("/home/me/config"))

    assert command[1:] == [
        "config",
        "view",
        "--minify",
        "--flatten",
        "--raw",
        "--context=dev",
        "--kubeconfig=/home/me/config",
    ]


def test_nodes_are_read_from_kubectls_answer() -> None:
    """A node without conditions or addresses is not ready, and has none."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [
        {"type": "Hostname", "address": "a"}, {"type": "InternalIP", "address": "192.0.2.7"},
    ]}  # fmt: skip
    items = [
        {"metadata": {"name": "a"}, "status": ready},
        {"metadata": {"name": "b"}, "status": {}},
    ]

    assert parse_nodes({"items": items}) == (
        NodeStatus("a", "192.0.2.7", ready=True),
        NodeStatus("b", "", ready=False),
    )
