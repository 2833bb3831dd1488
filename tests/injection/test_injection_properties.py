"""Whatever pod comes in: a second look changes nothing, and nothing of the pod's own is lost."""

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.injection.problem import ProblemKind
from lossless.model.drain.hooks import HttpHook, SleepHook
from lossless.model.names import (
    AGENT_CONTAINER,
    FILE_HOLD,
    GATE,
    HOLD_PATH,
    INCOMPLETE_ANNOTATION,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_VOLUME,
    STATUS_FILE_ENV,
    UNPROTECTED_ANNOTATION,
)
from tests.injection.pods import MOUNT, Raw, config_of, injected, injection

GUARANTEED = {"limits": {"cpu": "1", "memory": "1Gi"}}
PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.integers(1, 65535).filter(lambda number: number != 9913)},
        optional={
            "name": st.sampled_from(["http", "grpc"]),
            "protocol": st.sampled_from(["TCP", "UDP"]),
        },
    ),
    max_size=3,
)
HOOKS = st.sampled_from(
    [
        {"sleep": {"seconds": 3}},
        {"sleep": {"seconds": 30}},
        {"exec": {"command": ["/stop", "now"]}},
        {"exec": {"command": ["sh", "-c", "/stop"]}},
        {"exec": {"command": []}},
        {"httpGet": {"path": "/stop", "port": 80}},
        {"httpGet": {"port": "http", "httpHeaders": [{"name": "A", "value": "b"}]}},
        {"httpGet": {"path": "/stop", "port": 80, "scheme": "HTTPS"}},
        {"tcpSocket": {"port": 80}},
    ]
)
CONTAINERS = st.fixed_dictionaries(
    {"image": st.just("i")},
    optional={
        "ports": PORTS | st.none(),
        "lifecycle": st.fixed_dictionaries({}, optional={"preStop": HOOKS, "postStart": HOOKS}),
        "volumeMounts": st.lists(
            st.sampled_from(
                [{"name": "data", "mountPath": "/data"}, {"name": "x", "mountPath": "/lossless/x"}]
            ),
            max_size=2,
        )
        | st.none(),
        "readinessProbe": st.sampled_from(
            [None, {"httpGet": {"port": "http"}}, {"tcpSocket": {"port": 1}}]
        ),
        "resources": st.sampled_from([{}, GUARANTEED]),
        "env": st.just([{"name": "A", "value": "b"}]),
    },
)
INIT_CONTAINERS = st.tuples(CONTAINERS, st.sampled_from([{}, {"restartPolicy": "Always"}])).map(
    lambda pair: {**pair[0], **pair[1]}
)


def named(prefix: str, containers: list[Raw]) -> list[Raw]:
    """Return the containers with names that differ, as the API server wants them."""
    return [{"name": f"{prefix}{index}", **found} for index, found in enumerate(containers)]


def _as_read(raw: Raw) -> Raw:
    """Return a pod as it comes out of JSON: no two places in it are the same object."""
    return json.loads(json.dumps(raw))  # type: ignore[no-any-return]


PODS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "labels": st.just({"app": "web"}) | st.none(),
                "annotations": st.dictionaries(
                    st.sampled_from(["own", "lossless.dev/hold.c0", "lossless.dev/hold.i1"]),
                    st.sampled_from(["File", "1"]),
                )
                | st.none(),
            },
        ),
        "spec": st.fixed_dictionaries(
            {
                "containers": st.lists(CONTAINERS, min_size=1, max_size=3).map(
                    lambda found: named("c", found)
                )
            },
            optional={
                "initContainers": st.lists(INIT_CONTAINERS, max_size=3).map(
                    lambda found: named("i", found)
                )
                | st.none(),
                "volumes": st.just([{"name": "data", "emptyDir": {}}]) | st.none(),
                "readinessGates": st.lists(
                    st.sampled_from([{"conditionType": "x/y"}, {"conditionType": GATE}]), max_size=2
                ),
                "terminationGracePeriodSeconds": st.integers(0, 1000) | st.none(),
                "nodeSelector": st.just({"disk": "ssd"}),
            },
        ),
    }
).map(_as_read)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "ports": st.lists(st.sampled_from([80, "http"]), max_size=2),
        "statusFlag": st.sampled_from([{}, {"path": "/up", "draining": {"body": "no"}}]),
        "sidecars": st.sampled_from([{"order": "Barrier"}, {"order": "Sleep", "sleep": "7s"}]),
        "close": st.sampled_from(
            [
                [],
                [{"nginx": {"statusFile": "/data/on"}}],
                [{"nginx": {"http2": {}}}],
                [{"nginx": {"reload": {}}}],
                [{"nginx": {"http2": {"container": "i0"}}}, {"nginx": {"http2": {}}}],
                [{"middleware": {"statusFile": "/data/on"}}],
                [{"haproxy": {"socket": "/data/h.sock"}}, {"file": {"path": "/tmp/on"}}],  # noqa: S108 # of a pod
            ]
        ),
        "metrics": st.sampled_from([[], [{"haproxyStats": {"socket": "/data/h.sock"}}]]),
    },
)


@given(raw=PODS, gate=st.booleans(), fields=SPECS)
@settings(max_examples=300)
def test_injecting_twice_is_injecting_once(raw: Raw, gate: bool, fields: Raw) -> None:  # noqa: FBT001 # drawn
    """The second pass finds everything as wanted; the pod it was given is not changed."""
    before = copy.deepcopy(raw)
    after = injected(raw, gate=gate, **fields)

    assert raw == before
    assert injection(after, gate=gate, **fields).operations == ()


