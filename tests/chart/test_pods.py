"""The operator's own pods: restricted, spread, probed, and never in the way of a node's drain."""

import subprocess
import sys
from typing import Any

import pytest

from lossless.model.names import HEALTH_PATH, WEBHOOK_SERVICE
from tests.chart.rendering import (
    IMAGE,
    NAMESPACE,
    Helm,
    Manifest,
    container_of,
    named,
    of_kind,
)
from tests.chart.test_values import EVERYTHING

DEPLOYMENTS = ["lossless-controller", "lossless-webhook"]
HOOK = "lossless-release"
TEST = "lossless-selftest"
#: In place of what EVERYTHING gives to every object.
NO_COMMON: dict[str, Any] = {"commonLabels": {}, "commonAnnotations": {}}
PRE_PULL = ("DaemonSet", "lossless-agent-image")
WORKLOADS = [*(("Deployment", name) for name in DEPLOYMENTS), ("Job", HOOK), ("Pod", TEST)]


def _pod_spec(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    spec: Manifest = named(manifests, kind, name)["spec"]
    return spec if kind == "Pod" else spec["template"]["spec"]


@pytest.mark.parametrize(("kind", "name"), [*WORKLOADS, PRE_PULL])
def test_pods_fit_the_restricted_level(helm: Helm, kind: str, name: str) -> None:
    """Pod Security Standards, level restricted, and a root file system that cannot be written."""
    pod = _pod_spec(helm.render({"agent": {"prePull": {"enabled": True}}}), kind, name)
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "runAsGroup": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "volumes"} & pod.keys()
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_no_pod_is_left_out_of_these_tests(manifests: list[Manifest]) -> None:
    """A workload of another kind or name would not be looked at."""
    workloads = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"}
    found = [(m["kind"], m["metadata"]["name"]) for m in manifests if m["kind"] in workloads]
    assert sorted(found) == WORKLOADS


