"""What the operator may do: no more than is written here, verb by verb."""

import pytest

from lossless.model.names import GROUP, LEASE, PLURAL, TLS_SECRET, WEBHOOK_CONFIGURATION
from lossless.model.scope import MOST, Scope
from lossless.model.webhook_configuration import NEVER
from tests.chart.rendering import (
    NAMESPACE,
    Helm,
    HelmError,
    Manifest,
    container_of,
    named,
    of_kind,
)

#: (API group, resource, names or none for all) and the verbs allowed there.
Rules = dict[tuple[str, str, tuple[str, ...]], set[str]]

FOLLOW = {"list", "watch"}
READ = {"get"} | FOLLOW
#: Where LosslessRollouts are served.
CONTROLLER: Rules = {
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
}
WEBHOOK: Rules = {
    (GROUP, PLURAL, ()): FOLLOW,
    ("apps", "deployments", ()): {"get"},
    ("apps", "statefulsets", ()): {"get"},
    ("apps", "daemonsets", ()): {"get"},
}
#: What has no namespace.
CONFIGURATIONS: Rules = {
    ("admissionregistration.k8s.io", f"{kind}webhookconfigurations", (WEBHOOK_CONFIGURATION,)): {
        "get",
        "patch",
    }
    for kind in ("mutating", "validating")
}
EXPECTED: dict[tuple[str, str], Rules] = {
    ("ClusterRole", "lossless-controller"): CONTROLLER | CONFIGURATIONS,
    ("Role", "lossless-controller"): {
        ("coordination.k8s.io", "leases", ()): {"create"},
        ("coordination.k8s.io", "leases", (LEASE,)): {"get", "update"},
        ("", "secrets", (TLS_SECRET,)): {"get"},
    },
    ("ClusterRole", "lossless-webhook"): WEBHOOK,
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


def test_named_namespaces_get_roles_in_place_of_rights_in_the_whole_cluster(helm: Helm) -> None:
    """Only the two webhook configurations, by name, are left of the cluster's rights."""
    rendered = helm.render({"watchNamespaces": ["shop", "bank"]})
    roles = {
        (role["metadata"].get("namespace", ""), role["metadata"]["name"]): _rules(role)
        for role in of_kind(rendered, "ClusterRole") + of_kind(rendered, "Role")
    }
    unchanged = {
        (NAMESPACE if kind == "Role" else "", name): rules
        for (kind, name), rules in EXPECTED.items()
        if (kind, name) != ("ClusterRole", "lossless-webhook")
    }

    assert roles == unchanged | {("", "lossless-controller"): CONFIGURATIONS} | {
        (namespace, f"lossless-{program}"): rules
        for namespace in ("shop", "bank")
        for program, rules in (("controller", CONTROLLER), ("webhook", WEBHOOK))
    }


@pytest.mark.parametrize("program", ["controller", "webhook"])
def test_roles_of_named_namespaces_are_bound_and_the_programs_keep_to_them(
    helm: Helm, program: str
) -> None:
    """Each in its namespace, to the account in ours; the option says the same."""
    rendered = helm.render({"watchNamespaces": ["shop", "bank"]})
    name = f"lossless-{program}"
    bound = {
        binding["metadata"]["namespace"]: (binding["roleRef"], binding["subjects"])
        for binding in of_kind(rendered, "RoleBinding")
        if binding["metadata"]["name"] == name
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    account = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}

    assert bound == dict.fromkeys(("shop", "bank", NAMESPACE), (role, [account]))
    args = container_of(named(rendered, "Deployment", name))["args"]
    assert args[-1] == "--watch-namespaces=shop,bank"
    assert Scope.parse(args[-1].partition("=")[2]).namespaces == ("shop", "bank")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param([NAMESPACE], "are never injected", id="our-own"),
        *(pytest.param([name], "are never injected", id=name) for name in sorted(NEVER)),
        pytest.param(["shop", "shop"], "watchNamespaces", id="twice"),
        pytest.param(["Shop"], "watchNamespaces", id="no-name"),
        pytest.param([f"n{number}" for number in range(MOST + 1)], "watchNamespaces", id="many"),
    ],
)
def test_namespaces_that_cannot_be_served_are_refused(
    helm: Helm, names: list[str], said: str
) -> None:
    """Before anything is changed in the cluster."""
    with pytest.raises(HelmError, match=said):
        helm.render({"watchNamespaces": names})


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
