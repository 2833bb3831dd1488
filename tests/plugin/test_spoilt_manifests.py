"""Manifests as people get them wrong: one sentence that says where, and never a traceback."""

import contextlib
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lossless.plugin.cli import main
from lossless.plugin.exits import Exit
from tests.checks.manifests import changed, right
from tests.plugin.spoilt import PLACES, VALUES, good, spoilt
from tests.plugin.spoilt import Path as Place

CONTAINER = "deployment/spec/template/spec/containers/0/"
POD = "deployment/spec/template/spec/"


def told(verb: str, file: Path) -> tuple[int, str]:
    """Run a verb on a file; return its exit code and what it wrote to standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([verb, "-f", str(file)])
    return code, err.getvalue()


@pytest.mark.parametrize(
    ("path", "value", "field", "remedy"),
    [
        pytest.param(
            f"{CONTAINER}ports", [{"name": "http"}], "ports[0]", "no containerPort", id="port"
        ),
        pytest.param(
            f"{CONTAINER}ports/0/containerPort",
            "8080",
            "containerPort",
            "without quotes",
            id="text",
        ),
        pytest.param(f"{CONTAINER}ports", {"http": 1}, "[0].ports", "a list", id="map for list"),
        pytest.param(f"{CONTAINER}name", 5, "containers[0].name", "quotes", id="number as name"),
        pytest.param(
            f"{CONTAINER}env", [{"name": "A", "value": True}], "env[0].value", "quotes", id="env"
        ),
        pytest.param(
            f"{CONTAINER}lifecycle", {"preStop": {"sleep": 5}}, "preStop.sleep", "object", id="hook"
        ),
        pytest.param(
            f"{CONTAINER}lifecycle",
            {"preStop": {"exec": {"command": "sleep 5"}}},
            *("exec.command", "must be a list"),
            id="command as text",
        ),
        pytest.param(
            "deployment/spec/replicas", "{{ .Values.x }}", "spec.replicas", "helm", id="template"
        ),
        pytest.param("deployment/spec/replicas", 10**30, "spec.replicas", "from 0 to", id="huge"),
        pytest.param("deployment/spec/strategy", "Recreate", "strategy", "type", id="strategy"),
        pytest.param(
            "deployment/spec/template", None, "spec: ", "has no template", id="no template"
        ),
        pytest.param(
            f"{POD}terminationGracePeriodSeconds",
            "60",
            *("terminationGracePeriodSeconds: '60'", "without quotes"),
            id="grace period",
        ),
        pytest.param(f"{POD}containers", [None], "containers[0]: None", "object", id="null item"),
        pytest.param(f"{POD}hostNetwork", "true", "hostNetwork", "true or false", id="boolean"),
        pytest.param(
            "service/spec/ports",
            [{"port": 80, "targetPort": "80"}],
            "targetPort",
            "quotes",
            id="80",
        ),
        pytest.param("service/spec/selector", {"app": 1}, "selector.app", "quotes", id="selector"),
        pytest.param("budget/spec/maxUnavailable", "1", "maxUnavailable", "25%", id="budget"),
        pytest.param("deployment/apiVersion", "v1", "apiVersion: 'v1'", "apps/v1", id="group"),
        pytest.param("service/apiVersion", 1, "apiVersion: 1", "apps/v1", id="version as number"),
        pytest.param("llr/spec", ["x"], "spec: ['x']", "targetRef", id="a list as spec"),
        pytest.param("llr/metadata", "web", "metadata: 'web'", "object", id="metadata"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, path: str, value: Any, field: str, remedy: str
) -> None:
    """File, object, field, value and remedy in one line, exit code 1, from both verbs."""
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump_all(changed(path, value).values()))

    kind = {"deployment": "Deployment", "llr": "LosslessRollout", "service": "Service"}
    name = path.partition("/")[0]
    for verb in ("check", "render"):
        code, said = told(verb, file)
        assert code == Exit.FAILED
        assert said.count("\n") == 1
        assert f"-f {file}: {kind.get(name, 'PodDisruptionBudget')}" in said
        assert field in said
        assert remedy in said


DEPLOYMENT = yaml.safe_dump(right()["deployment"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("kind: A\nkind: B", "line 2: the key 'kind' stands twice", id="key twice"),
        pytest.param("kind: A\n\tb: c", "line 2, column 1: found character '\\t'", id="tab"),
        pytest.param("replicas: {{ .Values.x }}", "render it first", id="template"),
        pytest.param("a: &a [*a]", "itself a part of", id="endless alias"),
        pytest.param(
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefg")),
            "more than 1000000 values",
            id="a billion laughs",
        ),
        pytest.param("[" * 5000, "has more than 100 levels", id="depth of a parser"),
        pytest.param(f"{'[' * 200}{']' * 200}", "has more than 100 levels", id="depth"),
        pytest.param(f"a: {'9' * 5000}", "a number that is too long", id="digits"),
        pytest.param("a: !!int x", "is not what it is marked as", id="tag"),
        pytest.param("a: .nan", "nan, which JSON has not", id="not a number"),
        pytest.param("a: !!set {b}", "a set, which JSON has not", id="set"),
        pytest.param("null: 1", "no text; put it in quotes", id="null as key"),
        pytest.param("kind: List\nitems: {a: b}", "items: {'a': 'b'}: must be a list", id="List"),
        pytest.param("kind: A\nmetadata: {name: [x]}", "A (document 1): metadata.name", id="name"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, text: str, says: str) -> None:
    """One line, with the file, and exit code 1."""
    file = tmp_path / "x.yaml"
    file.write_text(text)
    for verb in ("check", "render"):
        code, said = told(verb, file)
        assert code == Exit.FAILED
        assert said.startswith(f"kubectl lossless {verb}: -f {file}: ")
        assert says in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty documents"),
        pytest.param("kind: List\napiVersion: v1\nitems: null", id="a List of nothing"),
        pytest.param("kind: WidgetList\nspec: {}", id="a kind that only sounds like a List"),
        pytest.param("kind: A\nmetadata: {labels: {since: x}}\n1: 2024-01-01", id="dates, keys"),
        pytest.param("kind: A\nspec: &a {b: c}\nstatus: *a\nmore: {<<: *a, b: d}", id="aliases"),
        pytest.param(
            "kind: Service\napiVersion: serving.knative.dev/v1\nspec: 5", id="another Service"
        ),
        pytest.param("\ufeffkind: A", id="byte order mark"),
    ],
)
def test_what_is_unusual_is_read(tmp_path: Path, text: str) -> None:
    """What kubectl takes, beside objects that are right."""
    file = tmp_path / "x.yaml"
    file.write_text(f"{text}\n---\n---\n{yaml.safe_dump_all(right().values())}")
    assert told("check", file)[0] == Exit.OK


def test_a_volume_without_a_source_is_an_empty_one(tmp_path: Path) -> None:
    """As the API server has it: a status file on it is within the agent's reach."""
    objects = changed("llr/spec/close", [{"middleware": {"statusFile": "/status/on"}}])
    spec = objects["deployment"]["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "status", "emptyDir": None}]
    spec["containers"][0]["volumeMounts"] = [{"name": "status", "mountPath": "/status"}]
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump_all(objects.values()))
    assert told("check", file) == (Exit.OK, "")


