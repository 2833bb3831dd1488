"""The operator's own pods: restricted, spread, probed, and never in the way of a node's drain."""

import pytest

from lossless.model.names import HEALTH_PATH
from tests.chart.rendering import Helm, Manifest, container_of, named, of_kind

DEPLOYMENTS = ["lossless-controller", "lossless-webhook"]
HOOK = "lossless-release"
WORKLOADS = [*(("Deployment", name) for name in DEPLOYMENTS), ("Job", HOOK)]


@pytest.mark.parametrize(("kind", "name"), WORKLOADS)
def test_pods_fit_the_restricted_level(manifests: list[Manifest], kind: str, name: str) -> None:
    """Pod Security Standards, level restricted, and a root file system that cannot be written."""
    pod = named(manifests, kind, name)["spec"]["template"]["spec"]
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
        "podLabels": {"team": "platform"},
        "podAnnotations": {"prometheus.io/scrape": "true"},
        "resources": {"limits": {"memory": "1Gi"}},
    }
    manifests = helm.render({component: values})
    deployment = named(manifests, "Deployment", f"lossless-{component}")["spec"]
    pod, metadata = deployment["template"]["spec"], deployment["template"]["metadata"]
    assert deployment["replicas"] == values["replicas"]
    for key in ("priorityClassName", "nodeSelector", "tolerations", "affinity"):
        assert pod[key] == values[key]
    assert pod["topologySpreadConstraints"] == [spread]
    assert metadata["labels"]["team"] == "platform"
    assert metadata["annotations"] == values["podAnnotations"]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    others = [d for d in of_kind(manifests, "Deployment") if d["spec"] != deployment]
    assert [d["spec"]["replicas"] for d in others] == [2]
