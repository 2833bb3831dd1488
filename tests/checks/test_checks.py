"""Each set-up that is wrong in one way is found, and nothing is found in a right one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from lossless.checks.catalogue import CHECKS, examine
from lossless.checks.finding import DOCS, Finding, Severity
from lossless.checks.setup import selects
from lossless.model.names import API_VERSION, KIND
from lossless.plugin.surroundings import setup_of
from tests.checks.envoy_pods import ADMIN, behind_envoy
from tests.checks.haproxy_pods import COVERED, behind_haproxy
from tests.checks.manifests import LABELS, Raw, added, changed, right
from tests.checks.nginx_pods import BARE, behind_nginx, conf, reloaded

ROOT: Final = Path(__file__).resolve().parents[2]
AWS: Final = "service.beta.kubernetes.io/aws-load-balancer-"
ALB: Final = "alb.ingress.kubernetes.io/"
ALIBABA: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
ISTIO: Final = "traffic.sidecar.istio.io/"
MODE: Final = "sidecar.istio.io/interceptionMode"
POD: Final = "deployment/spec/template/spec/"
TEMPLATE: Final = "deployment/spec/template/metadata/"
SERVICE: Final = "service/spec/"
SAID: Final = "service/metadata/annotations"
NLB: Final = {f"{AWS}type": "external", f"{AWS}nlb-target-type": "ip"}
BY_HTTP: Final = {f"{AWS}healthcheck-protocol": "HTTP"}
ASKS_APP: Final = NLB | BY_HTTP | {f"{AWS}healthcheck-path": "/status-flag"}
ASKS_AGENT: Final = ASKS_APP | {f"{AWS}healthcheck-port": "9913"}
ISTIO_LEAVES_AGENT: Final = {
    "sidecar.istio.io/inject": "true",
    f"{ISTIO}excludeInboundPorts": "9913",
}
OTHER_LLR: Final = {
    "apiVersion": API_VERSION,
    "kind": KIND,
    "metadata": {"name": "older", "namespace": "shop"},
    "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
}
OTHER_BUDGET: Final = {
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "other", "namespace": "shop"},
    "spec": {
        "minAvailable": "50%",
        "selector": {
            "matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]
        },
    },
}
AUTOSCALER: Final = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"minReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
}
INGRESS: Final = {
    "kind": "Ingress",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "annotations": {
            f"{ALB}target-type": "ip",
            f"{ALB}target-group-attributes": "deregistration_delay.timeout_seconds=30",
        },
    },
    "spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]},
}


def policy(*ports: Raw, **spec: Any) -> Raw:
    """Return a NetworkPolicy on the pods that admits some ports."""
    ingress = {"ingress": [{"ports": list(ports)}]} if ports else {}
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": LABELS}} | ingress | spec,
    }


def in_istio(said: Mapping[str, str], **spec: Any) -> dict[str, Raw]:
    """Return a right set-up in Istio's mesh, which leaves the agent's port alone.

    Args:
        said: annotations of the template beside.
        spec: of the LosslessRollout beside.
    """
    objects = changed(f"{TEMPLATE}annotations", ISTIO_LEAVES_AGENT | dict(said))
    objects["llr"]["spec"] |= spec
    return objects


def of_class(said: Mapping[str, str]) -> dict[str, Raw]:
    """Return a set-up with an NLB that no annotation but ``spec.loadBalancerClass`` names."""
    objects = changed(f"{SERVICE}loadBalancerClass", "service.k8s.aws/nlb")
    objects["service"]["metadata"]["annotations"] = dict(said)
    return objects


def on_node(ports: list[Raw], said: Mapping[str, str] | None = None) -> dict[str, Raw]:
    """Return a right set-up but for pods on their nodes' network.

    Args:
        ports: that the pods declare.
        said: annotations of the Service.
    """
    template = changed(f"{POD}hostNetwork", value=True)["deployment"]
    template["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    service = changed(f"{SERVICE}ports", [{"port": 80, "targetPort": 8080}])["service"]
    service["metadata"]["annotations"] = dict(said or {})
    return right() | {"deployment": template, "service": service}


def found(objects: Mapping[str, Raw], *, live: bool = True) -> tuple[Finding, ...]:
    """Return what is found in a set-up."""
    setup = setup_of(objects["llr"], list(objects.values()), live=live, budgets_known=True)
    return examine(setup)


def hooked(script: str) -> dict[str, Raw]:
    """Return a right set-up whose container has a hook of a shell."""
    hook = {"preStop": {"exec": {"command": ["/bin/sh", "-c", script]}}}
    return changed(f"{POD}containers/0/lifecycle", hook)


WRONG: Final = [
    # The LosslessRollout
    pytest.param(changed("llr/spec/drain", {"timeout": "soon"}), "LL101", id="spec invalid"),
    pytest.param(changed("llr/spec/targetRef/name", "wbe"), "LL102", id="target misspelled"),
    pytest.param(added("other", OTHER_LLR), "LL103", id="two on one target"),
    pytest.param(changed("llr/spec/close", []), "LL104", id="no close driver"),
    pytest.param(changed("llr/spec/drain", {"clientIdleTimeout": "10s"}), "LL105", id="short idle"),
    pytest.param(changed("llr/spec/paused", value=True), "LL106", id="paused by hand"),
    # The Deployment
    pytest.param(changed("deployment/spec/replicas", 1), "LL201", id="one replica"),
    pytest.param(changed("deployment/spec/strategy", {"type": "Recreate"}), "LL202", id="recreate"),
    pytest.param(
        changed(
            "deployment/spec/strategy", {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}
        ),
        "LL203",
        id="all at once",
    ),
    pytest.param(
        changed("deployment/spec/progressDeadlineSeconds", 300), "LL204", id="progress deadline"
    ),
    pytest.param(changed("deployment/spec/paused", value=True), "LL205", id="Deployment paused"),
    pytest.param(
        changed(f"{SERVICE}type", "LoadBalancer")
        | {"deployment": changed("deployment/spec/minReadySeconds", 0)["deployment"]},
        "LL206",
        id="no minReadySeconds behind a load balancer",
    ),
    # Its template
    pytest.param(
        on_node([]),
        "LL301",
        id="hostNetwork without a port",
    ),
    pytest.param(
        changed(f"{POD}containers/0/ports", [{"containerPort": 8080}, {"containerPort": 9913}])
        | {"service": changed(f"{SERVICE}ports", [{"port": 80, "targetPort": 8080}])["service"]},
        "LL301",
        id="the agent's port is taken",
    ),
    pytest.param(
        changed(f"{TEMPLATE}labels", LABELS | {"lossless.dev/inject": "false"}),
        "LL302",
        id="injection declined",
    ),
    pytest.param(
        changed(
            f"{POD}containers/0/lifecycle", {"preStop": {"exec": {"command": ["/deregister"]}}}
        ),
        "LL303",
        id="own preStop",
    ),
    pytest.param(
        changed(f"{POD}containers/0/volumeMounts", [{"name": "x", "mountPath": "/lossless"}]),
        "LL304",
        id="status file hidden",
    ),
    pytest.param(changed("llr/spec/ports", ["http", "grpc"]), "LL305", id="unknown port"),
    pytest.param(
        changed(f"{POD}containers/0/ports", None)
        | {"service": changed(f"{SERVICE}ports", [{"port": 80, "targetPort": 8080}])["service"]},
        "LL306",
        id="no port declared",
    ),
    pytest.param(changed(f"{POD}containers/0/readinessProbe", None), "LL307", id="no readiness"),
    pytest.param(changed(f"{POD}terminationGracePeriodSeconds", 0), "LL308", id="no grace"),
    pytest.param(changed(f"{POD}terminationGracePeriodSeconds", 900), "LL309", id="long grace"),
    pytest.param(
        changed("llr/spec/close", [{"nginx": {"statusFile": "/status/on"}}]),
        "LL310",
        id="status file on no volume",
    ),
    pytest.param(
        changed("llr/spec/metrics", [{"haproxyStats": {"socket": "/run/h.sock"}}]),
        "LL310",
        id="socket on no volume",
    ),
    pytest.param(
        changed(f"{TEMPLATE}annotations", {"lossless.dev/hold.other": "File"}),
        "LL310",
        id="a hold for nobody",
    ),
    pytest.param(
        on_node([{"containerPort": 8080}, {"containerPort": 8081}]),
        "LL311",
        id="hostNetwork with two ports that count",
    ),
    pytest.param(hooked("nginx -s quit; sleep 5"), "LL314", id="a hook that quits"),
    pytest.param(
        changed(
            f"{POD}containers/0/lifecycle",
            {"preStop": {"exec": {"command": ["/usr/sbin/nginx", "-s", "quit"]}}},
        ),
        "LL314",
        id="a hook that quits without a shell",
    ),
    # Services
    pytest.param(changed("service/spec/selector", {"app": "other"}), "LL401", id="no Service"),
    pytest.param(
        changed(f"{SERVICE}ports", [{"port": 80, "targetPort": 9090}]), "LL402", id="not counted"
    ),
    pytest.param(
        changed(f"{SERVICE}ports", [{"port": 80, "targetPort": "htpp"}]), "LL403", id="no such port"
    ),
    pytest.param(
        changed(f"{SERVICE}publishNotReadyAddresses", value=True), "LL404", id="not ready"
    ),
    pytest.param(changed(f"{SERVICE}clusterIP", "None"), "LL405", id="headless"),
    pytest.param(changed(f"{SERVICE}externalTrafficPolicy", "Local"), "LL406", id="local traffic"),
    pytest.param(changed(f"{SERVICE}sessionAffinity", "ClientIP"), "LL407", id="affinity"),
    # Clouds
    pytest.param(changed(SAID, NLB), "LL501", id="AWS NLB, short propagation"),
    pytest.param(
        of_class({f"{AWS}nlb-target-type": "ip"}),
        "LL501",
        id="AWS NLB by its class",
    ),
    pytest.param(
        changed(SAID, {k: v for k, v in ASKS_AGENT.items() if k not in BY_HTTP}),
        "LL501",
        id="AWS NLB connects to the agent, and asks nothing",
    ),
    pytest.param(
        changed(SAID, ASKS_AGENT | {f"{AWS}healthcheck-protocol": "tcp"}),
        "LL501",
        id="AWS NLB says that it only connects",
    ),
    pytest.param(
        changed(SAID, ASKS_AGENT | {f"{AWS}healthcheck-protocol": "HTTPS"}),
        "LL501",
        id="AWS NLB asks the agent by TLS",
    ),
    pytest.param(
        changed(SAID, ASKS_APP)
        | {"llr": changed("llr/spec/statusFlag", {"draining": {"status": 200}})["llr"]},
        "LL501",
        id="AWS NLB, a status flag that falls by its text",
    ),
    pytest.param(
        on_node([{"containerPort": 8080}], ASKS_AGENT),
        "LL501",
        id="AWS NLB, the agent of a hostNetwork pod on another port",
    ),
    pytest.param(
        changed(
            SAID,
            {
                f"{AWS}type": "external",
                f"{AWS}target-group-attributes": "deregistration_delay.timeout_seconds=60,"
                "deregistration_delay.connection_termination.enabled=true",
            },
        ),
        "LL502",
        id="AWS NLB cuts",
    ),
    pytest.param(added("ingress", INGRESS), "LL502", id="AWS ALB cuts"),
    pytest.param(
        changed(SAID, {"cloud.google.com/neg": '{"ingress": true}'}), "LL503", id="GKE cuts"
    ),
    pytest.param(
        changed(SAID, {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "4"})
        | {"llr": changed("llr/spec/drain", {"clientIdleTimeout": "5m"})["llr"]},
        "LL504",
        id="Azure forgets",
    ),
    pytest.param(
        changed(SAID, {f"{ALIBABA}address-type": "intranet"}), "LL505", id="Alibaba, no drain"
    ),
    pytest.param(
        changed(
            SAID, {f"{ALIBABA}connection-drain": "on", f"{ALIBABA}connection-drain-timeout": "30"}
        ),
        "LL505",
        id="Alibaba, short drain",
    ),
    # Evictions
    pytest.param({k: v for k, v in right().items() if k != "budget"}, "LL601", id="no budget"),
    pytest.param(
        changed("budget/spec", {"minAvailable": 3, "selector": {"matchLabels": LABELS}}),
        "LL602",
        id="budget by number",
    ),
    pytest.param(
        changed("budget/spec", {"minAvailable": "90%", "selector": {"matchLabels": LABELS}}),
        "LL602",
        id="budget by share",
    ),
    pytest.param(changed("budget/spec/maxUnavailable", 0), "LL602", id="budget of none"),
    pytest.param(added("other", OTHER_BUDGET), "LL603", id="two budgets"),
    # Meshes and policies
    pytest.param(
        changed(f"{TEMPLATE}labels", LABELS | {"sidecar.istio.io/inject": "true"})
        | {"llr": changed("llr/spec/ports", [15006])["llr"]},
        "LL701",
        id="Istio by label",
    ),
    pytest.param(
        changed("namespace/metadata/labels", {"istio-injection": "enabled"})
        | {"llr": changed("llr/spec/ports", [15006])["llr"]},
        "LL701",
        id="Istio by namespace",
    ),
    pytest.param(
        in_istio({f"{ISTIO}excludeInboundPorts": "", MODE: "TPROXY"}),
        "LL701",
        id="Istio takes the agent's port in another way",
    ),
    pytest.param(in_istio({}), "LL704", id="Istio, declared ports"),
    pytest.param(in_istio({}, ports=["http"]), "LL704", id="Istio, the clients' port"),
    pytest.param(
        in_istio({f"{ISTIO}includeInboundPorts": "8080"}, ports=[8081]),
        "LL704",
        id="Istio takes the Service's port alone",
    ),
    pytest.param(
        in_istio({f"{ISTIO}excludeInboundPorts": "8080,9913"}, ports=[15006]),
        "LL402",
        id="Istio leaves a port alone that does not count",
    ),
    pytest.param(changed("llr/spec/ports", [15006]), "LL402", id="Istio's port without Istio"),
    pytest.param(
        changed(f"{TEMPLATE}annotations", {"linkerd.io/inject": "enabled"}), "LL702", id="Linkerd"
    ),
    pytest.param(
        added("policy", policy({"port": 8080}, {"port": 9000, "endPort": 9912})),
        "LL703",
        id="policy without the agent's port",
    ),
    pytest.param(added("policy", policy()), "LL703", id="policy that closes all"),
    # nginx
    pytest.param(
        behind_nginx({"nginx.conf": f"http {{ {BARE} }}"}, image="nginx:1.22"),
        "LL801",
        id="no snippet",
    ),
    pytest.param(behind_nginx({"nginx.conf": "http {"}), "LL802", id="no configuration of nginx"),
    # HAProxy
    pytest.param(
        behind_haproxy(COVERED.replace("http-after", "# http-after")),
        "LL803",
        id="HAProxy, no rule",
    ),
    pytest.param(
        behind_haproxy(COVERED.replace(" !{ status 101 }", "")), "LL804", id="HAProxy, 101"
    ),
    pytest.param(
        behind_haproxy(COVERED, driver={"port": 9998}), "LL805", id="HAProxy listens elsewhere"
    ),
    pytest.param(behind_haproxy(COVERED, command=["haproxy"]), "LL806", id="HAProxy, process 1"),
    pytest.param(
        behind_haproxy(COVERED.replace("8080", "8080 proto h2")), "LL807", id="HAProxy, HTTP/2"
    ),
    # Envoy
    pytest.param(behind_envoy("node: {id: a}"), "LL808", id="Envoy without an admin API"),
    pytest.param(
        behind_envoy(ADMIN.replace("127.0.0.1", "10.0.0.1")), "LL809", id="Envoy, open to all"
    ),
    pytest.param(
        behind_envoy(f"{ADMIN}static_resources: {{listeners: [{{drain_type: MODIFY_ONLY}}]}}"),
        "LL810",
        id="Envoy, drain_type",
    ),
    # nginx by reloads
    pytest.param(reloaded(conf(BARE)), "LL811", id="a reload that closes idle connections"),
    pytest.param(reloaded({}), "LL812", id="a configuration that nobody has seen"),
]


def test_nothing_is_found_in_a_right_set_up() -> None:
    """Not even a note: whoever did everything right is left alone, live or in files."""
    assert found(right()) == ()
    assert found(right(), live=False) == ()


@pytest.mark.parametrize(("objects", "code"), WRONG)
def test_what_is_wrong_is_found(objects: dict[str, Raw], code: str) -> None:
    """Once, alone, with an object, a reason and something to do."""
    answers = found(objects)

    assert [finding.code for finding in answers] == [code]
    (finding,) = answers
    assert finding.link == f"{DOCS}#{code.lower()}"
    assert "shop/" in finding.object
    for text in (finding.object, finding.reason, finding.remedy):
        assert text == text.strip()
        assert not text.endswith((".", ";", ","))


def test_every_check_has_a_set_up_that_it_finds() -> None:
    """A check without one might never find anything."""
    tried = {str(param.values[1]) for param in WRONG}
    assert [check.code for check in CHECKS if check.code not in tried] == []
    assert len({check.code for check in CHECKS}) == len(CHECKS) >= 20


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(changed(SAID, ASKS_APP), id="AWS asks the agent through the application"),
        pytest.param(
            changed(SAID, ASKS_APP | {f"{AWS}healthcheck-protocol": "https"}),
            id="AWS asks the agent through an application that speaks TLS",
        ),
        pytest.param(
            of_class({f"{AWS}nlb-target-type": "instance"}), id="AWS, nodes as targets by class"
        ),
        pytest.param(changed(SAID, ASKS_AGENT), id="AWS asks the agent"),
        pytest.param(
            changed(SAID, ASKS_APP | {f"{AWS}healthcheck-path": "/up"})
            | {"llr": changed("llr/spec/statusFlag", {"path": "/up"})["llr"]},
            id="AWS asks the agent by another path",
        ),
        pytest.param(
            changed(SAID, NLB) | {"llr": changed("llr/spec/drain", {"propagation": "2m"})["llr"]},
            id="AWS, long propagation",
        ),
        pytest.param(
            changed(
                SAID,
                {"cloud.google.com/neg": "{}", "cloud.google.com/backend-config": "{}"},
            ),
            id="GKE with a BackendConfig",
        ),
        pytest.param(
            changed(
                SAID,
                {f"{ALIBABA}connection-drain": "on", f"{ALIBABA}connection-drain-timeout": "300"},
            ),
            id="Alibaba drains",
        ),
        pytest.param(
            changed(
                f"{TEMPLATE}annotations",
                {
                    "sidecar.istio.io/inject": "true",
                    f"{ISTIO}excludeInboundPorts": "15090,9900-9920",
                },
            )
            | {"llr": changed("llr/spec/ports", [15006])["llr"]},
            id="Istio leaves the port alone",
        ),
        pytest.param(
            changed(
                f"{TEMPLATE}annotations",
                {"sidecar.istio.io/inject": "true", f"{ISTIO}includeInboundPorts": "8080"},
            )
            | {"llr": changed("llr/spec/ports", ["http", 15006])["llr"]},
            id="Istio takes named ports",
        ),
        pytest.param(
            in_istio({f"{ISTIO}excludeInboundPorts": "8080,9913"}),
            id="Istio leaves the clients' port alone",
        ),
        pytest.param(
            in_istio({f"{ISTIO}includeInboundPorts": ""}), id="Istio takes no port at all"
        ),
        pytest.param(in_istio({MODE: "TPROXY"}), id="Istio leaves sockets their port"),
        pytest.param(
            in_istio({f"{ISTIO}excludeInboundPorts": "", MODE: "NONE"}),
            id="Istio intercepts nothing",
        ),
        pytest.param(
            changed(
                f"{TEMPLATE}annotations",
                {"linkerd.io/inject": "enabled", "config.linkerd.io/skip-inbound-ports": "9913"},
            ),
            id="Linkerd leaves the port alone",
        ),
        pytest.param(
            changed("namespace/metadata/labels", {"istio-injection": "enabled"})
            | {
                "deployment": changed(
                    f"{TEMPLATE}labels", LABELS | {"sidecar.istio.io/inject": "false"}
                )["deployment"]
            },
            id="the template leaves the mesh",
        ),
        pytest.param(
            on_node([{"containerPort": 8080}])
            | {
                "policy": policy(),
                "namespace": changed("namespace/metadata/labels", {"istio-injection": "enabled"})[
                    "namespace"
                ],
            },
            id="meshes and policies leave the node's network alone",
        ),
        pytest.param(
            added("policy", policy({"port": 9914}))
            | {
                "deployment": changed(
                    f"{TEMPLATE}annotations", {"lossless.dev/agent-port": "9914"}
                )["deployment"]
            },
            id="policy with the port that the template names",
        ),
        pytest.param(added("policy", policy({"port": 9913})), id="policy with the port"),
        pytest.param(added("policy", policy({"port": 9000, "endPort": 9999})), id="with a range"),
        pytest.param(added("policy", policy(policyTypes=["Egress"])), id="policy about egress"),
        pytest.param(
            changed(f"{POD}containers/0/lifecycle", {"preStop": {"sleep": {"seconds": 5}}}),
            id="a preStop that the hold replaces",
        ),
        pytest.param(
            changed("deployment/spec/replicas", None) | {"autoscaler": AUTOSCALER},
            id="the autoscaler says how many",
        ),
        pytest.param(
            changed("deployment/metadata/namespace", None),
            id="a manifest that leaves the namespace to kubectl",
        ),
        pytest.param(
            added("other", OTHER_LLR | {"metadata": {"name": "web", "namespace": "elsewhere"}}),
            id="the same name in another namespace",
        ),
        pytest.param(
            added(
                "headless",
                right()["service"]
                | {
                    "metadata": {"name": "peers", "namespace": "shop"},
                    "spec": {"selector": {"app": "db"}, "clusterIP": "None"},
                },
            ),
            id="somebody else's Service",
        ),
    ],
)
def test_what_is_right_in_another_way_is_left_alone(objects: dict[str, Raw]) -> None:
    """Each of these looks like a set-up of the table above, and is well."""
    assert found(objects) == ()


def test_files_are_not_blamed_for_what_they_do_not_hold() -> None:
    """A Service or a budget may be in another file; a missing workload is a note."""
    objects = {key: raw for key, raw in right().items() if key in {"llr", "deployment"}}
    assert found(objects, live=False) == ()

    (finding,) = found({"llr": right()["llr"]}, live=False)
    assert (finding.code, finding.severity) == ("LL102", Severity.NOTE)


@pytest.mark.parametrize(
    ("excluded", "ports", "wanted"),
    [
        pytest.param("9913", [], [15006], id="declared ports"),
        pytest.param("9913", ["http"], ["http", 15006], id="named ports are kept"),
        pytest.param("9913,8080", [], [8080, 15006], id="a declared port that Istio leaves alone"),
    ],
)
def test_the_ports_that_istio_needs(
    excluded: str, ports: list[int | str], wanted: list[int | str]
) -> None:
    """Who sets what the finding says is told nothing more."""
    objects = in_istio({f"{ISTIO}excludeInboundPorts": excluded}, ports=ports)
    pod = objects["deployment"]["spec"]["template"]["spec"]
    pod["containers"][0]["ports"].append({"containerPort": 9090})

    (finding,) = found(objects)
    assert finding.code == "LL704"
    assert finding.remedy == f"set spec.ports: [{', '.join(map(str, wanted))}]"

    objects["llr"]["spec"]["ports"] = wanted
    assert found(objects) == ()


def test_pods_of_other_controllers_have_no_workload_to_look_for() -> None:
    """Live or in files; and each LosslessRollout of that kind has pods of its own."""
    pods = {"apiVersion": "v1", "kind": "Pod"}
    objects = changed("llr/spec/targetRef", pods)
    objects["other"] = OTHER_LLR | {"spec": {"targetRef": pods}}

    assert found(objects) == ()
    assert found(objects, live=False) == ()


def test_the_worst_comes_first() -> None:
    """Whoever reads only the top reads what matters."""
    objects = changed("llr/spec/paused", value=True)
    objects["deployment"]["spec"]["replicas"] = 1
    objects["deployment"]["spec"]["template"]["spec"]["containers"][0].pop("readinessProbe")
    del objects["budget"]

    severities = [finding.severity for finding in found(objects)]

    assert severities == [Severity.ERROR, Severity.WARNING, Severity.NOTE]


def test_every_check_is_explained() -> None:
    """The page has exactly the checks of the catalogue, in order, with title and severity."""
    text = (ROOT / DOCS).read_text(encoding="utf-8")
    told = re.findall(r'^### <a id="(ll\d+)"></a>(LL\d+) (.+) \((\w+)\)$', text, re.MULTILINE)

    assert told == [(c.code.lower(), c.code, c.title, c.severity.value) for c in CHECKS]


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        pytest.param(None, False, id="none"),
        pytest.param({}, True, id="empty"),
        pytest.param({"matchLabels": {"app": "web"}}, True, id="equal"),
        pytest.param({"matchLabels": {"app": "db"}}, False, id="unequal"),
        *(
            pytest.param(
                {"matchExpressions": [{"key": key, "operator": operator, "values": values}]},
                matches,
                id=f"{key} {operator}",
            )
            for key, operator, values, matches in (
                ("app", "In", ["web"], True),
                ("app", "NotIn", ["web"], False),
                ("tier", "NotIn", ["web"], True),
                ("app", "Exists", [], True),
                ("tier", "Exists", [], False),
                ("tier", "DoesNotExist", [], True),
                ("app", "Near", [], False),
            )
        ),
    ],
)
def test_selectors(selector: Raw | None, matches: bool) -> None:  # noqa: FBT001 # a table's column
    """As the API server selects; an operator that nobody knows selects nothing."""
    assert selects(selector, {"app": "web"}) is matches
