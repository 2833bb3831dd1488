"""What an administrator may set, and what is said to one who errs."""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

import lossless
from lossless.injection.agent_settings import AgentSettings
from lossless.model.policy import parse_spec
from tests.chart.rendering import (
    CHART,
    IMAGE,
    NAMESPACE,
    RELEASE,
    ROOT,
    Helm,
    HelmError,
    Manifest,
    container_of,
    named,
    of_kind,
)

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
#: Whatever can be switched on.
EVERYTHING: dict[str, Any] = {
    "commonLabels": {"team": "platform"},
    "commonAnnotations": {"example.com/owner": "platform"},
    "certificates": {"certManager": {"enabled": True, "issuerRef": {"name": "internal"}}},
    "networkPolicy": {"enabled": True},
    "watchNamespaces": ["shop"],
    "agent": {"prePull": {"enabled": True}},
    "webhook": {"hostNetwork": True},
    "metrics": {
        "podMonitor": {"enabled": True, "agents": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
}
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def _argument(manifests: list[Manifest], program: str, option: str) -> str:
    arguments = container_of(named(manifests, "Deployment", f"lossless-{program}"))["args"]
    (found,) = [a for a in arguments if a.startswith(f"--{option}=")]
    return str(found.removeprefix(f"--{option}="))


def test_helm_finds_no_fault(helm: Helm) -> None:
    """``helm lint --strict`` turns warnings into errors."""
    assert "0 chart(s) failed" in helm.run("lint", "--strict", str(CHART), f"--set=image={IMAGE}")


def test_rendering_again_changes_nothing(helm: Helm) -> None:
    """Nothing random, nothing of the moment: an upgrade without a change is no change."""
    assert helm.template(EVERYTHING) == helm.template(EVERYTHING)


def test_templates_ask_no_cluster() -> None:
    """What a template looks up, a GitOps tool renders differently from ``helm upgrade``."""
    texts = [path.read_text() for path in (CHART / "templates").iterdir()]
    forbidden = ("lookup ", "rand", "genCA", "genSelfSigned", "uuidv4", " now ", "htpasswd")
    assert [word for text in texts for word in forbidden if f"{{{{ {word}" in text] == []
    assert [word for text in texts for word in forbidden if f"({word}" in text] == []


def test_one_flag_is_enough(helm: Helm) -> None:
    """``--set image=`` as in the README names the image that both programs run."""
    text = helm.run("template", RELEASE, str(CHART), "--set=image=localhost/lossless:1")
    manifests = [document for document in yaml.safe_load_all(text) if document]
    images = {container_of(d)["image"] for d in of_kind(manifests, "Deployment")}
    assert images == {"localhost/lossless:1"}
    assert _argument(manifests, "webhook", "agent-image") == "localhost/lossless-agent:1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"image": "lossless"}, "lossless-agent", id="no tag"),
        pytest.param(
            {"image": "a.example/x/lossless:v1"}, "a.example/x/lossless-agent:v1", id="tag"
        ),
        pytest.param({"image": "h:5000/lossless"}, "h:5000/lossless-agent", id="port"),
        pytest.param({"image": "h:5000/lossless:2"}, "h:5000/lossless-agent:2", id="port and tag"),
        pytest.param({"agentImage": "other:3"}, "other:3", id="named"),
        pytest.param(
            {"image": "lossless@sha256:00", "agentImage": "agent@sha256:11"},
            "agent@sha256:11",
            id="digests",
        ),
    ],
)
def test_the_agents_image_follows(helm: Helm, values: Mapping[str, Any], expected: str) -> None:
    """Unless it is named, the agent's image is the operator's with ``-agent`` before the tag."""
    assert _argument(helm.render(values), "webhook", "agent-image") == expected


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param({"image": ""}, ["image: name the image of the operator"], id="no image"),
        pytest.param(
            {"image": "lossless@sha256:00"},
            ["agentImage: image", "has a digest", "name it"],
            id="agent of a digest",
        ),
        pytest.param(
            {"image": {"repository": "lossless"}},
            ["/image", "got object, want string"],
            id="image in parts",
        ),
        pytest.param({"image": "a b"}, ["/image"], id="image with a blank"),
        pytest.param({"replicas": 3}, ["'replicas' not allowed"], id="unknown"),
        pytest.param(
            {"webhook": {"replica": 3}}, ["/webhook", "'replica' not allowed"], id="unknown, deep"
        ),
        pytest.param(
            {"controller": {"replicas": "2"}},
            ["/controller/replicas", "got string, want integer"],
            id="text for a number",
        ),
        pytest.param({"controller": {"replicas": 0}}, ["/controller/replicas"], id="no replicas"),
        pytest.param({"failurePolicy": "ignore"}, ["/failurePolicy"], id="failure policy"),
        pytest.param({"logLevel": "verbose"}, ["/logLevel"], id="log level"),
        pytest.param(
            {"agent": {"resources": {"memory": 48}}},
            ["/agent/resources/memory", "got number, want string"],
            id="memory without unit",
        ),
        pytest.param(
            {"agent": {"resources": {"cpuRequest": "ten"}}},
            ["/agent/resources/cpuRequest"],
            id="no quantity",
        ),
        pytest.param({"agent": {"runAsUser": 0}}, ["/agent/runAsUser"], id="root"),
        pytest.param({"crds": {"keep": "yes"}}, ["/crds/keep"], id="text for a switch"),
        pytest.param({"imagePullSecrets": ["a"]}, ["/imagePullSecrets/0"], id="pull secret"),
        pytest.param(
            {"certificates": {"certManager": {"enabled": True}}},
            ["certificates.certManager.issuerRef.name: name the Issuer"],
            id="cert-manager without an issuer",
        ),
        pytest.param(
            {"certificates": {"certManager": {"renewBefore": "a month"}}},
            ["/certificates/certManager/renewBefore"],
            id="no duration",
        ),
        pytest.param(
            {"webhook": {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}},
            ["webhook.podDisruptionBudget: minAvailable and maxUnavailable are both set"],
            id="two budgets",
        ),
        pytest.param(
            {"controller": {"podDisruptionBudget": {"maxUnavailable": "many"}}},
            ["/controller/podDisruptionBudget/maxUnavailable"],
            id="no share",
        ),
        pytest.param(
            {"controller": {"serviceAccount": {"create": False}}},
            ["controller.serviceAccount.name: name the account that exists"],
            id="an account that nobody makes",
        ),
        pytest.param(
            {"controller": {"hostNetwork": True}},
            ["/controller", "'hostNetwork' not allowed"],
            id="host network of the controller",
        ),
        pytest.param({"webhook": {"ports": {"https": 443}}}, ["/webhook/ports/https"], id="port"),
        pytest.param({"commonLabels": {"a": 1}}, ["/commonLabels/a", "want string"], id="label"),
        pytest.param({"commonAnnotations": ["a"]}, ["/commonAnnotations"], id="annotations"),
        pytest.param({"podSecurityContext": "none"}, ["/podSecurityContext"], id="pod security"),
        pytest.param(
            {"containerSecurityContext": []}, ["/containerSecurityContext"], id="security"
        ),
        pytest.param({"webhook": {"extraArgs": ["-v"]}}, ["/webhook/extraArgs/0"], id="option"),
        pytest.param({"webhook": {"extraEnv": [{"value": "x"}]}}, ["/extraEnv/0"], id="variable"),
        pytest.param({"webhook": {"strategy": "x"}}, ["/webhook/strategy"], id="strategy"),
        pytest.param(
            {"webhook": {"terminationGracePeriodSeconds": 1}},
            ["/webhook/terminationGracePeriodSeconds"],
            id="no time to stop",
        ),
        pytest.param(
            {"webhook": {"revisionHistoryLimit": -1}}, ["/revisionHistoryLimit"], id="history"
        ),
        pytest.param({"agent": {"prePull": {"enabled": 1}}}, ["/prePull/enabled"], id="pre-pull"),
        pytest.param({"selftest": {"timeout": 0}}, ["/selftest/timeout"], id="no time to test"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    helm: Helm, values: Mapping[str, Any], says: list[str]
) -> None:
    """The refusal names the value."""
    with pytest.raises(HelmError) as refusal:
        helm.template(values)
    assert [part for part in says if part not in str(refusal.value)] == []