def test_gates_are_opened_before_anything_is_removed(manifests: list[Manifest]) -> None:
    """The hook brings its own account and rights, and all of them go when it has succeeded."""
    hooks = [m for m in manifests if m["metadata"]["name"] == HOOK]
    assert sorted(m["kind"] for m in hooks) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "Job",
        "ServiceAccount",
    ]
    for manifest in hooks:
        annotations = manifest["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-delete"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    job = named(manifests, "Job", HOOK)
    assert container_of(job)["args"][0] == "release"
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == HOOK


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_are_probed(manifests: list[Manifest], name: str) -> None:
    """Health and readiness are asked at the named port, which is 8080."""
    container = container_of(named(manifests, "Deployment", name))
    assert container["livenessProbe"]["httpGet"] == {"path": HEALTH_PATH, "port": "http"}
    assert container["startupProbe"]["httpGet"] == {"path": HEALTH_PATH, "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert {p["name"]: p["containerPort"] for p in container["ports"]}["http"] == 8080


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_ask_for_what_they_need(manifests: list[Manifest], name: str) -> None:
    """Memory is bounded; CPU is not, because a throttled operator is a late one."""
    resources = container_of(named(manifests, "Deployment", name))["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_stand_on_different_nodes_if_they_can(manifests: list[Manifest], name: str) -> None:
    """Two replicas, preferred apart by the labels that select them."""
    deployment = named(manifests, "Deployment", name)
    assert deployment["spec"]["replicas"] == 2
    affinity = deployment["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    (preferred,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    selector = preferred["podAffinityTerm"]["labelSelector"]
    assert selector == deployment["spec"]["selector"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_budgets_leave_one_pod(manifests: list[Manifest], name: str) -> None:
    """One at a time may be evicted, and one that does not work always."""
    budget = named(manifests, "PodDisruptionBudget", name)["spec"]
    selector = named(manifests, "Deployment", name)["spec"]["selector"]
    assert budget == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": selector,
    }


def test_a_deployment_selects_its_own_pods(manifests: list[Manifest]) -> None:
    """Selectors match their own template and no other."""
    for deployment in of_kind(manifests, "Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"].items()
        matched = [
            other["metadata"]["name"]
            for other in of_kind(manifests, "Deployment")
            if selector <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert matched == [deployment["metadata"]["name"]]


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_scheduling_is_the_administrators(helm: Helm, component: str) -> None:
    """Every value about scheduling arrives in the pods of its component, and only there."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
    values = {
        "replicas": 3,
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [spread],
        "podLabels": {"team": "platform", "app.kubernetes.io/name": "other"},
        "podAnnotations": {"prometheus.io/scrape": "true"},
        "strategy": {"type": "Recreate"},
        "revisionHistoryLimit": 3,
        "terminationGracePeriodSeconds": 45,
        "extraArgs": ["--log-level=debug"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "resources": {"limits": {"memory": "1Gi"}},
    }
    manifests = helm.render({component: values, "commonLabels": {"team": "other", "tier": "x"}})
    deployment = named(manifests, "Deployment", f"lossless-{component}")["spec"]
    pod, metadata = deployment["template"]["spec"], deployment["template"]["metadata"]
    assert deployment["replicas"] == values["replicas"]
    for key in ("priorityClassName", "nodeSelector", "tolerations", "affinity"):
        assert pod[key] == values[key]
    assert pod["topologySpreadConstraints"] == [spread | {"labelSelector": deployment["selector"]}]
    assert pod["terminationGracePeriodSeconds"] == 45
    assert (deployment["strategy"], deployment["revisionHistoryLimit"]) == (values["strategy"], 3)
    assert pod["containers"][0]["args"][-1] == "--log-level=debug"
    assert pod["containers"][0]["env"][-1] == {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}
    assert (metadata["labels"]["team"], metadata["labels"]["tier"]) == ("platform", "x")
    assert deployment["selector"]["matchLabels"].items() <= metadata["labels"].items()
    assert metadata["annotations"] == values["podAnnotations"]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    others = [d for d in of_kind(manifests, "Deployment") if d["spec"] != deployment]
    assert [d["spec"]["replicas"] for d in others] == [2]


def test_a_constraint_with_a_selector_keeps_it(helm: Helm) -> None:
    """Only what is missing is filled in."""
    spread = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
    manifests = helm.render({"webhook": {"topologySpreadConstraints": [spread]}})
    pod = _pod_spec(manifests, "Deployment", "lossless-webhook")
    assert pod["topologySpreadConstraints"] == [spread]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        pytest.param({"minAvailable": 1}, {"minAvailable": 1}, id="least"),
        pytest.param({"minAvailable": 0}, {"minAvailable": 0}, id="nought is a number"),
        pytest.param({"maxUnavailable": "50%"}, {"maxUnavailable": "50%"}, id="share"),
        pytest.param({"maxUnavailable": 0}, {"maxUnavailable": 0}, id="none may go"),
    ],
)
def test_budgets_are_the_administrators(
    helm: Helm, budget: dict[str, Any], expected: dict[str, Any]
) -> None:
    """One of the two limits, as it was given."""
    manifests = helm.render({"webhook": {"podDisruptionBudget": budget}})
    spec = named(manifests, "PodDisruptionBudget", "lossless-webhook")["spec"]
    assert {k: v for k, v in spec.items() if k in {"minAvailable", "maxUnavailable"}} == expected


def test_a_budget_can_be_left_out(helm: Helm) -> None:
    """Of one component; the other keeps its own."""
    budgets = of_kind(
        helm.render({"webhook": {"podDisruptionBudget": {"enabled": False}}}),
        "PodDisruptionBudget",
    )
    assert [budget["metadata"]["name"] for budget in budgets] == ["lossless-controller"]


def test_security_can_be_changed_field_by_field(helm: Helm) -> None:
    """What is not named stays as strict as it was; null leaves a field to the cluster."""
    manifests = helm.render(
        {
            "podSecurityContext": {"runAsUser": None, "fsGroup": 7},
            "containerSecurityContext": {"seLinuxOptions": {"type": "x"}},
        }
    )
    for kind, name in WORKLOADS:
        pod = _pod_spec(manifests, kind, name)
        assert pod["securityContext"].get("runAsUser") is None
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["fsGroup"]) == (
            True,
            7,
        )
        security = pod["containers"][0]["securityContext"]
        assert security["seLinuxOptions"] == {"type": "x"}
        assert security["readOnlyRootFilesystem"] is True


def test_the_webhook_can_stand_on_the_nodes_network(helm: Helm) -> None:
    """On ports that are free there, with the cluster's DNS, and one pod goes before one comes."""
    ports = {"https": 10260, "http": 10261}
    manifests = helm.render({"webhook": {"hostNetwork": True, "ports": ports}})
    deployment = named(manifests, "Deployment", "lossless-webhook")
    pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
    assert (pod["hostNetwork"], pod["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    assert {p["name"]: p["containerPort"] for p in container["ports"]} == ports
    assert {"--port=10260", "--http-port=10261"} <= set(container["args"])
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    other = named(manifests, "Deployment", "lossless-controller")["spec"]
    assert "strategy" not in other
    assert "hostNetwork" not in other["template"]["spec"]


def test_the_agents_image_can_be_pulled_before_it_is_needed(helm: Helm) -> None:
    """On every node, without a token; the pod ends by itself when it is told to."""
    values = {"agent": {"prePull": {"enabled": True}, "pullPolicy": "Always"}}
    manifests = helm.render({**values, "imagePullSecrets": [{"name": "r"}]})
    pod = _pod_spec(manifests, *PRE_PULL)
    (container,) = pod["containers"]
    assert container["image"] == IMAGE.replace("lossless:", "lossless-agent:")
    assert (container["imagePullPolicy"], pod["imagePullSecrets"]) == ("Always", [{"name": "r"}])
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["automountServiceAccountToken"] is False
    command = [*container["command"], *container["args"]]
    process = subprocess.Popen([sys.executable, *command[1:]])  # noqa: S603 # the chart's own words
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_an_account_can_be_the_administrators(helm: Helm, component: str) -> None:
    """The rights go to it, the pods run as it, and the chart makes none."""
    values = {component: {"serviceAccount": {"create": False, "name": "given"}}}
    manifests = helm.render(values)
    made = {m["metadata"]["name"] for m in of_kind(manifests, "ServiceAccount")}
    assert not {"given", f"lossless-{component}"} & made
    pod = _pod_spec(manifests, "Deployment", f"lossless-{component}")
    assert pod["serviceAccountName"] == "given"
    bindings = [
        m
        for m in manifests + helm.render({**values, "watchNamespaces": ["shop"]})
        if m["kind"].endswith("Binding") and m["metadata"]["name"] == f"lossless-{component}"
    ]
    assert {m["metadata"].get("namespace") for m in bindings} == {None, NAMESPACE, "shop"}
    assert {subject["name"] for m in bindings for subject in m["subjects"]} == {"given"}


def test_an_account_carries_its_annotations(helm: Helm) -> None:
    """Clouds give identities by them."""
    account = {"name": "mine", "annotations": {"example.com/role": "r"}}
    manifests = helm.render({"webhook": {"serviceAccount": account}})
    made = named(manifests, "ServiceAccount", "mine")["metadata"]
    assert made["annotations"] == {"example.com/role": "r"}


def test_labels_and_annotations_come_to_every_object(helm: Helm) -> None:
    """Whatever is switched on; hooks keep their own, and ours win over a label of the same key."""
    common = {
        "commonLabels": {"team": "platform", "app.kubernetes.io/name": "other"},
        "commonAnnotations": {"example.com/owner": "platform"},
    }
    plain, manifests = helm.render(EVERYTHING | NO_COMMON), helm.render(EVERYTHING | common)
    assert len(manifests) == len(plain)
    for manifest in manifests:
        metadata = manifest["metadata"]
        assert metadata["labels"]["team"] == "platform"
        assert metadata["labels"]["app.kubernetes.io/name"] == "lossless"
        assert metadata["annotations"]["example.com/owner"] == "platform"
    assert _hooks(plain) == _hooks(manifests) != {}
    for kind in ("Deployment", "DaemonSet", "PodDisruptionBudget", "NetworkPolicy", "Service"):
        for manifest, before in zip(of_kind(manifests, kind), of_kind(plain, kind), strict=True):
            for key in ("selector", "podSelector"):
                assert manifest["spec"].get(key) == before["spec"].get(key)


def _hooks(manifests: list[Manifest]) -> dict[tuple[str, str], str]:
    return {
        (m["kind"], m["metadata"]["name"]): m["metadata"]["annotations"]["helm.sh/hook"]
        for m in manifests
        if "helm.sh/hook" in m["metadata"].get("annotations", {})
    }


def test_helm_test_asks_this_installation(manifests: list[Manifest]) -> None:
    """Its account and rights go when it has succeeded; the pod stays for ``--logs``."""
    ours = [m for m in manifests if m["metadata"]["name"] == TEST]
    assert sorted(m["kind"] for m in ours) == ["Pod", "Role", "RoleBinding", "ServiceAccount"]
    for manifest in ours:
        annotations = manifest["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "test"
        rights = "" if manifest["kind"] == "Pod" else ",hook-succeeded"
        assert annotations["helm.sh/hook-delete-policy"] == f"before-hook-creation{rights}"
    pod = named(manifests, "Pod", TEST)["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["args"] == [
        "selftest",
        f"--namespace={NAMESPACE}",
        "--timeout=60",
        "--log-level=info",
    ]


def test_no_service_leads_to_the_test(manifests: list[Manifest]) -> None:
    """Nor a budget or policy of another component's."""
    labels = named(manifests, "Pod", TEST)["metadata"]["labels"].items()
    selector = named(manifests, "Service", WEBHOOK_SERVICE)["spec"]["selector"].items()
    assert not selector <= labels


def test_the_test_can_be_left_out(helm: Helm) -> None:
    """With everything that it needs."""
    manifests = helm.render({"selftest": {"enabled": False}})
    assert [m for m in manifests if m["metadata"]["name"] == TEST] == []
