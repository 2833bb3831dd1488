"""What kubectl is told when somebody presses tab."""

import asyncio
from pathlib import Path

import pytest

from lossless.plugin.candidates import candidates
from lossless.plugin.completion import complete, main
from tests.plugin.test_process import kubeconfig
from tests.support.fake_kubernetes import fake_kubernetes
from tests.support.raw_objects import PODS, ROLLOUTS, raw_pod, raw_rollout

NO_FILES, FILES = ":4", ":0"


@pytest.mark.parametrize(
    ("words", "offered", "directive"),
    [
        pytest.param(["re"], ["render", "restart", "resume"], NO_FILES, id="verb"),
        pytest.param(["nothing", "che"], ["check"], NO_FILES, id="no verb yet"),
        pytest.param(["check", "--fa"], ["--fail-on"], NO_FILES, id="option"),
        pytest.param(["check", "--fail-on", "n"], ["note", "never"], NO_FILES, id="value"),
        pytest.param(["status", "-o", ""], ["wide", "json", "yaml"], NO_FILES, id="output"),
        pytest.param(["check", "-f", ""], [], FILES, id="file"),
        pytest.param(["status", "--kubeconfig", ""], [], FILES, id="kubeconfig"),
        pytest.param(["render", ""], [], NO_FILES, id="a verb without a name"),
        pytest.param(["undo", "--to-revision", ""], [], NO_FILES, id="a number"),
        pytest.param(["status", "--context", ""], ["a", "b"], NO_FILES, id="context"),
        pytest.param(["status", "--context", "b"], ["b"], NO_FILES, id="part of a context"),
        pytest.param(["status", "-n", ""], [], NO_FILES, id="namespace, but no cluster"),
        pytest.param(["explain", "-n", "sh"], [], NO_FILES, id="part of a namespace"),
        pytest.param(["status", "-n", "--context", ""], [], NO_FILES, id="no value before"),
    ],
)
def test_words(
    words: list[str],
    offered: list[str],
    directive: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Verbs, options and their values come from the command line's own description."""
    known = tmp_path / "config"
    known.write_text("contexts: [{name: a, context: {cluster: x}}, {name: b, context: {}}]\n")
    monkeypatch.setenv("KUBECONFIG", str(known))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    lines, said = complete(words)
    assert ([line.partition("\t")[0] for line in lines], said) == (offered, directive)


async def test_names_come_from_the_cluster(tmp_path: Path) -> None:
    """Those of the namespace that the words so far name; pods that have an agent."""
    async with fake_kubernetes() as (fake, _):
        fake.put(f"{ROLLOUTS}/web", raw_rollout())
        fake.put(f"{PODS}/a", raw_pod("a"))
        fake.put(f"{PODS}/bare", raw_pod("bare", injected=False))
        fake.put("/api/v1/namespaces/shop", {})
        at = ["status", "--kubeconfig", kubeconfig(tmp_path / "k", fake)]

        assert await candidates("name", at, 2.0) == ["web"]
        assert await candidates("name", [*at, "-n", "other"], 2.0) == []
        assert await candidates("pod", at, 2.0) == ["a"]
        assert await candidates("context", at, 2.0) == ["c"]
        assert await candidates("to_revision", at, 2.0) == []


async def test_namespaces_come_from_the_cluster_that_the_words_name(tmp_path: Path) -> None:
    """``-n <TAB>``: of the words so far the last is the option that is being completed."""
    async with fake_kubernetes() as (fake, _):
        for name in ("shop", "lab"):
            fake.put(f"/api/v1/namespaces/{name}", {})
        at = ["explain", "--kubeconfig", kubeconfig(tmp_path / "k", fake), "-n"]

        assert await asyncio.to_thread(complete, [*at, "sh"]) == (["shop"], NO_FILES)
        assert await asyncio.to_thread(complete, [*at, ""]) == (["lab", "shop"], NO_FILES)


async def test_a_cluster_that_does_not_answer_offers_nothing(tmp_path: Path) -> None:
    """In time, and without a word."""
    async with fake_kubernetes() as (fake, _):
        at = ["--kubeconfig", kubeconfig(tmp_path / "k", fake)]
        fake.refuse = lambda _method, _path: 500
        assert await candidates("name", at, 2.0) == []
    assert await candidates("name", at, 2.0) == []
    assert await candidates("name", ["--context", "x", *at], 2.0) == []


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A candidate per line, with its description, and the directive last."""
    assert main(["und"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("undo\tGo back to the revision before")
    assert lines[1:] == [":4"]
