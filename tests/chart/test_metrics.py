"""What Prometheus and Grafana are given: nothing unless asked for; then it fits what is there."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from lossless.model.names import METRICS_PATH, ROLLOUT_LABEL
from monitoring.files import ALERTS, DASHBOARD
from monitoring.rules import read_alerts
from tests.chart.rendering import NAMESPACE, Helm, HelmError, Manifest, named, of_kind
from tests.injection.pods import agent_of, injected, pod

_OURS = ("PodMonitor", "PrometheusRule", "ServiceMonitor", "ConfigMap")
_MONITORS = {"podMonitor": {"enabled": True, "agents": True}}
_RULE = {"prometheusRule": {"enabled": True}}


def _with(helm: Helm, metrics: Mapping[str, Any]) -> list[Manifest]:
    return helm.render({"metrics": metrics})


def _alerts(rule: Manifest) -> dict[str, Any]:
    return {alert["alert"]: alert for group in rule["spec"]["groups"] for alert in group["rules"]}


def test_there_is_nothing_unless_asked_for(manifests: list[Manifest]) -> None:
    """An API server without the Prometheus Operator would refuse the whole release."""
    assert [m["kind"] for m in manifests if m["kind"] in _OURS] == []


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_a_monitor_finds_its_pods(helm: Helm, component: str) -> None:
    """By the labels and the port's name that they have, in the namespace in which they are."""
    rendered = _with(helm, _MONITORS)
    monitor = named(rendered, "PodMonitor", f"lossless-{component}")
    template = named(rendered, "Deployment", f"lossless-{component}")["spec"]["template"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert monitor["metadata"]["namespace"] == NAMESPACE
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": [NAMESPACE]}
    assert monitor["spec"]["selector"]["matchLabels"].items() <= (
        template["metadata"]["labels"].items()
    )
    assert endpoint["port"] in {p["name"] for p in template["spec"]["containers"][0]["ports"]}
    assert (endpoint["path"], endpoint["honorLabels"]) == (METRICS_PATH, True)
    assert not endpoint.keys() & {"interval", "scrapeTimeout", "relabelings", "metricRelabelings"}


def test_agents_are_found_in_every_namespace(helm: Helm) -> None:
    """By the label that the webhook writes and the port that it declares."""
    monitor = named(_with(helm, _MONITORS), "PodMonitor", "lossless-agent")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (port,) = agent_of(injected(pod()))["ports"]

    assert monitor["spec"]["namespaceSelector"] == {"any": True}
    assert monitor["spec"]["selector"] == {
        "matchExpressions": [{"key": ROLLOUT_LABEL, "operator": "Exists"}]
    }
    assert endpoint["port"] == port["name"]


def test_agents_are_found_where_pods_are_served(helm: Helm) -> None:
    """Prometheus needs no right in namespaces that are none of this installation's business."""
    rendered = helm.render({"metrics": _MONITORS, "watchNamespaces": ["shop", "bank"]})
    monitor = named(rendered, "PodMonitor", "lossless-agent")

    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["shop", "bank"]}


def test_agents_are_an_option(helm: Helm) -> None:
    """Their series are as many as there are pods."""
    rendered = _with(helm, {"podMonitor": {"enabled": True}})

    assert {m["metadata"]["name"] for m in of_kind(rendered, "PodMonitor")} == {
        "lossless-controller",
        "lossless-webhook",
    }


def test_every_setting_of_the_monitors_arrives(helm: Helm) -> None:
    """At each of them."""
    steps = [{"action": "labeldrop", "regex": "container"}]
    rendered = _with(
        helm,
        {
            "podMonitor": {
                "enabled": True,
                "agents": True,
                "namespace": "monitoring",
                "labels": {"release": "prom", "app.kubernetes.io/part-of": "mine"},
                "interval": "30s",
                "scrapeTimeout": "5s",
                "relabelings": steps,
                "metricRelabelings": steps,
            }
        },
    )
    monitors = of_kind(rendered, "PodMonitor")
    assert len(monitors) == 3
    for monitor in monitors:
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        labels = monitor["metadata"]["labels"]
        assert monitor["metadata"]["namespace"] == "monitoring"
        assert (labels["release"], labels["app.kubernetes.io/part-of"]) == ("prom", "mine")
        assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("30s", "5s")
        assert endpoint["relabelings"] == endpoint["metricRelabelings"] == steps


