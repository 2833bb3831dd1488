"""What the operator may do: no more than is written here, verb by verb."""

import pytest

from lossless.model.names import GROUP, LEASE, PLURAL, TLS_SECRET, WEBHOOK_CONFIGURATION
from tests.chart.rendering import NAMESPACE, Helm, Manifest, named, of_kind

#: (API group, resource, names or none for all) and the verbs allowed there.
Rules = dict[tuple[str, str, tuple[str, ...]], set[str]]

FOLLOW = {"list", "watch"}
READ = {"get"} | FOLLOW
EXPECTED: dict[tuple[str, str], Rules] = {
    ("ClusterRole", "lossless-controller"): {
        (GROUP, PLURAL, ()): READ,
        (GROUP, f"{PLURAL}/status", ()): {"patch"},
        ("", "pods", ()): FOLLOW,
        ("", "pods/status", ()): {"patch"},
        ("", "pods/eviction", ()): {"create"},
        ("apps", "deployments", ()): READ,
        ("apps", "statefulsets", ()): READ,
        ("apps", "daemonsets", ()): READ,
        ("apps", "replicasets", ()): {"list"},
        ("apps", "controllerrevisions", ()): {"list"},
        ("events.k8s.io", "events", ()): {"create"},
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            (WEBHOOK_CONFIGURATION,),
        ): {"get", "patch"},
        (
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            (WEBHOOK_CONFIGURATION,),
        ): {"get", "patch"},
    },
    ("Role", "lossless-controller"): {
        ("coordination.k8s.io", "leases", ()): {"create"},
        ("coordination.k8s.io", "leases", (LEASE,)): {"get", "update"},
        ("", "secrets", (TLS_SECRET,)): {"get"},
    },
    ("ClusterRole", "lossless-webhook"): {
        (GROUP, PLURAL, ()): FOLLOW,
        ("apps", "deployments", ()): {"get"},
        ("apps", "statefulsets", ()): {"get"},
        ("apps", "daemonsets", ()): {"get"},
    },
    ("Role", "lossless-webhook"): {
        ("coordination.k8s.io", "leases", (LEASE,)): FOLLOW,
        ("", "secrets", ()): {"create"},
        ("", "secrets", (TLS_SECRET,)): {"get", "update"},
    },
    # Only while the release is being deleted.
    ("ClusterRole", "lossless-release"): {
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            (WEBHOOK_CONFIGURATION,),
        ): {"delete"},
        (
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            (WEBHOOK_CONFIGURATION,),
        ): {"delete"},
        ("", "pods", ()): {"list"},
        ("", "pods/status", ()): {"patch"},
    },
    # Only while helm test runs.
    ("Role", "lossless-selftest"): {
        (GROUP, PLURAL, ()): {"create", "list"},
        ("coordination.k8s.io", "leases", (LEASE,)): {"get"},
    },
    ("ClusterRole", "lossless-view"): {(GROUP, PLURAL, ()): READ},
    ("ClusterRole", "lossless-edit"): {
        (GROUP, PLURAL, ()): {"create", "update", "patch", "delete", "deletecollection"}
    },
}


def _rules(role: Manifest) -> Rules:
    rules: Rules = {}
    for rule in role["rules"]:
        assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = (group, resource, tuple(rule.get("resourceNames", ())))
                assert key not in rules
                rules[key] = set(rule["verbs"])
    return rules


def test_roles_allow_what_is_written_here(manifests: list[Manifest]) -> None:
    """Any verb, resource or role more or less is a change to be made here too."""
    roles = of_kind(manifests, "ClusterRole") + of_kind(manifests, "Role")
    assert {(r["kind"], r["metadata"]["name"]): _rules(r) for r in roles} == EXPECTED


@pytest.mark.parametrize("name", ["lossless-controller", "lossless-webhook"])
@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
def test_roles_are_bound_to_the_pods_that_need_them(
    manifests: list[Manifest], kind: str, name: str
) -> None:
    """Each program has an account of its own, which no other role is bound to."""
    binding = named(manifests, f"{kind}Binding", name)
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": kind,
        "name": name,
    }
    account = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    assert binding["subjects"] == [account]
    assert named(manifests, "ServiceAccount", name)["metadata"]["namespace"] == NAMESPACE
    deployment = named(manifests, "Deployment", name)
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == name


def test_users_roles_are_joined_to_the_clusters(manifests: list[Manifest]) -> None:
    """Who may see a namespace may see its LosslessRollouts; who may edit it may edit them."""
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    joined = {
        role["metadata"]["name"]: sorted(
            label.removeprefix(prefix)
            for label in role["metadata"]["labels"]
            if label.startswith(prefix)
        )
        for role in of_kind(manifests, "ClusterRole")
    }
    assert joined == {
        "lossless-controller": [],
        "lossless-release": [],
        "lossless-webhook": [],
        "lossless-view": ["admin", "edit", "view"],
        "lossless-edit": ["admin", "edit"],
    }


def test_users_roles_can_be_left_to_the_administrator(helm: Helm) -> None:
    """Without aggregation the chart makes no roles for users."""
    roles = of_kind(helm.render({"rbac": {"aggregate": False}}), "ClusterRole")
    assert sorted(role["metadata"]["name"] for role in roles) == [
        "lossless-controller",
        "lossless-release",
        "lossless-webhook",
    ]
