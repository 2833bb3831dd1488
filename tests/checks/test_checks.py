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
from lossless.plugin.surroundings import from_files, setup_of
from tests.checks.envoy_pods import ADMIN, behind_envoy
from tests.checks.haproxy_pods import COVERED, behind_haproxy
from tests.checks.manifests import LABELS, Raw, added, changed, right
from tests.checks.nginx_pods import BARE, behind_nginx, conf, reloaded

ROOT: Final = Path(__file__).resolve().parents[2]
AWS: Final = "service.beta.kubernetes.io/aws-load-balancer-"
ALB_SAYS: Final = "alb.ingress.kubernetes.io/"
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
            f"{ALB_SAYS}target-type": "ip",
            f"{ALB_SAYS}target-group-attributes": "deregistration_delay.timeout_seconds=30",
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


METRICS: Final = {"name": "metrics", "containerPort": 9090}
EXPORTER: Final = {
    "name": "nginx-exporter",
    "image": "nginx/nginx-prometheus-exporter:1.3",
    "ports": [{"containerPort": 9113}],
}
SQL_PROXY: Final = {
    "name": "cloud-sql-proxy",
    "image": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2",
    "ports": [{"containerPort": 5432}],
}
MONITORED: Final = right()["service"] | {"spec": {"selector": LABELS, "ports": []}}
ALB: Final = {
    **INGRESS,
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "annotations": {f"{ALB_SAYS}target-type": "ip"},
    },
}


def accepting(codes: str) -> dict[str, Raw]:
    """Return a right set-up whose LosslessRollout accepts findings."""
    return changed("llr/metadata/annotations", {"lossless.dev/accept-findings": codes})


def with_ports(*declared: Raw, ports: list[int | str] | None = None) -> dict[str, Raw]:
    """Return a right set-up whose container declares these ports, and a ``spec.ports``."""
    objects = changed(f"{POD}containers/0/ports", list(declared))
    objects["llr"]["spec"] |= {"ports": ports} if ports else {}
    return objects


def beside(container: Raw, ports: list[int | str] | None = None) -> dict[str, Raw]:
    """Return a right set-up with one container more."""
    objects = with_ports({"name": "http", "containerPort": 8080}, ports=ports)
    objects["deployment"]["spec"]["template"]["spec"]["containers"].append(container)
    return objects


def hooked(script: str) -> dict[str, Raw]:
    """Return a right set-up whose container has a hook of a shell."""
    hook = {"preStop": {"exec": {"command": ["/bin/sh", "-c", script]}}}
    return changed(f"{POD}containers/0/lifecycle", hook)