def test_the_rule_holds_the_alerts_as_they_are(helm: Helm) -> None:
    """Templates of Prometheus in their texts are not Helm's."""
    rule = named(_with(helm, _RULE), "PrometheusRule", "lossless")

    assert rule["spec"]["groups"] == yaml.safe_load(ALERTS.read_text())["groups"]


def test_alerts_can_be_labelled_left_out_and_led_elsewhere(helm: Helm) -> None:
    """A label of the administrator's wins, also over the severity."""
    rule = named(
        _with(
            helm,
            {
                "prometheusRule": {
                    "enabled": True,
                    "namespace": "monitoring",
                    "labels": {"release": "prom"},
                    "alertLabels": {"team": "platform", "severity": "info"},
                    "disabled": ["LosslessNotReady"],
                    "runbookUrl": "https://wiki.example.com/lossless/",
                }
            },
        ),
        "PrometheusRule",
        "lossless",
    )
    alerts = _alerts(rule)

    assert rule["metadata"]["namespace"] == "monitoring"
    assert rule["metadata"]["labels"]["release"] == "prom"
    assert alerts.keys() == {a.name for a in read_alerts(ALERTS)} - {"LosslessNotReady"}
    for name, alert in alerts.items():
        assert alert["labels"] == {"severity": "info", "team": "platform"}
        assert alert["annotations"]["runbook_url"] == (
            f"https://wiki.example.com/lossless/{name}.md"
        )


def test_a_group_without_alerts_is_left_out(helm: Helm) -> None:
    """The Prometheus Operator refuses an empty one."""
    group = yaml.safe_load(ALERTS.read_text())["groups"][1]
    disabled = [alert["alert"] for alert in group["rules"]]
    rule = named(
        _with(helm, {"prometheusRule": {"enabled": True, "disabled": disabled}}),
        "PrometheusRule",
        "lossless",
    )

    assert group["name"] not in {one["name"] for one in rule["spec"]["groups"]}


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        pytest.param(
            {"prometheusRule": {"enabled": True, "disabled": ["Lossles"]}},
            ['there is no alert "Lossles"', "LosslessNoLeader"],
            id="an alert that there is not",
        ),
        pytest.param(
            {"podMonitor": {"agents": True}},
            ["metrics.podMonitor.agents", "needs metrics.podMonitor.enabled"],
            id="agents alone",
        ),
        pytest.param(
            {"podMonitor": {"interval": "30"}}, ["/metrics/podMonitor/interval"], id="no unit"
        ),
        pytest.param(
            {"prometheusRule": {"runbookUrl": "docs"}},
            ["/metrics/prometheusRule/runbookUrl"],
            id="no URL",
        ),
        pytest.param(
            {"dashboard": {"labels": {"grafana_dashboard": 1}}},
            ["/metrics/dashboard/labels/grafana_dashboard"],
            id="a label that is no text",
        ),
    ],
)
def test_what_cannot_be_is_refused(helm: Helm, metrics: Mapping[str, Any], says: list[str]) -> None:
    """The refusal names the value."""
    with pytest.raises(HelmError) as refusal:
        helm.template({"metrics": metrics})
    assert [part for part in says if part not in str(refusal.value)] == []


def test_the_dashboard_arrives_whole(helm: Helm) -> None:
    """Byte for byte, with the label that Grafana's sidecar looks for by default."""
    settings = {"enabled": True, "namespace": "grafana", "annotations": {"grafana_folder": "a"}}
    config = named(_with(helm, {"dashboard": settings}), "ConfigMap", "lossless-dashboard")

    assert config["metadata"]["namespace"] == "grafana"
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"] == {"grafana_folder": "a"}
    assert json.loads(config["data"]["lossless.json"]) == json.loads(DASHBOARD.read_text())
