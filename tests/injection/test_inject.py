"""What a pod looks like afterwards; and that a second look changes nothing."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.inject import inject
from lossless.model.drain.agent_config import Probe
from lossless.model.names import (
    AGENT_CONTAINER,
    GATE,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_VOLUME,
    UNPROTECTED_ANNOTATION,
)
from tests.injection.pods import (
    MOUNT,
    SETTINGS,
    Raw,
    agent_of,
    applied,
    config_of,
    container,
    hold,
    injected,
    injection,
    pod,
    spec,
)


def test_a_plain_pod_is_complete_afterwards() -> None:
    """Label, annotation, volumes, mount, hold, agent first, gate and grace period."""
    after = injected(pod(container("app"), initContainers=[container("migrate")]))

    assert after["metadata"]["labels"][ROLLOUT_LABEL] == "web"
    assert after["metadata"]["annotations"] == {INJECTED_ANNOTATION: "1.2.3"}
    assert after["spec"]["volumes"] == [
        {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
        for name in (SHARED_VOLUME, PRIVATE_VOLUME)
    ]
    assert after["spec"]["containers"] == [
        container("app", volumeMounts=[MOUNT], pre_stop=hold("app")),
    ]
    assert after["spec"]["initContainers"][1:] == [container("migrate")]
    assert after["spec"]["readinessGates"] == [{"conditionType": GATE}]
    assert after["spec"]["terminationGracePeriodSeconds"] == 300 + 30 + 10


def test_the_agent() -> None:
    """The agent fits the restricted level, starts its drain by exec and cannot be starved."""
    agent = agent_of(injected(pod()))

    assert agent["restartPolicy"] == "Always"
    assert agent["image"] == SETTINGS.image
    assert agent["imagePullPolicy"] == "IfNotPresent"
    assert agent["command"] == ["python3", "-m", "lossless.agent"]
    assert agent["lifecycle"]["preStop"]["exec"]["command"][-1].endswith("start_drain.py")
    assert agent["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsGroup": 65534,
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert agent["resources"]["requests"]["memory"] == agent["resources"]["limits"]["memory"]
    assert "cpu" not in agent["resources"]["limits"]
    fields = {env["name"]: env["valueFrom"]["fieldRef"]["fieldPath"] for env in agent["env"][1:]}
    assert fields == {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_UID": "metadata.uid",
        "POD_IP": "status.podIP",
        "HOST_IPS": "status.hostIPs",
    }
    assert {
        mount["mountPath"]: mount.get("readOnly", False) for mount in agent["volumeMounts"]
    } == {
        "/lossless": False,
        "/run/lossless": False,
        "/var/run/secrets/kubernetes.io/serviceaccount": True,
    }


LEFT_OUT = replace(SETTINGS, run_as_user=None, run_as_group=None)


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        pytest.param(
            replace(SETTINGS, run_as_user=1000700000, run_as_group=0),
            {"runAsUser": 1000700000, "runAsGroup": 0},
            id="others",
        ),
        pytest.param(LEFT_OUT, {}, id="the-platforms"),
    ],
)
def test_the_agents_user_is_the_installations_to_choose(
    settings: AgentSettings, ids: dict[str, int]
) -> None:
    """Whatever it is, it is never root."""
    agent = agent_of(
        applied(pod(), [*inject(pod(), "web", spec(), settings, gate=True).operations])
    )
    security = agent["securityContext"]

    assert {key: security[key] for key in security if key in {"runAsUser", "runAsGroup"}} == ids
    assert security["runAsNonRoot"] is True


@pytest.mark.parametrize("inserted", [[], [container("mesh-init")]], ids=["first", "second"])
def test_a_user_that_the_platform_gave_stays(inserted: list[Raw]) -> None:
    """OpenShift gives it between two passes; the second may have to write the agent anew."""

    def once_more(raw: Raw) -> Raw:
        found = inject(raw, "web", spec(), LEFT_OUT, gate=True)
        return applied(raw, list(found.operations))

    first = once_more(pod())
    agent_of(first)["securityContext"]["runAsUser"] = 1000700000
    first["spec"]["initContainers"][:0] = inserted
    first["spec"]["containers"].append(container("mesh", ports=[{"containerPort": 15006}]))
    after = once_more(first)

    assert config_of(after).ports == (15006,)
    assert agent_of(after)["securityContext"]["runAsUser"] == 1000700000


def test_the_agent_is_told_the_policy_the_ports_and_the_probes() -> None:
    """Everything the agent needs is resolved here, where the whole pod is known."""
    raw = pod(
        container(
            "app",
            ports=[{"name": "http", "containerPort": 8080}],
            readinessProbe={"httpGet": {"path": "/", "port": "http"}},
        )
    )

    config = config_of(injected(raw, ports=["http"], drain={"timeout": "90s"}))

    assert (config.rollout, config.ports) == ("web", (8080,))
    assert config.probes == (Probe(8080, 10.0, 1.0),)
    assert config.drain == spec(drain={"timeout": "90s"}).drain


def test_an_unknown_port_name_is_left_out_and_told() -> None:
    """The pod is injected all the same; counting too much is the safe side."""
    decided = injection(pod(), ports=["web"])

    assert decided.injected
    (warning,) = decided.warnings
    assert warning == (
        "spec.ports: 'web': no container of this pod declares a TCP port of that name;"
        " declare it, or use a number"
    )


def test_other_lifecycle_handlers_stay() -> None:
    """A postStart hook is none of our business."""
    post_start = {"exec": {"command": ["/warm-up"]}}
    raw = pod(container("app", lifecycle={"postStart": post_start}))

    assert injected(raw)["spec"]["containers"][0]["lifecycle"] == {
        "postStart": post_start,
        "preStop": hold("app"),
    }


def test_a_sidecar_is_held_and_an_init_container_is_not() -> None:
    """Native sidecars serve; plain init containers have ended by then."""
    raw = pod(initContainers=[container("mesh", restartPolicy="Always"), container("migrate")])
    _, mesh, migrate = injected(raw)["spec"]["initContainers"]

    assert mesh == container(
        "mesh", restartPolicy="Always", volumeMounts=[MOUNT], pre_stop=hold("mesh")
    )
    assert migrate == container("migrate")


@pytest.mark.parametrize(
    ("own", "timeout", "grace"),
    [
        pytest.param(None, "5m", 340, id="default-of-30"),
        pytest.param(60, "5m", 370, id="own"),
        pytest.param(0, "5m", 310, id="zero"),
        pytest.param(-1, "5m", 310, id="negative-is-zero"),
        pytest.param(30, "90.5s", 131, id="fractions-are-rounded-up"),
    ],
)
def test_the_grace_period(own: int | None, timeout: str, grace: int) -> None:
    """Drain, then the application's own time, then ten seconds for the agent."""
    raw = pod() if own is None else pod(terminationGracePeriodSeconds=own)
    after = injected(raw, drain={"timeout": timeout})

    assert after["spec"]["terminationGracePeriodSeconds"] == grace


