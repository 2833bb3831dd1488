"""Commands, as far as they refuse or choose."""

from pathlib import Path

import pytest

from e2e.cluster import cli
from e2e.cluster.errors import ClusterError
from e2e.cluster.local import refuse_other_shape, with_proxy_mode
from e2e.cluster.paths import Paths
from e2e.cluster.provider import Options
from e2e.cluster.record import Record
from e2e.cluster.topology import ProxyMode, Topology


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A home without a cluster, whatever this machine has up."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Paths.of_user()


@pytest.mark.parametrize(
    ("asked", "up", "engine", "chosen"),
    [
        pytest.param("auto", None, True, "kind", id="Docker is there"),
        pytest.param("auto", None, False, "local", id="no Docker"),
        pytest.param("auto", "local", True, "local", id="what is up is kept"),
        pytest.param("auto", "existing", False, "existing", id="also another's"),
        pytest.param("local", None, True, "local", id="the user's word"),
        pytest.param("kind", "kind", True, "kind", id="the same again"),
    ],
)
def test_the_provider_is_chosen(asked: str, up: str | None, engine: bool, chosen: str) -> None:  # noqa: FBT001 - a table's column
    """The user's word first, then what is up, then Docker if there is an engine."""
    assert cli.choose(asked, up, engine_answers=engine) == chosen


def test_two_providers_at_once_are_refused() -> None:
    """Or `down` would take away only one of them."""
    with pytest.raises(ClusterError, match=r"(?s)--provider kind.*provider local.*down"):
        cli.choose("kind", "local", engine_answers=True)


@pytest.mark.parametrize(
    "argv",
    [
        ["status"],
        ["kubeconfig"],
        ["logs"],
        ["load-image", "x.tar"],
        ["client", "--", "true"],
    ],
    ids=lambda argv: argv[0],
)
def test_without_a_cluster_the_way_to_one_is_named(
    argv: list[str], home: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, one sentence, no traceback, and nothing on standard output."""
    assert not home.state.exists()
    assert cli.main(argv) == 1

    printed = capsys.readouterr()
    assert "No cluster is up" in printed.err
    assert "python -m e2e.cluster up" in printed.err
    assert printed.out == ""


def test_a_context_for_another_provider_is_refused(
    home: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who names a context expects that cluster to be used."""
    assert cli.main(["up", "--provider", "local", "--context", "prod"]) == 1

    assert "mean nothing to provider local" in capsys.readouterr().err
    assert not home.state.exists()


def test_a_build_argument_without_a_value_is_refused(
    home: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message shows the form."""
    argv = ["build-image", "--file", "Dockerfile", "--tag", "localhost/x:1", "--context", "."]

    assert cli.main([*argv, "--build-arg", "BASE", str(home.cache / "x.tar")]) == 1
    assert "NAME=VALUE" in capsys.readouterr().err


def test_a_client_command_keeps_its_own_options() -> None:
    """All after -- is the command's, options that look like ours included."""
    arguments = cli.parser().parse_args(["client", "--via", "node1", "--", "ip", "--via", "x"])

    assert arguments.via == "node1"
    assert arguments.argv == ["ip", "--via", "x"]


def test_another_number_of_nodes_than_what_is_up_is_refused() -> None:
    """A cluster in use is not torn down to please a second caller."""
    with pytest.raises(ClusterError, match="--nodes 3 was asked for"):
        refuse_other_shape(Topology("10.89.0.0/24", 2), Options(nodes=3))


@pytest.mark.parametrize("options", [Options(), Options(nodes=2), Options(proxy_mode="nftables")])
def test_what_is_up_is_accepted(options: Options) -> None:
    """Unsaid, said as it is, or only kube-proxy's mode, which can be changed."""
    refuse_other_shape(Topology("10.89.0.0/24", 2), options)


@pytest.mark.parametrize(
    ("asked", "mode"), [(None, "nftables"), ("nftables", "nftables"), ("iptables", "iptables")]
)
def test_kube_proxys_mode_changes_only_if_asked_for(
    asked: ProxyMode | None, mode: ProxyMode
) -> None:
    """All else of the cluster that is up stays as it is."""
    up = Topology("10.89.0.0/24", 3, "nftables")

    assert with_proxy_mode(up, Options(proxy_mode=asked)) == Topology("10.89.0.0/24", 3, mode)


def test_the_kubeconfigs_path_is_all_that_is_printed(
    home: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a shell can use it."""
    Record("existing", complete=True, boot="", details={"context": "x"}).write(home)

    assert cli.main(["kubeconfig"]) == 0
    assert capsys.readouterr().out == f"{home.kubeconfig}\n"