def test_every_value_is_in_the_schema_and_in_the_defaults() -> None:
    """Whatever may be set is written down in values.yaml with its default."""

    def differences(schema: Mapping[str, Any], values: Mapping[str, Any], path: str) -> set[str]:
        # Below "resources" of a container the API server knows the keys.
        if "$ref" in schema:
            found: Any = SCHEMA
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            return differences(found, values, path)
        known = schema.get("properties")
        if known is None or {"requests", "limits"} <= known.keys():
            return set()
        unequal = {f"{path}{key}" for key in known.keys() ^ values.keys()}
        for key in known.keys() & values.keys():
            unequal |= differences(known[key], values[key], f"{path}{key}.")
        return unequal

    # Helm sets it where this chart is a part of another.
    assert differences(SCHEMA, VALUES, "") == {"global"}


def test_the_agents_defaults_are_the_codes(manifests: list[Manifest]) -> None:
    """An agent of an installation by the chart is what the webhook would make by itself."""
    code = AgentSettings(image="x")
    assert _argument(manifests, "webhook", "agent-cpu-request") == code.cpu_request
    assert _argument(manifests, "webhook", "agent-cpu-limit") == code.cpu_limit
    assert _argument(manifests, "webhook", "agent-cpu-guaranteed") == code.cpu_guaranteed
    assert _argument(manifests, "webhook", "agent-memory") == code.memory
    assert _argument(manifests, "webhook", "agent-image-pull-policy") == code.pull_policy
    assert _argument(manifests, "webhook", "agent-run-as-user") == str(code.run_as_user)
    assert _argument(manifests, "webhook", "agent-run-as-group") == str(code.run_as_group)