def test_items_of_a_typed_list_need_no_kind(tmp_path: Path) -> None:
    """The API server leaves it out there, as kubectl knows."""
    objects = right()
    kind = objects["deployment"].pop("kind")
    file = tmp_path / "x.yaml"
    file.write_text(
        yaml.safe_dump_all(
            [{"kind": f"{kind}List", "items": [objects.pop("deployment")]}, *objects.values()]
        )
    )
    assert told("check", file) == (Exit.OK, "")


GOOD = good()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for one file after another."""
    return tmp_path_factory.mktemp("spoilt")


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some.sampled_from(PLACES), VALUES)
def test_no_spoilt_manifest_makes_a_traceback(folder: Path, place: Place, value: Any) -> None:
    """Whatever is where: findings, or one line with file and object."""
    objects = spoilt(GOOD, place, value)
    file = folder / "x.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    for verb in ("check", "render"):
        code, said = told(verb, file)
        assert code in {Exit.OK, Exit.FAILED, Exit.FINDINGS}
        if code == Exit.FAILED:
            *_, last = said.splitlines()
            assert f"-f {file}: " in last
            assert _object(objects, place) in last


def _object(objects: list[dict[str, Any]], place: Place) -> str:
    """Return how a message must call the object that was spoilt, as far as it still has a name."""
    raw = objects[int(place[0])] if len(place) > 1 else None
    named = isinstance(raw, dict) and isinstance(raw.get("metadata"), dict)
    return str(raw["metadata"].get("name", "")) if raw is not None and named else ""


@pytest.mark.parametrize("strategy", [1, "Recreate", [None], {"canary": {"steps": [1]}}])
def test_what_another_controller_reads_may_be_anything(tmp_path: Path, strategy: Any) -> None:
    """Of an Argo Rollout only the pod template is looked at, and how many pods it asks for."""
    objects = right()
    objects["llr"]["spec"]["targetRef"] = {"apiVersion": "v1", "kind": "Pod"}
    objects["deployment"] |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    objects["deployment"]["spec"]["strategy"] = strategy
    labels = objects["deployment"]["spec"]["template"]["metadata"]["labels"]
    labels["lossless.dev/rollout"] = "web"
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump_all(objects.values()))

    assert told("check", file)[0] == Exit.OK
    assert told("render", file)[0] == Exit.OK
