"""What becomes of a container's own preStop hook."""

import re
from typing import Any

import pytest

from lossless.model.drain.hooks import HttpHook, OwnHook, SleepHook
from lossless.model.names import UNPROTECTED_ANNOTATION
from tests.injection.pods import (
    Raw,
    applied,
    config_of,
    container,
    hold,
    hook_of,
    injected,
    injection,
    pod,
)

BY_FILE = {"lossless.dev/hold.app": "File"}
PORTS = [{"name": "admin", "containerPort": 8082}]
NO_SHELL = (
    "it keeps its own preStop exec, which does not show whether there is a shell to wait in;"
    " if there is one, annotate the pod template with lossless.dev/hold.app: File,"
    " or remove the hook"
)


def annotated(raw: Raw, annotations: Raw | None) -> Raw:
    """Return the pod with annotations of its template."""
    raw["metadata"]["annotations"] = dict(annotations or {})
    return raw


@pytest.mark.parametrize(
    ("hook", "own"),
    [
        pytest.param(None, (), id="none"),
        pytest.param(hold("app"), (), id="the-hold-itself"),
        pytest.param(
            {"httpGet": {"path": "/v1/hold", "port": 9913}}, (), id="the-hold-of-an-older-webhook"
        ),
        pytest.param(
            {"httpGet": {**hold("app")["httpGet"], "host": ""}}, (), id="with-a-default-added"
        ),
        pytest.param({"sleep": {"seconds": 8}}, (), id="sleep-as-long-as-every-drain-takes"),
        pytest.param({"sleep": {"seconds": 9}}, (SleepHook("app", 9.0),), id="longer-sleep"),
        *(
            pytest.param({"exec": {"command": command}}, own, id=" ".join(command))
            for command, own in (
                (["sleep", "25"], (SleepHook("app", 25.0),)),
                (["/bin/sleep", "15"], (SleepHook("app", 15.0),)),
                (["/usr/bin/env", "sleep", "12"], (SleepHook("app", 12.0),)),
                (["busybox", "sleep", "1m"], (SleepHook("app", 60.0),)),
                (["sleep", "1m", "2.5s"], (SleepHook("app", 63.0),)),
                (["sleep", "5"], ()),
            )
        ),
        pytest.param(
            {"httpGet": {"port": 8081}}, (HttpHook("app", 8081, "/"),), id="http-with-defaults"
        ),
        pytest.param(
            {
                "httpGet": {
                    "path": "/stop?now=1",
                    "port": "admin",
                    "scheme": "HTTP",
                    "host": "",
                    "httpHeaders": [{"name": "X-Key", "value": "1"}, {"name": "Y"}],
                }
            },
            (HttpHook("app", 8082, "/stop?now=1", (("X-Key", "1"), ("Y", ""))),),
            id="http-in-full",
        ),
        pytest.param({"httpGet": {"port": "8081"}}, (HttpHook("app", 8081),), id="number-as-text"),
    ],
)
def test_what_the_agent_can_do_becomes_the_hold(hook: Raw | None, own: tuple[OwnHook, ...]) -> None:
    """The kubelet waits for the agent, and the agent does what the hook did."""
    raw = pod(container("app", pre_stop=hook, ports=PORTS))
    decided = injection(raw)
    after = applied(raw, list(decided.operations))

    assert hook_of(after)["httpGet"].items() >= hold("app")["httpGet"].items()
    assert config_of(after).hooks == own
    assert (decided.unprotected, decided.warnings) == ({}, ())


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        pytest.param(
            {"httpGet": {"port": 80, "host": "10.0.0.1"}},
            "its preStop httpGet goes to host 10.0.0.1, and the agent calls only its own pod;"
            " remove host, or the hook",
            id="another-host",
        ),
        pytest.param(
            {"httpGet": {"port": 443, "scheme": "HTTPS"}},
            "its preStop httpGet wants HTTPS, which the agent does not speak; use HTTP, or remove"
            " the hook",
            id="https",
        ),
        pytest.param(
            {"httpGet": {"port": "nobody"}},
            "its preStop httpGet names port 'nobody', which the container does not declare;"
            " declare it, or use a number",
            id="unknown-port-name",
        ),
        pytest.param({"exec": {"command": ["/stop"]}}, NO_SHELL, id="program"),
        pytest.param({"exec": {"command": ["shutdown", "sh"]}}, NO_SHELL, id="not-a-shell"),
        *(
            pytest.param({"exec": {"command": command}}, NO_SHELL, id=" ".join(command))
            for command in (["sleep"], ["sleep", "infinity"], ["sleep", "-1"], ["sleep", "5", "x"])
        ),
        pytest.param(
            {"exec": {"command": []}},
            "it keeps its own preStop exec; remove it to have the container held",
            id="no-program",
        ),
        pytest.param(
            {"tcpSocket": {"port": 80}},
            "it keeps its own preStop tcpSocket; remove it to have the container held",
            id="tcp",
        ),
    ],
)
def test_what_it_cannot_do_stays_and_is_told(hook: Raw, reason: str) -> None:
    """By name, in the warning and in the annotation that status and Event are made from."""
    raw = pod(container("app", pre_stop=hook))
    decided = injection(raw)
    after = applied(raw, list(decided.operations))

    assert hook_of(after) == hook
    assert decided.unprotected == {"app": reason}
    assert decided.warnings == (f"container app: {reason}",)
    assert after["metadata"]["annotations"][UNPROTECTED_ANNOTATION] == f"app: {reason}"
    assert config_of(after).hooks == ()