@pytest.mark.parametrize(
    ("ids", "arguments"),
    [
        pytest.param({"runAsUser": None, "runAsGroup": None}, ("", ""), id="the platform's"),
        pytest.param(
            {"runAsUser": 1000700000, "runAsGroup": 0}, ("1000700000", "0"), id="as many digits"
        ),
    ],
)
def test_the_agents_user_can_be_left_to_the_platform(
    helm: Helm, ids: dict[str, int | None], arguments: tuple[str, str]
) -> None:
    """Null is not the number 0, and no number is written as a float."""
    manifests = helm.render({"agent": ids})

    found = [_argument(manifests, "webhook", f"agent-run-as-{of}") for of in ("user", "group")]
    assert tuple(found) == arguments


def test_settings_reach_the_programs(helm: Helm) -> None:
    """Every value that is an option of a program becomes one."""
    manifests = helm.render(
        {
            "logLevel": "debug",
            "failurePolicy": "Fail",
            "imagePullPolicy": "Never",
            "imagePullSecrets": [{"name": "registry"}],
            "agent": {"pullPolicy": "Never", "resources": {"memory": "96Mi"}},
        }
    )
    for program in ("controller", "webhook"):
        assert _argument(manifests, program, "log-level") == "debug"
    assert _argument(manifests, "controller", "failure-policy") == "Fail"
    assert _argument(manifests, "webhook", "agent-image-pull-policy") == "Never"
    assert _argument(manifests, "webhook", "agent-memory") == "96Mi"
    for deployment in of_kind(manifests, "Deployment"):
        assert container_of(deployment)["imagePullPolicy"] == "Never"
        pod = deployment["spec"]["template"]["spec"]
        assert pod["imagePullSecrets"] == [{"name": "registry"}]


def test_the_crd_is_a_copy() -> None:
    """The chart carries the source of the CRD, byte for byte."""
    source = ROOT / "crds" / "losslessrollouts.yaml"
    assert (CHART / "files" / source.name).read_bytes() == source.read_bytes()


def test_the_crd_is_upgraded_and_kept(manifests: list[Manifest]) -> None:
    """Rendered as a template it is upgraded with the release; the annotation keeps it after."""
    source = yaml.safe_load((ROOT / "crds" / "losslessrollouts.yaml").read_text())
    (crd,) = of_kind(manifests, "CustomResourceDefinition")
    assert crd["spec"] == source["spec"]
    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize(
    ("values", "annotations"),
    [
        pytest.param({"enabled": False}, [], id="installed by somebody else"),
        pytest.param({"keep": False}, [None], id="deleted with the release"),
    ],
)
def test_the_crd_is_the_administrators_to_keep(
    helm: Helm, values: Mapping[str, bool], annotations: list[Any]
) -> None:
    """It can be left out, and it can go with the release."""
    crds = of_kind(helm.render({"crds": values}), "CustomResourceDefinition")
    assert [crd["metadata"].get("annotations") for crd in crds] == annotations


