"""Specs that must be accepted and specs that must be refused, each with the words of the refusal.

One table for both judges: ``parse_spec`` and a real API server with the CRD. Where the API
server refuses in its own words (a type, an enum, a missing field), the entry says both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.model.names import API_VERSION, KIND

_TARGET: Final[Mapping[str, Any]] = {"kind": "Deployment", "name": "web"}


@dataclass(frozen=True, slots=True)
class GoodSpec:
    """A spec that is accepted: ``patch`` over one that names only a Deployment."""

    name: str
    patch: Mapping[str, Any]

    @property
    def spec(self) -> dict[str, Any]:
        """The whole ``spec``."""
        return {"targetRef": _TARGET, **self.patch}

    def manifest(self, namespace: str) -> dict[str, Any]:
        """Return the object to send."""
        return _manifest(namespace, self.spec)


@dataclass(frozen=True, slots=True)
class BadSpec:
    """A spec that is refused: ``patch`` over one that names only a Deployment."""

    name: str
    patch: Mapping[str, Any]
    field: str
    """Dotted path of the field that is at fault."""
    says: str
    """Part of the refusal."""
    api_field: str = ""
    """Where the API server sees the fault, if elsewhere."""
    api_says: str = ""
    """Part of the API server's refusal, if it has words of its own."""

    @property
    def spec(self) -> dict[str, Any]:
        """The whole ``spec``."""
        return {"targetRef": _TARGET, **self.patch}

    def manifest(self, namespace: str) -> dict[str, Any]:
        """Return the object to send."""
        return _manifest(namespace, self.spec)

    @property
    def api_cause(self) -> tuple[str, str]:
        """Field and part of the message that the API server's ``details.causes`` must hold."""
        return self.api_field or self.field, self.api_says or self.says


def _manifest(namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }


GOOD_SPECS: Final = (
    GoodSpec("only a target", {}),
    GoodSpec("the target's API version said", {"targetRef": {**_TARGET, "apiVersion": "apps/v1"}}),
    GoodSpec("ports by number", {"ports": [1, 8080, 65535]}),
    GoodSpec("ports by name", {"ports": ["http", "p", "8080-tls", "fifteen-letters"]}),
    GoodSpec(
        "every lower bound",
        {
            "drain": {
                "clientIdleTimeout": "1s",
                "propagation": "0s",
                "quiet": "500ms",
                "timeout": "1s",
            }
        },
    ),
    GoodSpec(
        "every upper bound",
        {
            "drain": {
                "clientIdleTimeout": "24h",
                "propagation": "10m",
                "quiet": "600s",
                "timeout": "23h59m60s",
            }
        },
    ),
    GoodSpec("fractions of units", {"drain": {"timeout": "1.5h", "quiet": "0.75s"}}),
    GoodSpec(
        "exactly propagation + quiet",
        {"drain": {"timeout": "8s", "propagation": "5s", "quiet": "3000ms"}},
    ),
    GoodSpec("the other choices", {"drain": {"idleConnections": "Wait", "onTimeout": "Continue"}}),
    GoodSpec("nginx", {"close": [{"nginx": {}}]}),
    GoodSpec("nginx with its file", {"close": [{"nginx": {"statusFile": "/lossless/serving"}}]}),
    GoodSpec("no counters", {"metrics": []}),
    GoodSpec("a status file on a volume", {"close": [{"nginx": {"statusFile": "/status/on"}}]}),
    GoodSpec(
        "odd but possible status files",
        {
            "close": [
                {"nginx": {"statusFile": "/run/.on"}},
                {"nginx": {"statusFile": "/run/..on/a b"}},
                {"nginx": {"statusFile": "/losslessness"}},
            ]
        },
    ),
    GoodSpec("sidecars behind a barrier", {"sidecars": {"order": "Barrier"}}),
    GoodSpec("sleeping sidecars", {"sidecars": {"order": "Sleep"}}),
    GoodSpec("a short sleep", {"sidecars": {"order": "Sleep", "sleep": "1s"}}),
    GoodSpec("a long sleep", {"sidecars": {"order": "Sleep", "sleep": "60m"}}),
    GoodSpec("several at a time", {"pacing": {"maxDraining": 3}}),
    GoodSpec("one percent", {"pacing": {"maxDraining": "1%"}}),
    GoodSpec("all at a time", {"pacing": {"maxDraining": "100%"}}),
    GoodSpec("paused", {"paused": True}),
)

