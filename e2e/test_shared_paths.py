"""Files and sockets of the user's own, by which the agent and a proxy meet on a volume."""

from typing import Any, Final

from e2e.conftest import MakeWorld
from e2e.sample.manifests import NGINX, Variant
from e2e.support import control, given, then, when
from e2e.support.kubectl import Object
from e2e.support.world import World, is_ready, name_of
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import INCOMPLETE_ANNOTATION

#: Soon over, though nobody leaves.
_DRAIN: Final = {**given.QUICK, "timeout": "20s", "onTimeout": "Continue"}
_HAPROXY_SOCKET: Final = "/run/admin/haproxy.sock"


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
    mount, the driver fails, nobody is told, and the drain lasts until its timeout. The control is
    a plain rollout of the same size.
    """
    control.a_plain_rollout_loses_some(make, replicas=1)
    apart, shared = make("apart"), make("shared")
    close = [{"haproxy": {"socket": _HAPROXY_SOCKET}}]

    shape = _behind_haproxy(proof_image, volume={})
    given.the_service(apart, Variant.LOSSLESS, drain=_DRAIN, spec={"close": close}, **shape)
    told = then.condition_is(apart, ConditionType.DEGRADED, "True", reason=Reason.INCOMPLETE)
    assert _HAPROXY_SOCKET in told["message"], told
    assert "emptyDir" in told["message"], told
    (pod,) = apart.pods()
    assert _HAPROXY_SOCKET in pod["metadata"]["annotations"][INCOMPLETE_ANNOTATION]
    when.rolled_out_under_load(apart)
    then.status_shows(apart, "a drain has timed out", lambda s: _timed_out(s) == 1)

    shape = _behind_haproxy(proof_image, volume={"emptyDir": {}})
    given.the_service(shared, Variant.LOSSLESS, drain=_DRAIN, spec={"close": close}, **shape)
    _clients_are_told_to_leave(shared)


def _behind_haproxy(image: str, volume: Object) -> dict[str, Any]:
    """Return the shape of a pod with HAProxy in nginx's place, its socket on a volume or on none.

    The socket is configured at the start, beside the proof's configuration, so that it may be
    anywhere.
    """
    folder = _HAPROXY_SOCKET.rpartition("/")[0] if volume else "/tmp"  # noqa: S108 # in a container
    line = f"stats socket {folder}/haproxy.sock mode 666 level admin"
    command = (
        f"printf 'global\\n  {line}\\n' > /tmp/socket.cfg && "
        "exec haproxy -W -db -f /srv/proof/haproxy.cfg -f /tmp/socket.cfg"
    )
    mounts = [{"name": "admin", "mountPath": folder}] if volume else []
    return {
        "replicas": 1,
        "containers": {
            NGINX: {"image": image, "command": ["sh", "-c", command], "volumeMounts": mounts}
        },
        "pod": {"volumes": [{"name": "admin", **volume}]} if volume else {},
    }


def _clients_are_told_to_leave(world: World) -> None:
    """Roll out under load: busy clients leave in time, and none of them loses a request."""
    report = when.rolled_out_under_load(world)
    then.nothing_was_lost(world, report)
    assert report.told_to_close > 0, "nobody was told to leave"
    then.condition_is(world, ConditionType.DRAINED, "True")
    then.condition_is(world, ConditionType.DEGRADED, "False")


def _timed_out(status: Object) -> int:
    return int(status.get("lastRollout", {}).get("timedOut", 0))