def test_without_a_leader_there_is_no_gate() -> None:
    """Nobody would open it. A gate that the template brings along goes, too; others stay."""
    own = {"conditionType": "example.com/other"}
    raw = pod(readinessGates=[{"conditionType": GATE}, own, {"conditionType": GATE}])

    assert "readinessGates" not in injected(pod(), gate=False)["spec"]
    assert injected(raw, gate=False)["spec"]["readinessGates"] == [own]


GUARANTEED = {"limits": {"cpu": "1", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("raw", "cpu"),
    [
        pytest.param(pod(container("a", resources=GUARANTEED)), ("50m", "50m"), id="guaranteed"),
        pytest.param(
            pod(container("a", resources={**GUARANTEED, "requests": {"cpu": "500m"}})),
            ("10m", None),
            id="burstable",
        ),
        pytest.param(
            pod(container("a", resources=GUARANTEED), container("b")), ("10m", None), id="mixed"
        ),
        pytest.param(
            pod(container("a", resources=GUARANTEED), initContainers=[container("i")]),
            ("10m", None),
            id="init-containers-count",
        ),
    ],
)
def test_the_class_of_service_stays(raw: Raw, cpu: tuple[str, str | None]) -> None:
    """A Guaranteed pod must not become Burstable by our container: it may own its cores."""
    resources = agent_of(injected(raw))["resources"]

    assert (resources["requests"]["cpu"], resources["limits"].get("cpu")) == cpu


def test_a_pod_with_a_budget_of_its_own_gets_no_further_requests() -> None:
    """Requests of containers must not add up to more than the pod's (KEP-2837)."""
    agent = agent_of(injected(pod(resources={"requests": {"cpu": "1"}})))

    assert "resources" not in agent


def node_affinity(operator: str, *values: str) -> Raw:
    """Return an affinity for nodes of some operating systems."""
    rule = {"key": "kubernetes.io/os", "operator": operator, "values": list(values)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


WINDOWS: dict[str, dict[str, Any]] = {
    "old-label": {"nodeSelector": {"beta.kubernetes.io/os": "windows"}},
    "build": {"nodeSelector": {"node.kubernetes.io/windows-build": "10.0.20348"}},
    "affinity": {"affinity": node_affinity("In", "windows")},
    "what-it-shuns": {"affinity": node_affinity("NotIn", "linux")},
    "options": {"securityContext": {"windowsOptions": {"hostProcess": True}}},
}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"affinity": node_affinity("In", "linux", "windows")}, id="either"),
        pytest.param({"affinity": node_affinity("In", "linux")}, id="linux"),
        pytest.param(
            {"os": {"name": "linux"}, "securityContext": {"windowsOptions": {}}}, id="said so"
        ),
        pytest.param(
            {"tolerations": [{"key": "os", "value": "windows"}]}, id="it only bears such nodes"
        ),
    ],
)
def test_a_pod_that_may_run_on_linux_is_injected(spec: Raw) -> None:
    """What only sounds like Windows keeps no agent out."""
    assert injection(pod(**spec)).injected


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(pod(hostNetwork=True), "the pod uses hostNetwork", id="host-network"),
        pytest.param(pod(os={"name": "windows"}), "this is a Windows pod", id="windows"),
        pytest.param(
            pod(nodeSelector={"kubernetes.io/os": "windows"}),
            "this is a Windows pod",
            id="windows-by-selector",
        ),
        *(
            pytest.param(pod(**fields), "this is a Windows pod", id=f"windows-by-{name}")
            for name, fields in WINDOWS.items()
        ),
        pytest.param(
            pod(container("app", securityContext={"windowsOptions": {"runAsUserName": "a"}})),
            "this is a Windows pod",
            id="windows-by-container",
        ),
        pytest.param(
            pod(container("app", ports=[{"name": "x", "containerPort": 9913}])),
            "container app uses port 9913 (x)",
            id="port-taken",
        ),
        pytest.param(
            pod(container(AGENT_CONTAINER)), "a container named lossless-agent", id="name-taken"
        ),
        pytest.param(
            pod(initContainers=[container(AGENT_CONTAINER)]),
            "a container named lossless-agent",
            id="init-name-taken",
        ),
        pytest.param(
            pod(volumes=[{"name": "lossless", "hostPath": {"path": "/"}}]),
            "a volume named lossless",
            id="volume-taken",
        ),
    ],
)
def test_pods_that_cannot_be_injected_pass_unchanged(raw: Raw, why: str) -> None:
    """No agent is better than a pod that does not start; the warning says what to do."""
    decided = injection(raw)

    assert (decided.operations, decided.injected) == ((), False)
    (warning,) = decided.warnings
    assert warning.startswith("not injected: ")
    assert why in warning


