"""Each balancer's configuration: no request is ever repeated, and what is late is late enough."""

import json
import re

from e2e.balancers import envoy, haproxy, nginx
from e2e.balancers.routes import Backend, Route

_SERVICE = Backend(Route.CLUSTER_IP, ("10.96.0.7",), 80)
_LOCAL = Backend(
    Route.NODE_PORT_LOCAL, ("10.0.0.1", "10.0.0.2"), 30080, check_port=31000, check_path="/healthz"
)
_FLAG = Backend(
    Route.POD_FLAG, ("web-pods.a.svc",), 8080, check_port=9913, check_path="/status-flag"
)
_DNS = Backend(Route.POD_DNS, ("web-pods.a.svc",), 8080)
_PORTS = {_SERVICE: 8100, _LOCAL: 8101, _FLAG: 8102, _DNS: 8103}


def test_haproxy_repeats_nothing_and_believes_for_the_lag() -> None:
    """A checked address outlives DNS: its check alone takes it out."""
    text = haproxy.config(_PORTS, lag=15)

    assert "retries 0" in text
    assert re.findall(r"hold obsolete (\d+)s", text) == ["15", "600"]
    assert "server node0 10.96.0.7:80\n" in text
    assert "server node1 10.0.0.2:30080 check port 31000 inter 5000 fall 3 rise 1\n" in text
    (flagged,) = re.findall(r"server-template pod 8 web-pods.a.svc:8080 (check.*)", text)
    assert flagged.startswith("check port 9913 inter 5000 fall 3 rise 1 resolvers checked")
    assert "option httpchk GET /status-flag" in text
    assert "server-template pod 8 web-pods.a.svc:8080 resolvers dns" in text


def test_nginx_repeats_nothing_and_keeps_connections() -> None:
    """One pool for each way in."""
    text = nginx.config({_SERVICE: 8200}, folder="/tmp/x")  # noqa: S108 # only a name here

    assert "proxy_next_upstream off;" in text
    assert "upstream cluster_ip { server 10.96.0.7:80; keepalive 16; }" in text
    assert "listen 127.0.0.1:8200;" in text


def test_envoy_repeats_nothing_and_is_as_late() -> None:
    """No route has a retry policy; a health check needs three times five seconds."""
    text = envoy.config(_PORTS, lag=15)
    clusters = {c["name"]: c for c in json.loads(text)["static_resources"]["clusters"]}

    assert "retry_policy" not in text
    assert clusters["cluster_ip"]["type"] == "STATIC"
    assert "health_checks" not in clusters["pod_dns"]
    assert clusters["pod_dns"]["dns_refresh_rate"] == "15s"
    (check,) = clusters["pod_flag"]["health_checks"]
    assert (check["interval"], check["unhealthy_threshold"]) == ("5.000s", 3)
    assert check["http_health_check"] == {"path": "/status-flag"}
    (end,) = clusters["pod_flag"]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert end["endpoint"]["health_check_config"] == {"port_value": 9913}
