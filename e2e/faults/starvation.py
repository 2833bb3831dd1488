"""A controller that is answered with 429: API Priority and Fairness without a seat for it.

A priority level without seats is not enough: a request that is too big for its level is dispatched
all the same when nobody else of the level is (kubernetes apiserver/pkg/util/flowcontrol/fairqueuing
/queueset, canAccommodateSeatsLocked), so that requests one after another would all be answered.
"""

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from e2e.faults.scene import OUTAGE, Scene
from e2e.support import install, when
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.leftovers import LABELS
from e2e.support.programs import running_program
from e2e.support.testbed import Testbed

_NAME: Final = "lossless-e2e-starved"
#: So many rejected requests show that the controllers are starved, and not one in passing.
_AT_LEAST: Final = 5
_ACCOUNT: Final = f"system:serviceaccount:{install.NAMESPACE}:{when.CONTROLLER}"
#: An Event that the controller may make, and of which only the head ever comes.
_ENDLESS: Final = (
    "POST /apis/events.k8s.io/v1/namespaces/default/events HTTP/1.1\r\nHost: localhost\r\n"
    f"Impersonate-User: {_ACCOUNT}\r\n"
    "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)


@contextmanager
def controller_throttled(scene: Scene) -> Iterator[None]:
    """The API server answers every request of the controllers with 429 for 20 s."""
    testbed = scene.world.testbed
    objects = level_and_schema()
    scene.world.mark("the controllers are answered with 429")
    try:
        testbed.kubectl.apply(objects)
        with _the_only_seat_taken(testbed):
            until = time.monotonic() + OUTAGE
            eventually(
                lambda: _rejected(testbed),
                lambda rejected: time.monotonic() >= until and rejected >= _AT_LEAST,
                what=f"{OUTAGE:g} s in which {_AT_LEAST} requests are answered with 429",
                within=OUTAGE + 15,
                every=1.0,
            )
        scene.seen.append(f"{_rejected(testbed)} requests answered with 429")
    finally:
        for thing in reversed(objects):
            kind = f"{thing['kind']}.flowcontrol.apiserver.k8s.io".lower()
            testbed.kubectl("delete", kind, thing["metadata"]["name"], "--ignore-not-found")
        scene.world.mark("the controllers are answered again")
    scene.somebody_leads()
    yield


@contextmanager
def _the_only_seat_taken(testbed: Testbed) -> Iterator[None]:
    """Have the API server wait for the rest of a request of the controller's ServiceAccount."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as request:
        path = Path(folder, "api")
        argv = testbed.kubectl.argv("proxy", f"--unix-socket={path}")
        with running_program(argv, Path(folder, "proxy.log")) as proxy:
            proxy.comes_to(path.exists, what="kubectl proxy listens", within=20)
            request.connect(str(path))
            request.sendall(_ENDLESS.encode())
            yield


def _rejected(testbed: Testbed) -> int:
    page = testbed.kubectl("get", "--raw", "/metrics")
    return int(
        sum(
            float(line.rpartition(" ")[2])
            for line in page.splitlines()
            if line.startswith("apiserver_flowcontrol_rejected_requests_total{")
            and f'flow_schema="{_NAME}"' in line
        )
    )


def level_and_schema() -> list[Object]:
    """Return a priority level without a seat, and the schema that sends the controller there."""
    version = "flowcontrol.apiserver.k8s.io/v1"
    account = {"name": when.CONTROLLER, "namespace": install.NAMESPACE}
    return [
        {
            "apiVersion": version,
            "kind": "PriorityLevelConfiguration",
            "metadata": {"name": _NAME, "labels": LABELS},
            "spec": {
                "type": "Limited",
                "limited": {
                    "nominalConcurrencyShares": 0,
                    "lendablePercent": 0,
                    "borrowingLimitPercent": 0,
                    "limitResponse": {"type": "Reject"},
                },
            },
        },
        {
            "apiVersion": version,
            "kind": "FlowSchema",
            "metadata": {"name": _NAME, "labels": LABELS},
            "spec": {
                "priorityLevelConfiguration": {"name": _NAME},
                # 1 is for the schema "exempt" alone.
                "matchingPrecedence": 2,
                "rules": [
                    {
                        "subjects": [{"kind": "ServiceAccount", "serviceAccount": account}],
                        "resourceRules": [
                            {
                                "verbs": ["*"],
                                "apiGroups": ["*"],
                                "resources": ["*"],
                                "clusterScope": True,
                                "namespaces": ["*"],
                            }
                        ],
                    }
                ],
            },
        },
    ]
