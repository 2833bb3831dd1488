"""Pods of many containers: each stops when it should, and does what it did before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import pytest

from e2e.load.report import LoadReport
from e2e.sample.manifests import APP, APP_PORT, NGINX, STORE_PORT, Sample, Variant, store
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually
from e2e.support.kubectl import KubectlFailed, Object
from e2e.support.world import World, name_of
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import AGENT_UID, UNPROTECTED_ANNOTATION

STORED: Final = "the last write was stored"
LOST: Final = "the last write was lost"
#: Longer than any drain in these tests should take: propagation, quiet and a busy machine.
SLEEP: Final = 20


def _old_pods_of_a_rollout(world: World) -> tuple[list[Object], LoadReport]:
    """Roll out under load; return the pods that were replaced, and what clients saw."""
    old = world.pods()
    return old, when.rolled_out_under_load(world)


@pytest.mark.parametrize(
    "sidecars",
    [
        pytest.param({"order": "Barrier"}, id="barrier"),
        pytest.param({"order": "Sleep", "sleep": f"{SLEEP}s"}, id="sleep"),
    ],
)
def test_an_app_has_its_sidecar_until_its_end(make: MakeWorld, sidecars: Mapping[str, str]) -> None:
    """It stores its last write three seconds after its SIGTERM, over a plain sidecar.

    In the control both get SIGTERM at once, so every last write is lost, whatever clients saw.
    """
    plain, lossless = make("plain"), make("lossless")
    shape: dict[str, Any] = {"containers": store(), "env": {"STORE_PORT": str(STORE_PORT)}}

    given.the_service(plain, Variant.PLAIN, replicas=2, **shape)
    for pod in _old_pods_of_a_rollout(plain)[0]:
        then.the_log_says(plain, pod, LOST)

    given.the_service(lossless, Variant.LOSSLESS, replicas=2, spec={"sidecars": sidecars}, **shape)
    old, report = _old_pods_of_a_rollout(lossless)
    then.nothing_was_lost(lossless, report)
    for pod in old:
        then.the_log_says(lossless, pod, STORED)
        then.the_log_says(lossless, pod, LOST, times=0)
        then.the_log_says(lossless, pod, "the store stops")


def _hooks() -> dict[str, Any]:
    """Return a hook of each kind that keeps its function; the app logs who says goodbye."""
    say = (
        "import urllib.request as r;"
        f" r.urlopen('http://127.0.0.1:{APP_PORT}/bye?from=exec', timeout=5).read()"
    )
    request = {"path": "/bye?from=http", "port": "app"}
    return {
        "containers": {
            NGINX: {
                "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", f'python3 -c "{say}"']}}}
            },
            APP: {"lifecycle": {"preStop": {"httpGet": request}}},
            "store": {
                **store()["store"],
                "lifecycle": {"preStop": {"sleep": {"seconds": SLEEP}}},
            },
        },
        # The API server wants it to cover the sleep.
        "pod": {"terminationGracePeriodSeconds": SLEEP + 20},
    }


def test_hooks_of_ones_own_are_kept(make: MakeWorld) -> None:
    """An exec of a shell, an httpGet and a sleep all do what they did, and the drain is lossless.

    The control has the same hooks and no drain: its containers stop when their hooks end.
    """
    plain, lossless = make("plain"), make("lossless")

    given.the_service(plain, Variant.PLAIN, **_hooks())
    then.something_was_lost(plain, _old_pods_of_a_rollout(plain)[1])

    given.the_service(lossless, Variant.LOSSLESS, **_hooks())
    old, report = _old_pods_of_a_rollout(lossless)
    then.nothing_was_lost(lossless, report)
    then.condition_is(lossless, ConditionType.DEGRADED, "False")
    for pod in old:
        then.the_log_says(lossless, pod, "bye from exec")
        (bye,) = then.the_log_says(lossless, pod, "bye from http")
        (stop,) = then.the_log_says(lossless, pod, "the store stops")
        slept = (_time_of(stop) - _time_of(bye)).total_seconds()
        assert slept >= SLEEP - 2, f"the sidecar slept {slept:.1f} s of {SLEEP} s"


def test_a_container_without_a_shell_is_held_too(make: MakeWorld) -> None:
    """The hold by HTTP needs nothing in the image; the control, an exec hook, needs a program.

    What cannot be held is told by name, in the status, in an Event and on the pod.
    """
    held, bare = make("held"), make("bare")
    control.a_plain_rollout_loses_some(make, replicas=1)
    image = _image_without_a_shell(held)
    still: dict[str, Any] = {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsUser": AGENT_UID, "allowPrivilegeEscalation": False},
    }
    # What runs in such an image may not stop on SIGTERM: this must not make the test a long one.
    shape: dict[str, Any] = {"replicas": 1, "pod": {"terminationGracePeriodSeconds": 5}}
    drain = {**given.QUICK, "timeout": "30s"}

    given.the_service(held, Variant.LOSSLESS, drain=drain, containers={"still": still}, **shape)
    (pod,) = held.pods()
    with pytest.raises(KubectlFailed):
        held.kubectl("exec", name_of(pod), "--container=still", "--", "/bin/sh", "-c", "true")
    _, report = _old_pods_of_a_rollout(held)
    then.nothing_was_lost(held, report)
    then.condition_is(held, ConditionType.DEGRADED, "False")
    then.condition_is(held, ConditionType.DRAINED, "True")

    still["lifecycle"] = {"preStop": {"exec": {"command": ["/stop"]}}}
    sample = Sample(
        image=bare.images.sample, variant=Variant.LOSSLESS, containers={"still": still}, **shape
    )
    given.a_lossless_rollout(bare, drain)
    given.injection(bare)
    given.deployed(bare, sample)
    told = then.condition_is(bare, ConditionType.DEGRADED, "True", reason=Reason.UNPROTECTED)
    assert "still: it keeps its own preStop exec" in told["message"]
    (pod,) = bare.pods()
    assert pod["metadata"]["annotations"][UNPROTECTED_ANNOTATION].startswith("still: ")
    eventually(
        lambda: bare.kubectl("get", "events", f"--field-selector=reason={Reason.UNPROTECTED}"),
        lambda events: "still: it keeps its own preStop exec" in events,
        what="an Event that names the container",
        within=30,
    )


def _image_without_a_shell(world: World) -> str:
    """Return the image that holds a pod's namespaces: every node has it, no shell is in it."""
    for node in world.testbed.kubectl.list("nodes"):
        for image in node["status"].get("images", []):
            for name in image.get("names", []):
                if "pause:" in name.rpartition("/")[2]:
                    return str(name)
    pytest.fail("no node tells the name of its pause image")


def _time_of(line: str) -> datetime:
    """Return when a line of a log was written: ``[pod/NAME/CONTAINER] TIME TEXT``."""
    text = line.split(" ", 2)[1]
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]}+00:00")
