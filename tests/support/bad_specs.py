"""Specs that must be accepted and specs that must be refused, each with the words of the refusal.

One table for both judges: ``parse_spec`` and a real API server with the CRD. Where the API
server refuses in its own words (a type, an enum, a missing field), the entry says both.
"""

from typing import Final

from tests.support.driver_specs import (
    BAD_CLOSE_DRIVERS,
    BAD_COUNTERS,
    GOOD_CLOSE_DRIVERS,
    GOOD_COUNTERS,
)
from tests.support.specs import TARGET, BadSpec, GoodSpec

__all__ = ["BAD_SPECS", "GOOD_SPECS", "BadSpec", "GoodSpec"]

GOOD_SPECS: Final = (
    GoodSpec("only a target", {}),
    GoodSpec("the target's API version said", {"targetRef": {**TARGET, "apiVersion": "apps/v1"}}),
    GoodSpec("a StatefulSet", {"targetRef": {"kind": "StatefulSet", "name": "db"}}),
    GoodSpec("a name with dots", {"targetRef": {**TARGET, "name": "web-1.v2"}}),
    GoodSpec("a DaemonSet", {"targetRef": {"kind": "DaemonSet", "name": "edge"}}),
    GoodSpec("pods by their label", {"targetRef": {"apiVersion": "v1", "kind": "Pod"}}),
    GoodSpec(
        "a StatefulSet with every default said",
        {
            "targetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"},
            "pacing": {"maxDraining": 1},
            "paused": False,
        },
    ),
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
    GoodSpec("sidecars behind a barrier", {"sidecars": {"order": "Barrier"}}),
    GoodSpec("sleeping sidecars", {"sidecars": {"order": "Sleep"}}),
    GoodSpec("a short sleep", {"sidecars": {"order": "Sleep", "sleep": "1s"}}),
    GoodSpec("a long sleep", {"sidecars": {"order": "Sleep", "sleep": "60m"}}),
    GoodSpec("an empty status flag", {"statusFlag": {}}),
    GoodSpec(
        "a status flag as another tool has it",
        {
            "statusFlag": {
                "path": "/home/admin/status.html",
                "serving": {"status": 200, "body": "success\n"},
                "draining": {"status": 404, "body": ""},
            }
        },
    ),
    GoodSpec(
        "a status flag that falls by its text alone",
        {"statusFlag": {"path": "/", "draining": {"status": 200}}},
    ),
    GoodSpec(
        "the bounds of a status flag",
        {
            "statusFlag": {
                "path": "/" + "a" * 1023,
                "serving": {"status": 299, "body": "U" * 256},
                "draining": {"status": 599, "body": "U" * 256},
            }
        },
    ),
    *GOOD_CLOSE_DRIVERS,
    *GOOD_COUNTERS,
    GoodSpec("at its own pace", {"pacing": {}}),
    GoodSpec("several at a time", {"pacing": {"maxDraining": 3}}),
    GoodSpec("one percent", {"pacing": {"maxDraining": "1%"}}),
    GoodSpec("all at a time", {"pacing": {"maxDraining": "100%"}}),
    GoodSpec("paused", {"paused": True}),
)

_WORKLOADS: Final = "this version protects apps/v1 Deployments, StatefulSets and DaemonSets"
_NO_NAME: Final = "kind Pod takes no name"
_NOT_HELD: Final = "only a Deployment can be held"
_NOT_PACED: Final = "only a Deployment is paced by it"
_DATABASE: Final = {"targetRef": {"kind": "StatefulSet", "name": "db"}}
_PORT: Final = "must be a number from 1 to 65535 or a port's name"
_DURATION: Final = "is not a duration; write for example 90s, 5m or 1m30s"
_WITH_SLEEP: Final = "means something with order: Sleep only; remove it"
_FLAG_PATH: Final = "must begin with / and hold no space, ?, # or non-ASCII letter"
_AGENTS_OWN: Final = "all below /v1; choose another"
_AT_A_TIME: Final = "must be a number from 1, or 1% to 100% of the replicas"