@pytest.mark.parametrize("version", ["1.29.0", "1.34.4", "1.35.0-eks-1", "1.29.0-gke.100"])
def test_clusters_with_native_sidecars_are_accepted(helm: Helm, version: str) -> None:
    """From 1.29 on, vendors' suffixes included."""
    assert helm.template({}, f"--kube-version={version}")


def test_a_cluster_without_native_sidecars_is_refused(helm: Helm) -> None:
    """An older kubelet would run the agent as a step that must end before the app starts."""
    with pytest.raises(HelmError, match=r"kubeVersion: >=1\.29\.0-0"):
        helm.template({}, "--kube-version=1.28.15")


def test_versions_agree() -> None:
    """Chart, package, distribution and images are released together."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    image = {
        line.removeprefix("ARG VERSION=")
        for line in dockerfile.splitlines()
        if line.startswith("ARG VERSION=")
    }
    found = {chart["version"], chart["appVersion"], project["version"], lossless.__version__}
    assert len(found | image) == 1


def test_the_notes_say_what_comes_next(helm: Helm) -> None:
    """Three commands, ready to be copied; the LosslessRollout in them is accepted."""
    notes = helm.notes()
    commands = [line.strip() for line in notes.splitlines() if line.startswith("   kubectl ")]
    assert len(commands) == 3
    assert f"-n {NAMESPACE} wait" in commands[0]
    assert f"\n   helm test {RELEASE} -n {NAMESPACE}" in notes
    assert "WARNING" not in notes
    example = yaml.safe_load(notes.partition("<<END\n")[2].partition("END\n")[0])
    assert parse_spec(example["spec"]).target.name == "web"


@pytest.mark.parametrize(
    ("values", "warns"),
    [
        pytest.param({"image": "lossless:latest"}, "has no version", id="latest"),
        pytest.param({"image": "h:5000/lossless"}, "has no version", id="no tag"),
        pytest.param({"webhook": {"replicas": 1}}, "are not protected. Use 2", id="one webhook"),
        pytest.param(
            {"webhook": {"replicas": 1}, "failurePolicy": "Fail"},
            "starts while it restarts (failurePolicy Fail). Use 2",
            id="one webhook that must answer",
        ),
        pytest.param({"controller": {"replicas": 1}}, "controller.replicas is 1", id="one leader"),
        pytest.param({"failurePolicy": "Fail"}, "webhook.priorityClassName", id="fail"),
        pytest.param({"agent": {"pullPolicy": "Always"}}, "agent.pullPolicy", id="always pull"),
        pytest.param(
            {"webhook": {"hostNetwork": True}},
            f"namespace {NAMESPACE} must allow the Pod Security level privileged, ports 9443 and"
            " 8080",
            id="host network",
        ),
        pytest.param({"crds": {"keep": False}}, "deletes every LosslessRollout", id="CRD goes"),
    ],
)
def test_the_notes_warn(helm: Helm, values: Mapping[str, Any], warns: str) -> None:
    """One line for the one thing that is risky."""
    notes = helm.notes(values)
    said = [line for line in notes.splitlines() if line.startswith("WARNING: ")]
    assert len(said) == 1
    assert warns in said[0]


@pytest.mark.parametrize("tag", [":1.2", "@sha256:00"])
def test_an_image_of_a_version_is_no_risk(helm: Helm, tag: str) -> None:
    """Tag or digest."""
    assert "WARNING" not in helm.notes({"image": f"h:5000/lossless{tag}", "agentImage": "a:1"})


def test_the_notes_follow_the_values(helm: Helm) -> None:
    """What is not installed is not asked for, and what must be waited for is named."""
    notes = helm.notes({**EVERYTHING, "selftest": {"enabled": False}, "crds": {"enabled": False}})
    assert "helm test" not in notes
    assert f"kubectl -n {NAMESPACE} get certificate lossless-webhook-tls" in notes
    assert "kubectl get crd losslessrollouts.lossless.dev" in notes
    assert "only shop is served" in notes