_DEPLOYMENTS: Final = "this version protects only apps/v1 Deployments; name a Deployment"
_PORT: Final = "must be a number from 1 to 65535 or a port's name"
_DURATION: Final = "is not a duration; write for example 90s, 5m or 1m30s"
_DRIVER: Final = "this version knows one close driver, nginx: {}"
_PATH: Final = "must be an absolute path without . and .., for example /status/on"
_OURS: Final = "/lossless is ours, and there only /lossless/serving can be named"
_WITH_SLEEP: Final = "means something with order: Sleep only; remove it"
_KERNEL: Final = "this version counts the kernel's connections only; remove the field"
_AT_A_TIME: Final = "must be a number from 1, or 1% to 100% of the replicas"

BAD_SPECS: Final = (
    BadSpec(
        "a StatefulSet",
        {"targetRef": {"kind": "StatefulSet", "name": "db"}},
        "spec.targetRef.kind",
        _DEPLOYMENTS,
    ),
    BadSpec(
        "a DaemonSet",
        {"targetRef": {"kind": "DaemonSet", "name": "edge"}},
        "spec.targetRef.kind",
        _DEPLOYMENTS,
    ),
    BadSpec(
        "a Deployment of another API",
        {"targetRef": {**_TARGET, "apiVersion": "example.com/v1"}},
        "spec.targetRef.kind",
        _DEPLOYMENTS,
    ),
    BadSpec(
        "no kind",
        {"targetRef": {"name": "web"}},
        "spec.targetRef.kind",
        "must be a non-empty string",
        api_says="Required value",
    ),
    BadSpec(
        "no target name",
        {"targetRef": {"kind": "Deployment"}},
        "spec.targetRef.name",
        "must be a non-empty string",
        api_says="Required value",
    ),
    BadSpec(
        "an empty target name",
        {"targetRef": {"kind": "Deployment", "name": ""}},
        "spec.targetRef.name",
        "must be a non-empty string",
        api_says="should be at least 1 chars long",
    ),
    BadSpec("port 0", {"ports": [80, 0]}, "spec.ports[1]", _PORT),
    BadSpec("port 65536", {"ports": [65536]}, "spec.ports[0]", _PORT),
    BadSpec("a port number as text", {"ports": ["8080"]}, "spec.ports[0]", _PORT),
    BadSpec("a port name in capitals", {"ports": ["HTTP"]}, "spec.ports[0]", _PORT),
    BadSpec("a port name that ends in a dash", {"ports": ["http-"]}, "spec.ports[0]", _PORT),
    BadSpec(
        "a port name too long",
        {"ports": ["sixteen-letters-"]},
        "spec.ports[0]",
        _PORT,
        api_says="Too long: may not be more than 15 bytes",
    ),
    BadSpec(
        "half a port",
        {"ports": [80.5]},
        "spec.ports[0]",
        _PORT,
        api_says="must be of type integer,string",
    ),
    BadSpec(
        "one port that is no list",
        {"ports": 8080},
        "spec.ports",
        "must be a list of port numbers or names",
        api_says="must be of type array",
    ),
    BadSpec(
        "a duration in words",
        {"drain": {"timeout": "5 minutes"}},
        "spec.drain.timeout",
        _DURATION,
    ),
    BadSpec("a duration in days", {"drain": {"timeout": "1d"}}, "spec.drain.timeout", _DURATION),
    BadSpec("a duration without unit", {"drain": {"quiet": "3"}}, "spec.drain.quiet", _DURATION),
    BadSpec(
        "a duration below zero",
        {"drain": {"propagation": "-5s"}},
        "spec.drain.propagation",
        _DURATION,
    ),
    BadSpec(
        "an empty duration",
        {"drain": {"clientIdleTimeout": ""}},
        "spec.drain.clientIdleTimeout",
        _DURATION,
    ),
    BadSpec(
        "a duration with an end of line",
        {"drain": {"timeout": "5m\n"}},
        "spec.drain.timeout",
        _DURATION,
    ),
    BadSpec(
        "a duration that is a number",
        {"drain": {"timeout": 300}},
        "spec.drain.timeout",
        "must be a duration in text, for example 60s",
        api_says="must be of type string",
    ),
    BadSpec(
        "an idle timeout too short",
        {"drain": {"clientIdleTimeout": "999ms"}},
        "spec.drain.clientIdleTimeout",
        "must be from 1s to 24h",
    ),
    BadSpec(
        "an idle timeout too long",
        {"drain": {"clientIdleTimeout": "24h1s"}},
        "spec.drain.clientIdleTimeout",
        "must be from 1s to 24h",
    ),
    BadSpec(
        "propagation too long",
        {"drain": {"propagation": "601s", "timeout": "1h"}},
        "spec.drain.propagation",
        "must be from 0s to 10m",
    ),
    BadSpec(
        "a quiet time too short",
        {"drain": {"quiet": "499ms"}},
        "spec.drain.quiet",
        "must be from 0.5s to 10m",
    ),
    BadSpec(
        "a quiet time too long",
        {"drain": {"quiet": "10m1s", "timeout": "1h"}},
        "spec.drain.quiet",
        "must be from 0.5s to 10m",
    ),
    BadSpec(
        "a timeout too short",
        {"drain": {"timeout": "0.9s"}},
        "spec.drain.timeout",
        "must be from 1s to 24h",
    ),
    BadSpec(
        "a timeout too long",
        {"drain": {"timeout": "25h"}},
        "spec.drain.timeout",
        "must be from 1s to 24h",
    ),
    BadSpec(
        "a timeout beyond any clock",
        {"drain": {"timeout": "99999999h"}},
        "spec.drain.timeout",
        "must be from 1s to 24h",
    ),
    BadSpec(
        "a timeout that no drain can meet",
        {"drain": {"timeout": "7.9s"}},
        "spec.drain.timeout",
        "is shorter than propagation + quiet",
    ),
    BadSpec(
        "another choice for idle connections",
        {"drain": {"idleConnections": "Close"}},
        "spec.drain.idleConnections",
        "must be Discard or Wait",
        api_says='supported values: "Discard", "Wait"',
    ),
    BadSpec(
        "another choice after a timeout",
        {"drain": {"onTimeout": "pause"}},
        "spec.drain.onTimeout",
        "must be Pause or Continue",
        api_says='supported values: "Pause", "Continue"',
    ),
    BadSpec("Envoy", {"close": [{"envoy": {"adminPort": 9901}}]}, "spec.close[0]", _DRIVER),
    BadSpec(
        "HAProxy",
        {"close": [{"nginx": {}}, {"haproxy": {"socket": "/run/haproxy.sock"}}]},
        "spec.close[1]",
        _DRIVER,
    ),
    BadSpec(
        "a call to the application",
        {"close": [{"http": {"port": 7001, "path": "/shutDownGracefully"}}]},
        "spec.close[0]",
        _DRIVER,
    ),
    BadSpec(
        "two drivers in one",
        {"close": [{"nginx": {}, "envoy": {"adminPort": 9901}}]},
        "spec.close[0]",
        _DRIVER,
    ),
    BadSpec("no driver", {"close": [{}]}, "spec.close[0]", _DRIVER),
    BadSpec(
        "a relative status file",
        {"close": [{"nginx": {"statusFile": "status/on"}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "a status file that is a directory",
        {"close": [{"nginx": {"statusFile": "/status/"}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "a status file by detours",
        {"close": [{"nginx": {"statusFile": "/status/../on"}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "a status file behind a dot",
        {"close": [{"nginx": {"statusFile": "/status/./on"}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "a status file that ends in dots",
        {"close": [{"nginx": {"statusFile": "/status/.."}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "a status file with an end of line",
        {"close": [{"nginx": {"statusFile": "/status/on\n"}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
    ),
    BadSpec(
        "no status file",
        {"close": [{"nginx": {"statusFile": ""}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
        api_says="should be at least 2 chars long",
    ),
    BadSpec(
        "another status file in our folder",
        {"close": [{"nginx": {"statusFile": "/lossless/on"}}]},
        "spec.close[0].nginx.statusFile",
        _OURS,
    ),
    BadSpec(
        "our folder as status file",
        {"close": [{"nginx": {"statusFile": "/lossless"}}]},
        "spec.close[0].nginx.statusFile",
        _OURS,
    ),
    BadSpec(
        "a status file that is a number",
        {"close": [{"nginx": {"statusFile": 1}}]},
        "spec.close[0].nginx.statusFile",
        _PATH,
        api_says="must be of type string",
    ),
    BadSpec(
        "nginx's counters",
        {"metrics": [{"nginxStatus": {"port": 8080, "path": "/status"}}]},
        "spec.metrics",
        _KERNEL,
    ),
    BadSpec(
        "Envoy's counters", {"metrics": [{"envoyStats": {"port": 9901}}]}, "spec.metrics", _KERNEL
    ),
    BadSpec(
        "Prometheus counters",
        {
            "metrics": [
                {"prometheus": {"port": 9090, "path": "/metrics", "metric": "x", "zeroMeans": "y"}}
            ]
        },
        "spec.metrics",
        _KERNEL,
    ),
    BadSpec(
        "a barrier that sleeps",
        {"sidecars": {"order": "Barrier", "sleep": "100s"}},
        "spec.sidecars.sleep",
        _WITH_SLEEP,
    ),
    BadSpec("a sleep alone", {"sidecars": {"sleep": "100s"}}, "spec.sidecars.sleep", _WITH_SLEEP),
    BadSpec(
        "another order",
        {"sidecars": {"order": "Reverse"}},
        "spec.sidecars.order",
        "must be Barrier or Sleep",
        api_says='supported values: "Barrier", "Sleep"',
    ),
    BadSpec(
        "a sleep in words",
        {"sidecars": {"order": "Sleep", "sleep": "long"}},
        "spec.sidecars.sleep",
        _DURATION,
    ),
    BadSpec(
        "a sleep too short",
        {"sidecars": {"order": "Sleep", "sleep": "0.9s"}},
        "spec.sidecars.sleep",
        "must be from 1s to 1h",
    ),
    BadSpec(
        "a sleep too long",
        {"sidecars": {"order": "Sleep", "sleep": "61m"}},
        "spec.sidecars.sleep",
        "must be from 1s to 1h",
    ),
    BadSpec(
        "none at a time", {"pacing": {"maxDraining": 0}}, "spec.pacing.maxDraining", _AT_A_TIME
    ),
    BadSpec(
        "fewer than none", {"pacing": {"maxDraining": -1}}, "spec.pacing.maxDraining", _AT_A_TIME
    ),
    BadSpec("no percent", {"pacing": {"maxDraining": "0%"}}, "spec.pacing.maxDraining", _AT_A_TIME),
    BadSpec(
        "more than all", {"pacing": {"maxDraining": "101%"}}, "spec.pacing.maxDraining", _AT_A_TIME
    ),
    BadSpec(
        "a number as text", {"pacing": {"maxDraining": "2"}}, "spec.pacing.maxDraining", _AT_A_TIME
    ),
    BadSpec(
        "percent with an end of line",
        {"pacing": {"maxDraining": "5%\n"}},
        "spec.pacing.maxDraining",
        _AT_A_TIME,
    ),
    BadSpec(
        "half a pod",
        {"pacing": {"maxDraining": 1.5}},
        "spec.pacing.maxDraining",
        _AT_A_TIME,
        api_says="must be of type integer,string",
    ),
    BadSpec(
        "paused in words",
        {"paused": "yes"},
        "spec.paused",
        "must be true or false",
        api_says="must be of type boolean",
    ),
)