@pytest.mark.parametrize(
    ("hook", "annotations", "shell", "own"),
    [
        pytest.param(
            {"exec": {"command": ["/bin/sh", "-c", "stop; sleep 5"]}},
            None,
            "/bin/sh",
            ["/bin/sh", "-c", "stop; sleep 5"],
            id="a-shell-of-its-own",
        ),
        pytest.param(
            {"exec": {"command": ["bash", "/stop.sh"]}},
            None,
            "bash",
            ["bash", "/stop.sh"],
            id="on-the-path",
        ),
        pytest.param(
            {"exec": {"command": ["/stop", "a b"]}},
            BY_FILE,
            "/bin/sh",
            ["/stop", "a b"],
            id="annotated",
        ),
        pytest.param(None, BY_FILE, "/bin/sh", [], id="annotated-without-a-hook"),
    ],
)
def test_where_there_is_a_shell_it_waits(
    hook: Raw | None, annotations: Raw | None, shell: str, own: list[str]
) -> None:
    """After it has run what was there; the arguments are passed on as they are."""
    raw = annotated(pod(container("app", pre_stop=hook)), annotations)
    after = injected(raw)
    command = hook_of(after)["exec"]["command"]

    assert [command[0], command[1], command[3]] == [shell, "-c", "lossless-hold"]
    assert command[4:] == own
    assert "/lossless/released.app" in command[2]
    assert config_of(after).file_holds == ("app",)
    assert injection(raw).unprotected == {}


def test_an_annotated_container_keeps_what_the_agent_does_for_it() -> None:
    """How it is held and what is done when the pod drains are two things."""
    raw = annotated(pod(container("app", pre_stop={"httpGet": {"port": 81}})), BY_FILE)
    after = injected(raw)

    assert hook_of(after)["exec"]["command"][3:] == ["lossless-hold"]
    assert config_of(after).hooks == (HttpHook("app", 81),)
    assert injection(after).operations == ()


@pytest.mark.parametrize(
    ("sleep", "limit"), [(400, 405), (300, 305), (200, 305)], ids=["longer", "equal", "shorter"]
)
def test_a_hold_by_file_is_not_shorter_than_the_containers_own_sleep(
    sleep: int, limit: int
) -> None:
    """The agent lets it go when both drain (300 s at most) and sleep are over, and not before."""
    hook = {"sleep": {"seconds": sleep}}
    after = injected(annotated(pod(container("app", pre_stop=hook)), BY_FILE))

    script = hook_of(after)["exec"]["command"][2]
    assert re.findall(r'"\$n" -lt (\d+)', script) == ["5", str(limit)]
    assert after["spec"]["terminationGracePeriodSeconds"] > limit
    assert config_of(after).hooks == (SleepHook("app", float(sleep)),)
    assert injection(after).operations == ()


@pytest.mark.parametrize(
    ("hook", "after", "reason"),
    [
        pytest.param(None, hold("app"), "", id="held-by-http-instead"),
        pytest.param(
            {"exec": {"command": ["sh", "-c", "x"]}},
            {"exec": {"command": ["sh", "-c", "x"]}},
            "its preStop exec cannot wait for the drain, because /lossless is taken;"
            " mount elsewhere what is there",
            id="unprotected",
        ),
    ],
)
def test_who_cannot_see_the_file_does_not_wait_for_it(
    hook: Raw | None, after: Raw, reason: str
) -> None:
    """Something else is mounted where the file would be."""
    mounts = [{"name": "own", "mountPath": "/lossless"}]
    raw = annotated(pod(container("app", pre_stop=hook, volumeMounts=mounts)), BY_FILE)

    assert hook_of(injected(raw)) == after
    assert injection(raw).unprotected == ({"app": reason} if reason else {})


@pytest.mark.parametrize(
    ("annotations", "problem"),
    [
        pytest.param(
            {"lossless.dev/hold.app": "Http"},
            "annotation lossless.dev/hold.app: 'Http': the only value is File; write that, or"
            " remove it",
            id="another-value",
        ),
        pytest.param(
            {"lossless.dev/hold.ap": "File"},
            "annotation lossless.dev/hold.ap: no container ap runs in this pod; correct the name",
            id="nobody",
        ),
    ],
)
def test_an_annotation_that_means_nothing_is_told(annotations: Raw, problem: str) -> None:
    """In the warning, and on the pod for its LosslessRollout's status."""
    raw = annotated(pod(), annotations)

    assert injection(raw).warnings == (problem,)
    assert injected(raw)["metadata"]["annotations"]["lossless.dev/incomplete"] == problem


@pytest.mark.parametrize(
    ("hooks", "fields", "grace"),
    [
        pytest.param([{"sleep": {"seconds": 400}}], {}, 440, id="a-sleep-longer-than-the-timeout"),
        pytest.param([{"sleep": {"seconds": 200}}], {}, 340, id="a-shorter-one"),
        pytest.param(
            [None, None],
            {"sidecars": {"order": "Sleep", "sleep": "10m"}},
            640,
            id="sleeping-sidecars",
        ),
        pytest.param(
            [None], {"sidecars": {"order": "Sleep", "sleep": "10m"}}, 340, id="nobody-sleeps"
        ),
    ],
)
def test_the_grace_period_covers_every_hold(hooks: list[Any], fields: Raw, grace: int) -> None:
    """Otherwise the kubelet would end a hold in the middle of a drain."""
    raw = pod(*(container(f"c{i}", pre_stop=hook) for i, hook in enumerate(hooks)))

    assert injected(raw, **fields)["spec"]["terminationGracePeriodSeconds"] == grace