def scaled(kind: str, api_version: str, **spec: Any) -> Raw:
    """Return an autoscaler of the Deployment."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"name": "web"}} | spec,
    }


def keda(**spec: Any) -> Raw:
    """Return a ScaledObject, whose reference needs no kind; three pods at least."""
    return scaled("ScaledObject", "keda.sh/v1alpha1", **{"minReplicaCount": 3} | spec)


def external(target: str) -> Raw:
    """Return an HPA on a metric of a queue, with a target of some type."""
    return scaled(
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        scaleTargetRef={"kind": "Deployment", "name": "web"},
        minReplicas=3,
        metrics=[{"type": "External", "external": {"target": {"type": target}}}],
    )


def peers(**spec: Any) -> Raw:
    """Return the headless Service by which pods find each other before they are ready."""
    return {
        "kind": "Service",
        "metadata": {"name": "peers", "namespace": "shop"},
        "spec": {
            "selector": LABELS,
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "ports": [{"port": 7946}],
        }
        | spec,
    }


def daemon(budget: Raw) -> dict[str, Raw]:
    """Return a right set-up of a DaemonSet, of which nobody says how many pods it has."""
    objects = changed("budget/spec", budget | {"selector": {"matchLabels": LABELS}})
    objects["deployment"] |= {"kind": "DaemonSet"}
    del objects["deployment"]["spec"]["replicas"]
    objects["llr"]["spec"]["targetRef"]["kind"] = "DaemonSet"
    return objects


#: Two ports, of which ``spec.ports`` names the one for clients, as docs/limits.md advises.
SCRAPED: Final = with_ports({"name": "http", "containerPort": 8080}, METRICS, ports=["http"])


def scraped_by(said: Raw, *ports: Raw) -> dict[str, Raw]:
    """Return such a set-up whose Service leads to the metrics port, and what else it says."""
    objects = with_ports({"name": "http", "containerPort": 8080}, *ports, ports=["http"])
    objects["service"]["spec"]["ports"] = [
        {"name": "http", "port": 80, "targetPort": "http"},
        {"name": "mgmt", "port": 81, "targetPort": 9090},
    ]
    objects["service"]["metadata"] |= said
    return objects


DRIVERS: Final[list[Raw]] = [{"nginx": {}}, {"envoy": {}}, {"haproxy": {"port": 9999}}]
WRONG: Final = [
    # The LosslessRollout
    pytest.param(changed("llr/spec/drain", {"timeout": "soon"}), "LL101", id="spec invalid"),
    pytest.param(changed("llr/spec/targetRef/name", "wbe"), "LL102", id="target misspelled"),
    pytest.param(added("other", OTHER_LLR), "LL103", id="two on one target"),
    pytest.param(changed("llr/spec/close", []), "LL104", id="no close driver"),
    pytest.param(changed("llr/spec/drain", {"clientIdleTimeout": "10s"}), "LL105", id="short idle"),
    pytest.param(changed("llr/spec/paused", value=True), "LL106", id="paused by hand"),
    pytest.param(accepting("LL1O4"), "LL107", id="a code that does not exist"),
    pytest.param(changed("llr/spec/drian", {"timeout": "5m"}), "LL108", id="unknown field"),
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
    pytest.param(
        added("autoscaler", external("Value")), "LL207", id="an HPA that counts what drains"
    ),
    pytest.param(
        added("autoscaler", keda(triggers=[{"type": "prometheus", "metricType": "Value"}])),
        "LL207",
        id="KEDA asks for the same",
    ),
    pytest.param(
        changed("deployment/spec/replicas", None) | {"autoscaler": keda(minReplicaCount=1)},
        "LL201",
        id="KEDA leaves one",
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
        changed("llr/spec/close", [{"middleware": {"statusFile": "/status/on"}}]),
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
    pytest.param(
        with_ports({"name": "http", "containerPort": 8080}, METRICS), "LL312", id="metrics count"
    ),
    pytest.param(
        with_ports({"name": "http", "containerPort": 8080}, METRICS, ports=["http", "metrics"]),
        "LL312",
        id="metrics count by name",
    ),
    pytest.param(beside(EXPORTER), "LL312", id="an exporter counts"),
    pytest.param(beside(SQL_PROXY), "LL313", id="cloud-sql-proxy"),
    pytest.param(
        {k: v for k, v in beside(SQL_PROXY).items() if k != "service"} | {"service": MONITORED},
        "LL313",
        id="cloud-sql-proxy, and no Service that says who serves",
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
    pytest.param(
        added("ingress", ALB)
        | {"namespace": changed("namespace/metadata/labels", {})["namespace"]},
        "LL506",
        id="AWS ALB without readiness gates",
    ),
    pytest.param(
        changed(SAID, ASKS_AGENT)
        | {"namespace": changed("namespace/metadata/labels", {})["namespace"]},
        "LL506",
        id="AWS NLB without readiness gates",
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
    pytest.param(
        changed(f"{TEMPLATE}labels", LABELS | {"istio.io/rev": "canary"})
        | {"llr": changed("llr/spec/ports", [15006])["llr"]},
        "LL701",
        id="Istio by the template's revision",
    ),
    pytest.param(
        changed("namespace/metadata/labels", {"istio.io/dataplane-mode": "ambient"}),
        "LL705",
        id="Istio's ambient mode",
    ),
    pytest.param(
        changed(f"{TEMPLATE}labels", LABELS | {"istio.io/dataplane-mode": "ambient"}),
        "LL705",
        id="Istio's ambient mode by the template",
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
    pytest.param(
        behind_envoy(ADMIN, readinessProbe={"httpGet": {"path": "/ready", "port": 9901}}),
        "LL813",
        id="Envoy's own readiness",
    ),
    pytest.param(
        behind_envoy(ADMIN, readinessProbe={"httpGet": {"path": "/ready", "port": 8002}}),
        "LL813",
        id="Envoy's own readiness through a listener",
    ),
    pytest.param(
        behind_envoy(
            ADMIN,
            readinessProbe={"exec": {"command": ["curl", "-f", "http://127.0.0.1:9901/ready"]}},
        ),
        "LL813",
        id="Envoy's own readiness by a program",
    ),
    # What was not seen
    *(
        pytest.param(
            changed("llr/spec/close", [driver]), "LL814", id=f"{next(iter(driver))} unseen"
        )
        for driver in DRIVERS
    ),
    pytest.param(
        {k: v for k, v in behind_nginx({"nginx.conf": "x"}).items() if k != "config"},
        "LL814",
        id="nginx, the ConfigMap was not seen",
    ),
    pytest.param(
        behind_nginx(
            {"default.conf.template": BARE}, mounts=[{"mountPath": "/etc/nginx/templates"}]
        ),
        "LL814",
        id="nginx, templates",
    ),
    pytest.param(
        behind_nginx({"nginx.conf": "x"}, {"secret": {"secretName": "front"}}),
        "LL814",
        id="nginx, a Secret",
    ),
    pytest.param(
        behind_haproxy(
            COVERED, args=["-f", "/usr/local/etc/haproxy/haproxy.cfg", "-f", "/etc/more.cfg"]
        ),
        "LL814",
        id="HAProxy, a part in the image",
    ),
    pytest.param(
        behind_envoy("", args=["--config-path=/opt/mine.yaml"]), "LL814", id="Envoy, in the image"
    ),
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
    ("objects", "code"),
    [
        pytest.param(
            scraped_by({}), "LL402", id="a port for nobody knows whom, left out of the count"
        ),
        pytest.param(daemon({"maxUnavailable": 0}), "LL602", id="a budget of none, of any number"),
        pytest.param(daemon({"minAvailable": "100%"}), "LL602", id="a budget of all"),
    ],
)
def test_what_is_no_exception_is_still_found(objects: dict[str, Raw], code: str) -> None:
    """Beside the set-ups that are left alone."""
    assert [finding.code for finding in found(objects)] == [code]


def test_a_service_for_peers_alone_is_one_for_clients() -> None:
    """Nothing else leads to the pods."""
    objects = right() | {"service": peers(ports=[{"port": 80, "targetPort": 8080}])}
    assert {finding.code for finding in found(objects)} == {"LL404", "LL405"}


@pytest.mark.parametrize(
    ("declared", "image", "said"),
    [
        pytest.param({"name": "grpc"}, "app:1", "GOAWAY", id="gRPC"),
        pytest.param({"name": "grpc"}, "envoyproxy/envoy:1", "{envoy: {}}", id="gRPC by Envoy"),
        pytest.param({"name": "grpc"}, "nginx:1", "http2", id="gRPC by nginx"),
        pytest.param({"name": "tcp-db"}, "haproxy:3", "raw TCP", id="a TCP proxy"),
        pytest.param({}, "quay.io/x/stunnel:5", "raw TCP", id="a tunnel"),
        pytest.param({"name": "http"}, "haproxy:3", "{haproxy: ", id="HAProxy"),
        pytest.param({"name": "http"}, "r.example/nginx:1", "driver of app", id="nginx"),
        pytest.param({"name": "http"}, "app:1", "middleware", id="HTTP"),
    ],
)
def test_the_driver_that_fits_is_named(declared: Raw, image: str, said: str) -> None:
    """Nobody is told to use nginx who has none, nor middleware who speaks no HTTP/1.1."""
    objects = with_ports({"containerPort": 8080} | declared)
    objects["service"]["spec"]["ports"] = [{"port": 80, "targetPort": 8080}]
    objects["deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] = image
    objects["llr"]["spec"]["close"] = []

    (finding,) = found(objects)

    assert finding.code == "LL104"
    assert said in finding.remedy
    if said != "middleware":
        assert "middleware" not in finding.remedy


def test_a_namespace_that_was_not_seen_is_no_error() -> None:
    """In files it often is not there: a note says what to look at."""
    objects = added("ingress", ALB)
    del objects["namespace"]
    (finding,) = found(objects, live=False)
    assert (finding.code, finding.severity) == ("LL506", Severity.NOTE)


def test_a_probe_of_the_admin_port_is_kept_in_mind() -> None:
    """Whoever shuts the admin port to the network takes the probe away, and is told so."""
    bootstrap = ADMIN.replace("127.0.0.1", "10.0.0.1")
    objects = behind_envoy(bootstrap, readinessProbe={"httpGet": {"path": "/ready", "port": 9901}})
    findings = {finding.code: finding for finding in found(objects)}
    assert set(findings) == {"LL809", "LL813"}
    assert "readiness probe" in findings["LL809"].remedy


def test_a_labelled_template_is_looked_at() -> None:
    """Of kind Pod, whoever makes the pods, and nobody counts replicas that are not said."""
    objects = changed("llr/spec/targetRef", {"apiVersion": "v1", "kind": "Pod"})
    template = objects["deployment"]["spec"]["template"]
    template["metadata"]["labels"] = LABELS | {"lossless.dev/rollout": "web"}
    del template["spec"]["containers"][0]["readinessProbe"]
    objects["deployment"] |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}

    assert [finding.code for finding in found(objects)] == ["LL307"]


@pytest.mark.parametrize(
    ("annotation", "flag"),
    [
        pytest.param("LL201, ll307", (), id="annotation"),
        pytest.param("LL201", ("LL307",), id="both"),
        pytest.param("", ("LL201", "LL307"), id="flag"),
    ],
)
def test_what_is_accepted_is_shown_last(annotation: str, flag: tuple[str, ...]) -> None:
    """It stays what it is, and is marked; what is not accepted is not."""
    objects = accepting(annotation)
    objects["llr"]["spec"]["paused"] = True
    objects["deployment"]["spec"]["replicas"] = 1
    objects["deployment"]["spec"]["template"]["spec"]["containers"][0].pop("readinessProbe")
    setup = setup_of(objects["llr"], list(objects.values()), live=True, budgets_known=True)

    findings = examine(setup, flag)

    assert [(one.code, one.accepted) for one in findings] == [
        ("LL106", False),
        ("LL307", True),
        ("LL201", True),
    ]
    assert findings[1].document()["accepted"] is True


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
            scraped_by({}, {"name": "metrics", "containerPort": 9090}),
            id="a metrics port by its own name, left out of the count",
        ),
        pytest.param(
            scraped_by({"annotations": {"prometheus.io/port": "9090"}}),
            id="a metrics port by the Service's annotation",
        ),
        pytest.param(
            scraped_by({"labels": LABELS})
            | {
                "monitor": {
                    "apiVersion": "monitoring.coreos.com/v1",
                    "kind": "ServiceMonitor",
                    "metadata": {"name": "web", "namespace": "shop"},
                    "spec": {
                        "selector": {"matchLabels": LABELS},
                        "endpoints": [{"port": "mgmt"}],
                    },
                }
            },
            id="a metrics port by its ServiceMonitor",
        ),
        pytest.param(
            SCRAPED
            | {
                "metrics": right()["service"]
                | {
                    "metadata": {"name": "web-metrics", "namespace": "shop"},
                    "spec": {"selector": LABELS, "ports": [{"port": 9113}]},
                }
            },
            id="a Service for metrics by its name",
        ),
        pytest.param(
            with_ports({"name": "metrics", "containerPort": 8080})
            | {
                "service": changed(f"{SERVICE}ports", [{"port": 80, "targetPort": 8080}])["service"]
            },
            id="nothing but metrics",
        ),
        pytest.param(beside(EXPORTER, ["http"]), id="an exporter left out of the count"),
        pytest.param(beside(SQL_PROXY, ["http"]), id="cloud-sql-proxy left out of the count"),
        pytest.param(
            beside(SQL_PROXY) | {"llr": changed("llr/spec/sidecars", {"order": "Sleep"})["llr"]},
            id="cloud-sql-proxy sleeps",
        ),
        pytest.param(
            beside({"name": "front", "ports": [{"containerPort": 8443}]})
            | {
                "service": changed(
                    f"{SERVICE}ports",
                    [{"port": 80, "targetPort": "http"}, {"port": 443, "targetPort": 8443}],
                )["service"]
            },
            id="two containers that both serve",
        ),
        pytest.param(added("peers", peers()), id="a Service for peers beside one for clients"),
        pytest.param(daemon({"maxUnavailable": 1}), id="a DaemonSet and its budget"),
        pytest.param(daemon({"minAvailable": 1}), id="a DaemonSet and a budget by number"),
        pytest.param(daemon({"maxUnavailable": "10%"}), id="a DaemonSet and a budget by share"),
        pytest.param(
            changed("deployment/spec/replicas", None) | {"autoscaler": keda()},
            id="KEDA says how many",
        ),
        pytest.param(added("autoscaler", external("AverageValue")), id="an HPA that divides"),
        pytest.param(
            added("ingress", ALB)
            | changed(f"{POD}readinessGates", [{"conditionType": "target-health.elbv2.k8s.aws/x"}])
            | {"namespace": changed("namespace/metadata/labels", {})["namespace"]},
            id="AWS's readiness gate in the template",
        ),
        pytest.param(
            changed(f"{TEMPLATE}labels", LABELS | {"istio.io/rev": "canary"})
            | {
                "namespace": changed("namespace/metadata/labels", {"istio-injection": "disabled"})[
                    "namespace"
                ]
            },
            id="a revision in a namespace without Istio",
        ),
        pytest.param(
            changed(f"{TEMPLATE}labels", LABELS | {"istio.io/dataplane-mode": "none"})
            | {
                "namespace": changed(
                    "namespace/metadata/labels", {"istio.io/dataplane-mode": "ambient"}
                )["namespace"]
            },
            id="the template leaves the ambient mode",
        ),
        pytest.param(hooked("while killall -0 nginx; do sleep 1; done"), id="a hook that waits"),
        pytest.param(
            changed(
                f"{POD}containers/0/lifecycle",
                {"preStop": {"exec": {"command": ["sleep", "25"]}}},
            ),
            id="a pure sleep without a shell",
        ),
        pytest.param(
            behind_envoy(ADMIN, readinessProbe={"httpGet": {"path": "/up", "port": 8080}}),
            id="a probe of the application through Envoy",
        ),
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


def test_each_namespace_of_a_file_is_looked_at_by_itself() -> None:
    """The same names in two namespaces, in any order, and one that is left to kubectl."""
    right_one, wrong_one, bare = right(), right(), right()
    for raw in wrong_one.values():
        raw["metadata"]["namespace"] = "other"
    wrong_one["deployment"]["spec"]["replicas"] = 1
    bare["deployment"]["spec"]["paused"] = True
    for name in ("llr", "deployment", "service", "budget"):
        del bare[name]["metadata"]["namespace"]
    del wrong_one["namespace"], bare["namespace"]
    objects = [*wrong_one.values(), *right_one.values(), *bare.values()]

    told = {
        setup.name: [finding.code for finding in examine(setup) if finding.code != "LL603"]
        for setup in from_files([*objects])
    }

    assert told["LosslessRollout other/web"] == ["LL201"]
    assert told["LosslessRollout shop/web"] == []
    assert told["LosslessRollout web"] == ["LL205"]


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
