"""``render -f`` on files as people have them: many kinds, many namespaces, many controllers."""

import io
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.render import render
from lossless.plugin.terminal import Terminal
from tests.checks.manifests import right

Raw = dict[str, Any]
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "migrate"},
    "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}},
}
SEALED = {
    "apiVersion": "bitnami.com/v1alpha1",
    "kind": "SealedSecret",
    "metadata": {"name": "s"},
    "spec": {"encryptedData": {"a": "b"}, "template": {"metadata": {"name": "s"}}},
}
KNATIVE = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [{"image": "a"}]}}, "ports": "none"},
}


def rendered(tmp_path: Path, *objects: Raw, gate: bool = True) -> tuple[dict[str, Raw], str]:
    """Return what is shown, by workload, and the notes."""
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump_all(deepcopy(list(objects))))
    out, err = io.StringIO(), io.StringIO()
    assert render([str(file)], Terminal(out, err), "yaml", "a:1", gate=gate) is Exit.OK
    items = yaml.safe_load(out.getvalue())["items"]
    return {item["workload"]: item for item in items}, err.getvalue()


def of_kind(kind: str, api_version: str = "apps/v1", **spec: Any) -> tuple[Raw, Raw]:
    """Return the workload of the right set-up as one of another kind, and its LosslessRollout."""
    objects = right()
    workload = objects["deployment"] | {"apiVersion": api_version, "kind": kind}
    workload["spec"] |= spec
    objects["llr"]["spec"]["targetRef"]["kind"] = kind
    return workload, objects["llr"]


def gates(item: Raw) -> list[Raw]:
    """Return the readiness gates that are shown."""
    found: list[Raw] = item["template"]["spec"].get("readinessGates", [])
    return found


@pytest.mark.parametrize(
    ("kind", "gated"), [("Deployment", True), ("StatefulSet", False), ("DaemonSet", False)]
)
def test_only_a_deployment_gets_a_gate(tmp_path: Path, kind: str, gated: bool) -> None:  # noqa: FBT001 # a column
    """The webhook gives pods of the others none, and so does what is shown."""
    shown, _ = rendered(tmp_path, *of_kind(kind))
    (item,) = shown.values()
    assert item["injected"]
    assert bool(gates(item)) is gated


def test_other_kinds_are_passed_over(tmp_path: Path) -> None:
    """With a word about each kind, and whatever they hold."""
    shown, notes = rendered(tmp_path, JOB, *right().values(), SEALED, KNATIVE, JOB)
    assert list(shown) == ["Deployment shop/web"]
    assert notes == (
        "passed over, as no LosslessRollout is for them: Job (2), Namespace, PodDisruptionBudget,"
        " SealedSecret, Service (2)\n"
    )


def test_namespaces_are_not_mixed_up(tmp_path: Path) -> None:
    """Each workload is shown with the settings of its own namespace, in whatever order."""
    here, there = right(), right()
    for raw in there.values():
        raw["metadata"]["namespace"] = "other"
    here["llr"]["spec"]["drain"] = {"timeout": "1m"}
    there["llr"]["spec"]["drain"] = {"timeout": "2m"}

    shown, _ = rendered(
        tmp_path, here["llr"], there["llr"], there["deployment"], here["deployment"]
    )

    grace = {
        name: item["template"]["spec"]["terminationGracePeriodSeconds"]
        for name, item in shown.items()
    }
    assert grace == {"Deployment other/web": 160, "Deployment shop/web": 100}


def test_the_nearest_of_several_is_taken(tmp_path: Path) -> None:
    """A LosslessRollout that leaves its namespace to kubectl is for a workload that does, too."""
    objects = right()
    bare = deepcopy(objects["deployment"])
    del bare["metadata"]["namespace"]
    default = deepcopy(objects["llr"])
    del default["metadata"]["namespace"]
    default["spec"]["drain"] = {"timeout": "1m"}

    shown, _ = rendered(tmp_path, objects["llr"], default, bare)

    assert shown["Deployment web"]["template"]["spec"]["terminationGracePeriodSeconds"] == 100


def test_without_a_lossless_rollout_nothing_is_injected(tmp_path: Path) -> None:
    """The pods start as they are written, in this namespace or in another one's shadow."""
    objects = right()
    alone = deepcopy(objects["deployment"])
    alone["metadata"] = {"name": "web", "namespace": "other"}

    shown, notes = rendered(tmp_path, objects["llr"], alone, objects["deployment"])

    item = shown["Deployment other/web"]
    assert not item["injected"]
    assert item["template"] == {key: alone["spec"]["template"][key] for key in ("metadata", "spec")}
    assert shown["Deployment shop/web"]["injected"]
    assert "Deployment other/web: no LosslessRollout for it in these files" in notes


LABEL = {"lossless.dev/rollout": "web"}


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("argoproj.io/v1alpha1", "Rollout", ("spec", "template")), id="Argo Rollout"),
        pytest.param(("apps.kruise.io/v1", "CloneSet", ("spec", "template")), id="CloneSet"),
        pytest.param(("batch/v1", "Job", ("spec", "template")), id="Job"),
        pytest.param(
            ("batch/v1", "CronJob", ("spec", "jobTemplate", "spec", "template")), id="CronJob"
        ),
        pytest.param(("v1", "Pod", ()), id="Pod"),
    ],
)
def test_what_carries_the_label_is_shown(
    tmp_path: Path, place: tuple[str, str, tuple[str, ...]]
) -> None:
    """Whoever makes the pods; without a gate, and without the label it is passed over."""
    api_version, kind, path = place
    objects = right()
    objects["llr"]["spec"]["targetRef"] = {"apiVersion": "v1", "kind": "Pod"}

    def owner(labels: Raw) -> Raw:
        template: Raw = deepcopy(objects["deployment"]["spec"]["template"])
        template["metadata"]["labels"] |= labels
        for name in reversed(path):
            template = {name: template}
        named = {"name": "x", "namespace": "shop"} | template.get("metadata", {})
        return {"apiVersion": api_version, "kind": kind} | template | {"metadata": named}

    shown, notes = rendered(tmp_path, objects["deployment"], objects["llr"], owner(LABEL))
    item = shown[f"{kind} shop/x"]
    assert item["injected"]
    assert not gates(item)
    assert "passed over" not in notes

    shown, notes = rendered(tmp_path, objects["deployment"], objects["llr"], owner({}))
    assert f"{kind} shop/x" not in shown
    assert f"for them: {kind}\n" in notes


def test_an_invalid_lossless_rollout_is_refused(tmp_path: Path) -> None:
    """With its name and the field."""
    objects = right()
    objects["llr"]["spec"]["ports"] = "http"
    with pytest.raises(RefusedError, match=r"LosslessRollout shop/web: spec.ports: 'http': must"):
        rendered(tmp_path, *objects.values())


def test_a_field_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """What is shown is what it does: nothing."""
    objects = right()
    objects["llr"]["spec"]["drian"] = {"timeout": "1m"}
    _, notes = rendered(tmp_path, *objects.values())
    assert "LosslessRollout shop/web: spec.drian is no field, and does nothing; spec.drain" in notes