def test_a_name_that_is_no_label_value() -> None:
    """A LosslessRollout may have 253 characters in its name, a label's value 63."""
    decided = inject(pod(), "w" * 64, spec(), SETTINGS, gate=True)

    assert decided.operations == ()
    assert "64 characters, 63 at most" in decided.warnings[0]


@pytest.mark.parametrize("path", ["/lossless", "/lossless/", "/lossless/data"])
def test_a_taken_mount_point_is_left_alone(path: str) -> None:
    """Two mounts at one place are refused by the API server; the container is held anyway."""
    mounts = [{"name": "own", "mountPath": path}]
    raw = pod(container("app", volumeMounts=mounts))
    after = injected(raw)

    assert after["spec"]["containers"] == [
        container("app", volumeMounts=mounts, pre_stop=hold("app"))
    ]
    assert "something else is mounted at or below /lossless" in injection(raw).warnings[0]


def test_a_device_at_the_mount_point_is_left_alone() -> None:
    """Block devices share the name space of mounts."""
    raw = pod(container("app", volumeDevices=[{"name": "disk", "devicePath": "/lossless"}]))

    assert "volumeMounts" not in injected(raw)["spec"]["containers"][0]


def test_a_container_added_later_is_completed_on_the_second_pass() -> None:
    """Another injector's container gets mount and hold; the grace period does not grow again."""
    first = injected(pod())
    second = copy.deepcopy(first)
    second["spec"]["containers"].append(
        container("mesh", ports=[{"containerPort": 15006}], readinessProbe={"grpc": {"port": 1}})
    )
    second["spec"]["initContainers"].insert(0, container("mesh-init"))
    after = injected(second)

    assert after["spec"]["containers"][1]["volumeMounts"] == [MOUNT]
    assert after["spec"]["containers"][1]["lifecycle"]["preStop"] == hold("mesh")
    assert after["spec"]["terminationGracePeriodSeconds"] == 340
    names = [found["name"] for found in after["spec"]["initContainers"]]
    assert names == [AGENT_CONTAINER, "mesh-init"]
    assert config_of(after).ports == (15006,)
    assert config_of(after).probes == (Probe(1, 10.0, 1.0),)