BAD_SPECS: Final = (
    BadSpec(
        "a Job",
        {"targetRef": {"apiVersion": "batch/v1", "kind": "Job", "name": "once"}},
        "spec.targetRef.kind",
        _WORKLOADS,
    ),
    BadSpec(
        "a StatefulSet of another API",
        {"targetRef": {"apiVersion": "apps.kruise.io/v1", "kind": "StatefulSet", "name": "db"}},
        "spec.targetRef.kind",
        _WORKLOADS,
    ),
    BadSpec("pods of apps/v1", {"targetRef": {"kind": "Pod"}}, "spec.targetRef.kind", _WORKLOADS),
    BadSpec(
        "pods by a name",
        {"targetRef": {"apiVersion": "v1", "kind": "Pod", "name": "web-0"}},
        "spec.targetRef.name",
        _NO_NAME,
    ),
    BadSpec("a paused StatefulSet", {**_DATABASE, "paused": True}, "spec.paused", _NOT_HELD),
    BadSpec(
        "paused pods of another controller",
        {"targetRef": {"apiVersion": "v1", "kind": "Pod"}, "paused": True},
        "spec.paused",
        _NOT_HELD,
    ),
    BadSpec(
        "a paced DaemonSet",
        {"targetRef": {"kind": "DaemonSet", "name": "edge"}, "pacing": {"maxDraining": "50%"}},
        "spec.pacing.maxDraining",
        _NOT_PACED,
    ),
    BadSpec(
        "a StatefulSet paced by number",
        {**_DATABASE, "pacing": {"maxDraining": 2}},
        "spec.pacing.maxDraining",
        _NOT_PACED,
    ),
    BadSpec(
        "a Deployment of another API",
        {"targetRef": {**TARGET, "apiVersion": "example.com/v1"}},
        "spec.targetRef.kind",
        _WORKLOADS,
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
    ),
    BadSpec(
        "an empty target name",
        {"targetRef": {"kind": "Deployment", "name": ""}},
        "spec.targetRef.name",
        "must be a non-empty string",
        api_says="should be at least 1 chars long",
    ),
    BadSpec(
        "a target in another namespace",
        {"targetRef": {**TARGET, "name": "../../shop/deployments/web"}},
        "spec.targetRef.name",
        "must be the name of a workload in the namespace of this LosslessRollout",
        api_says="should match",
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
    *(
        BadSpec(
            f"a status flag at {path!r}",
            {"statusFlag": {"path": path}},
            "spec.statusFlag.path",
            says,
        )
        for path, says in (
            ("", _FLAG_PATH),
            ("status", _FLAG_PATH),
            ("/status?pool=a", _FLAG_PATH),
            ("/status#a", _FLAG_PATH),
            ("/a status", _FLAG_PATH),
            ("/status\n", _FLAG_PATH),
            ("/healthz", _AGENTS_OWN),
            ("/metrics", _AGENTS_OWN),
            ("/v1", _AGENTS_OWN),
            ("/v1/hold/app", _AGENTS_OWN),
        )
    ),
    BadSpec(
        "a status flag's path too long",
        {"statusFlag": {"path": "/" + "a" * 1024}},
        "spec.statusFlag.path",
        _FLAG_PATH,
        api_says="Too long: may not be more than 1024 bytes",
    ),
    BadSpec(
        "a status flag without a final status",
        {"statusFlag": {"serving": {"status": 199}}},
        "spec.statusFlag.serving.status",
        "must be a number from 200 to 599",
        api_says="should be greater than or equal to 200",
    ),
    BadSpec(
        "a status flag with no such status",
        {"statusFlag": {"draining": {"status": 600}}},
        "spec.statusFlag.draining.status",
        "must be a number from 200 to 599",
        api_says="should be less than or equal to 599",
    ),
    BadSpec(
        "a status flag without content",
        {"statusFlag": {"serving": {"status": 204}}},
        "spec.statusFlag.serving.status",
        "has no content by definition, and some clients wait for it; use 200",
    ),
    BadSpec(
        "a status flag's text that is a number",
        {"statusFlag": {"serving": {"body": 1}}},
        "spec.statusFlag.serving.body",
        "must be a text of at most 256 characters",
        api_says="must be of type string",
    ),
    BadSpec(
        "a status flag's text too long",
        {"statusFlag": {"draining": {"body": "D" * 257}}},
        "spec.statusFlag.draining.body",
        "must be a text of at most 256 characters",
        api_says="Too long: may not be more than 256 bytes",
    ),
    BadSpec(
        "a status flag that never falls",
        {
            "statusFlag": {
                "serving": {"status": 200, "body": "ok"},
                "draining": {"status": 200, "body": "ok"},
            }
        },
        "spec.statusFlag.draining",
        "so no load balancer could tell; give it another status or body",
    ),
    *BAD_CLOSE_DRIVERS,
    *BAD_COUNTERS,
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
