"""Files and sockets of the user's own, by which the agent and a proxy meet on a volume."""

from typing import Any, Final

from e2e.sample.manifests import NAME, NGINX, Variant
from e2e.support import control, given, then, when
from e2e.support.kubectl import Object
from e2e.support.plugin import plugin
from e2e.support.testbed import ROOT
from e2e.support.world import World, is_ready, name_of
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import INCOMPLETE_ANNOTATION

#: Soon over, though nobody leaves.
_DRAIN: Final = {**given.QUICK, "timeout": "20s", "onTimeout": "Continue"}
_HAPROXY_SOCKET: Final = "/run/admin/haproxy.sock"
_HAPROXY_FOLDER: Final = "/usr/local/etc/haproxy"


def test_a_status_file_of_ones_own_tells_clients_to_leave(make: MakeWorld) -> None:
    """The proxy looks at a file on an emptyDir of the pod, which the agent removes.

    Where the LosslessRollout does not name the file it stays, nobody is told, and busy clients are
    still there when the time is up. That no request is lost means something because a plain
    rollout of the same size loses some.
    """
    control.a_plain_rollout_loses_some(make, replicas=1)
    unnamed, named = make("unnamed"), make("named")
    command = "touch /status/on && exec nginx -e stderr -c /srv/nginx/own-status.conf"
    shape: dict[str, Any] = {
        "replicas": 1,
        "containers": {
            NGINX: {
                "command": ["sh", "-c", command],
                "volumeMounts": [{"name": "status", "mountPath": "/status"}],
            }
        },
        "pod": {"volumes": [{"name": "status", "emptyDir": {}}]},
    }
    given.the_service(unnamed, Variant.LOSSLESS, drain=_DRAIN, **shape)
    when.rolled_out_under_load(unnamed)
    then.status_shows(unnamed, "a drain has timed out", lambda s: _timed_out(s) == 1)

    close = [{"nginx": {"statusFile": "/status/on"}}]
    given.the_service(named, Variant.LOSSLESS, drain=_DRAIN, spec={"close": close}, **shape)
    (pod,) = named.pods()
    assert is_ready(pod)
    named.kubectl("exec", name_of(pod), f"--container={NGINX}", "--", "test", "-e", "/status/on")
    _clients_are_told_to_leave(named)


def test_haproxy_is_told_by_its_socket(make: MakeWorld, proof_image: str) -> None:
    """It listens on a socket that is on an emptyDir of the pod, which the agent gets as well.

    Where the socket's directory is on no volume, status, Event and the pod itself say what to
    mount, the driver fails, nobody is told, and the drain lasts until its timeout; ``check`` finds
    the socket elsewhere before. The control is a plain rollout of the same size.
    """
    control.a_plain_rollout_loses_some(make, replicas=1)
    apart, shared = make("apart"), make("shared")
    close = [{"haproxy": {"socket": _HAPROXY_SOCKET}}]

    shape = _behind_haproxy(apart, proof_image, shared=False)
    given.the_service(apart, Variant.LOSSLESS, drain=_DRAIN, spec={"close": close}, **shape)
    told = then.condition_is(apart, ConditionType.DEGRADED, "True", reason=Reason.INCOMPLETE)
    assert _HAPROXY_SOCKET in told["message"], told
    assert "emptyDir" in told["message"], told
    assert {"LL310", "LL805"} <= _found(apart)
    (pod,) = apart.pods()
    assert _HAPROXY_SOCKET in pod["metadata"]["annotations"][INCOMPLETE_ANNOTATION]
    when.rolled_out_under_load(apart)
    then.status_shows(apart, "a drain has timed out", lambda s: _timed_out(s) == 1)

    shape = _behind_haproxy(shared, proof_image, shared=True)
    given.the_service(shared, Variant.LOSSLESS, drain=_DRAIN, spec={"close": close}, **shape)
    assert not {code for code in _found(shared) if code == "LL310" or code.startswith("LL8")}
    _clients_are_told_to_leave(shared)


def _behind_haproxy(world: World, image: str, *, shared: bool) -> dict[str, Any]:
    """Configure HAProxy, and return the shape of a pod with it in nginx's place.

    Its configuration is the proof's, but for the socket, which is on a volume or on none.
    """
    folder = _HAPROXY_SOCKET.rpartition("/")[0] if shared else "/tmp"  # noqa: S108 # in a container
    proof = (ROOT / "e2e/proof/image/haproxy.cfg").read_text()
    text = proof.replace("ipv4@127.0.0.1:9999", f"{folder}/haproxy.sock mode 666")
    configuration = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "front"},
        "data": {"haproxy.cfg": text},
    }
    world.kubectl.apply([configuration])
    volumes: list[Object] = [{"name": "front", "configMap": {"name": "front"}}]
    mounts = [{"name": "front", "mountPath": _HAPROXY_FOLDER}]
    if shared:
        volumes.append({"name": "admin", "emptyDir": {}})
        mounts.append({"name": "admin", "mountPath": folder})
    command = ["haproxy", "-W", "-db", "-f", f"{_HAPROXY_FOLDER}/haproxy.cfg"]
    return {
        "replicas": 1,
        "containers": {NGINX: {"image": image, "command": command, "volumeMounts": mounts}},
        "pod": {"volumes": volumes},
    }


def _found(world: World) -> set[str]:
    """Return the codes of what ``kubectl lossless check`` finds."""
    with plugin(world) as lossless:
        return {finding["code"] for finding in lossless.findings(NAME, "--fail-on=never")}


def _clients_are_told_to_leave(world: World) -> None:
    """Roll out under load: busy clients leave in time, and none of them loses a request."""
    report = when.rolled_out_under_load(world)
    then.nothing_was_lost(world, report)
    assert report.told_to_close > 0, "nobody was told to leave"
    then.condition_is(world, ConditionType.DRAINED, "True")
    then.condition_is(world, ConditionType.DEGRADED, "False")


def _timed_out(status: Object) -> int:
    return int(status.get("lastRollout", {}).get("timedOut", 0))