def test_a_hook_that_is_gone_is_not_reported_any_more() -> None:
    """The annotation tells of this pod, not of the template it was copied from."""
    first = injected(pod(container("app", pre_stop={"exec": {"command": ["/stop"]}})))
    del first["spec"]["containers"][0]["lifecycle"]

    assert UNPROTECTED_ANNOTATION not in injected(first)["metadata"]["annotations"]


def test_a_template_copied_from_an_injected_pod_is_brought_up_to_date() -> None:
    """An older agent's image, version and policy are replaced, and the grace period is enough."""
    copied = injected(pod(), drain={"timeout": "30s"})
    copied["metadata"]["annotations"][INJECTED_ANNOTATION] = "0.9"
    copied["spec"]["initContainers"][0]["image"] = "registry.example/lossless-agent:0"
    after = injected(copied)

    assert after["metadata"]["annotations"][INJECTED_ANNOTATION] == "1.2.3"
    assert agent_of(after)["image"] == SETTINGS.image
    assert config_of(after).drain.timeout == 300
    assert after["spec"]["terminationGracePeriodSeconds"] == 340


def test_additions_of_others_to_the_agent_stay() -> None:
    """Defaults and other webhooks' entries are no reason to replace the container."""
    first = injected(pod())
    agent = first["spec"]["initContainers"][0]
    agent["env"].append({"name": "OTHER", "value": "1"})
    agent["volumeMounts"].insert(0, {"name": "other", "mountPath": "/other"})
    agent["stdin"] = False

    assert injection(first).operations == ()


def test_null_lists_are_empty_lists() -> None:
    """Go writes nil slices as null in places."""
    raw = pod(
        container("app", ports=None, volumeMounts=None, lifecycle=None, readinessProbe=None),
        initContainers=None,
        volumes=None,
        readinessGates=None,
        terminationGracePeriodSeconds=None,
    )
    raw["metadata"]["annotations"] = None
    after = injected(raw)

    assert injection(after).operations == ()
    assert after["spec"]["terminationGracePeriodSeconds"] == 340