@given(raw=PODS, system=st.sampled_from(["linux", "windows"]), fields=SPECS)
@settings(max_examples=300)
def test_every_problem_says_what_to_do(raw: Raw, system: str, fields: Raw) -> None:
    """And is about something; an agent is kept out by one problem, and by no other kind."""
    raw["spec"]["os"] = {"name": system}
    decided = injection(raw, **fields)

    assert all(problem.reason and problem.remedy for problem in decided.problems)
    assert bool(decided.of(ProblemKind.NOT_INJECTED)) != decided.injected
    assert decided.injected or len(decided.problems) == 1
    assert all(problem.subject for problem in decided.problems) or not decided.injected


@given(raw=PODS, more=CONTAINERS, native=st.booleans(), fields=SPECS)
@settings(max_examples=300)
def test_what_others_add_between_two_passes_is_treated_alike(
    raw: Raw,
    more: Raw,
    native: bool,  # noqa: FBT001 # drawn
    fields: Raw,
) -> None:
    """Every container keeps its hook's function, whether it was there before us or came after."""
    between = injected(raw, **fields)
    added = {"name": "late", **more}
    if native:
        between["spec"]["initContainers"].append({**added, "restartPolicy": "Always"})
    else:
        between["spec"]["containers"].append(added)
    wanted = {**functions(raw), "late": function(added)}
    after = injected(between, **fields)

    assert functions(after) == wanted
    assert injection(after, **fields).operations == ()


def function(found: Raw) -> object:
    """Return what a container's own hook does, as far as it does anything that a drain does not."""
    hook = (found.get("lifecycle") or {}).get("preStop") or {}
    command = (hook.get("exec") or {}).get("command") or []
    if command[3:4] == [FILE_HOLD]:
        return command[4:]
    if "exec" in hook:
        return command
    if "sleep" in hook:
        # Shorter than a drain, or ours.
        return hook["sleep"]["seconds"] if hook["sleep"]["seconds"] > 8 else []
    return _request(found, hook) if "httpGet" in hook else hook or []


def _request(found: Raw, hook: Raw) -> object:
    asked, ports = hook["httpGet"], {80: 80, **_ports(found)}
    if asked.get("path", "").startswith(HOLD_PATH):
        return []
    if asked.get("scheme") == "HTTPS" or asked["port"] not in ports:
        return hook
    headers = tuple((header["name"], header["value"]) for header in asked.get("httpHeaders", ()))
    return ports[asked["port"]], asked.get("path", "/"), headers


def functions(raw: Raw) -> dict[str, object]:
    """Return the same of every container that serves, what the agent does for it included."""
    spec = raw["spec"]
    natives = [
        found
        for found in spec.get("initContainers") or ()
        if found.get("restartPolicy") == "Always" and found["name"] != AGENT_CONTAINER
    ]
    found = {each["name"]: function(each) for each in (*spec["containers"], *natives)}
    if INJECTED_ANNOTATION in (raw["metadata"].get("annotations") or {}):
        for hook in config_of(raw).hooks:
            assert found[hook.container] == [], "the agent and the kubelet would both do it"
            match hook:
                case SleepHook():
                    found[hook.container] = hook.seconds
                case HttpHook():
                    found[hook.container] = (hook.port, hook.path, hook.headers)
    return found


def _ports(found: Raw) -> dict[int | str, int]:
    return {
        port["name"]: port["containerPort"]
        for port in found.get("ports") or ()
        if "name" in port and port.get("protocol", "TCP") == "TCP"
    }


def without_ours(raw: Raw) -> Raw:
    """Return the pod without what we may add, empty things and preStop hooks apart."""
    raw = copy.deepcopy(raw)
    metadata, spec_ = raw["metadata"], raw["spec"]
    ours = (INJECTED_ANNOTATION, UNPROTECTED_ANNOTATION, INCOMPLETE_ANNOTATION)
    for holder, names in (("labels", (ROLLOUT_LABEL,)), ("annotations", ours)):
        metadata[holder] = {
            key: value for key, value in (metadata.get(holder) or {}).items() if key not in names
        }
    for kind in ("containers", "initContainers"):
        spec_[kind] = [c for c in spec_.get(kind) or () if c["name"] != AGENT_CONTAINER]
        for found in spec_[kind]:
            found["volumeMounts"] = [m for m in found.get("volumeMounts") or () if m != MOUNT]
            found["env"] = [e for e in found.get("env") or () if e["name"] != STATUS_FILE_ENV]
            found["lifecycle"] = dict(found.get("lifecycle") or {})
            found["lifecycle"].pop("preStop", None)
    volumes = (SHARED_VOLUME, PRIVATE_VOLUME)
    spec_["volumes"] = [v for v in spec_.get("volumes") or () if v["name"] not in volumes]
    gates = spec_.get("readinessGates") or ()
    spec_["readinessGates"] = [g for g in gates if g["conditionType"] != GATE]
    spec_.pop("terminationGracePeriodSeconds", None)
    return raw


@given(raw=PODS, gate=st.booleans(), fields=SPECS)
@settings(max_examples=300)
def test_what_is_not_ours_is_untouched(raw: Raw, gate: bool, fields: Raw) -> None:  # noqa: FBT001 # drawn
    """Take away what we add, and the pod is the one that came in; its hooks' functions too."""
    after, before = injected(raw, gate=gate, **fields), copy.deepcopy(raw)
    plain = [
        [c for c in each["spec"].get("initContainers") or () if c.get("restartPolicy") != "Always"]
        for each in (after, before)
    ]

    assert without_ours(after) == without_ours(before)
    assert functions(after) == functions(before)
    assert plain[0] == plain[1]
