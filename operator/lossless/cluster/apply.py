"""Decisions, written to the cluster. Every write may be repeated and does no harm."""

import hashlib

from lossless.cluster.client import STRATEGIC_MERGE_PATCH, Client, Raw, resource_path
from lossless.cluster.errors import AlreadyExistsError
from lossless.cluster.rollout_status import status_document
from lossless.cluster.timestamps import format_micro_time, format_time
from lossless.cluster.watching import Key
from lossless.model.names import (
    API_VERSION,
    EVENT_COMPONENT,
    FIELD_MANAGER,
    GATE,
    GROUP,
    KIND,
    PLURAL,
)
from lossless.model.rollout.announcements import Announcement
from lossless.model.rollout.decision import Evict, SetGate
from lossless.model.status import RolloutStatus

EVENTS_VERSION = "events.k8s.io/v1"


async def set_gate(client: Client, namespace: str, gate: SetGate, now: float) -> None:
    """Write the pod condition that our readiness gate looks at.

    Raises:
        NotFoundError: the pod is gone.
        ConflictError: its name belongs to another pod by now.
        ApiError: otherwise refused or unanswered.
    """
    condition = {
        "type": GATE,
        "status": "True" if gate.open else "False",
        "reason": gate.reason,
        "message": gate.message,
        "lastTransitionTime": format_time(now),
        "lastProbeTime": None,
    }
    await client.patch(
        resource_path("v1", "pods", namespace=namespace, name=gate.pod, subresource="status"),
        # The uid is a precondition: a pod of a StatefulSet comes back under the same name.
        {"metadata": {"uid": gate.uid}, "status": {"conditions": [condition]}},
        content_type=STRATEGIC_MERGE_PATCH,
        params={"fieldManager": FIELD_MANAGER},
    )


async def evict(client: Client, namespace: str, pod: Evict) -> None:
    """Ask for the eviction of a pod.

    Raises:
        NotFoundError: the pod is gone.
        ConflictError: its name belongs to another pod by now.
        ThrottledError: it has started meanwhile, and a disruption budget forbids it.
        ApiError: otherwise refused or unanswered.
    """
    await client.create(
        resource_path("v1", "pods", namespace=namespace, name=pod.pod, subresource="eviction"),
        {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        },
    )


async def write_status(client: Client, key: Key, uid: str, status: RolloutStatus) -> None:
    """Store the status.

    Raises:
        NotFoundError: the LosslessRollout is gone.
        ConflictError: its name belongs to another one by now.
        ApiError: otherwise refused or unanswered.
    """
    await client.apply(
        resource_path(
            API_VERSION, PLURAL, namespace=key.namespace, name=key.name, subresource="status"
        ),
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
            "status": status_document(status),
        },
        manager=FIELD_MANAGER,
    )


class Announcer:
    """Makes Events.

    The name of an Event follows from what it says and when, so that the same thing said by two
    controllers at once is one Event.
    """

    def __init__(self, client: Client, instance: str) -> None:
        """Speak as ``instance``, the name of this process's pod."""
        self._client = client
        self._instance = instance[:128]

    async def announce(self, key: Key, uid: str, said: Announcement, now: float) -> None:
        """Make an Event on the LosslessRollout, and one on the pod it is about.

        Raises:
            ApiError: refused or unanswered.
        """
        rollout = _reference(API_VERSION, KIND, key, uid)
        await self._post(_event(rollout, said, now))
        if said.pod is not None:
            name, pod_uid = said.pod
            pod = _reference("v1", "Pod", Key(key.namespace, name), pod_uid)
            await self._post(_event(pod, said, now) | {"related": rollout})

    async def _post(self, event: Raw) -> None:
        event["reportingInstance"] = self._instance
        path = resource_path(EVENTS_VERSION, "events", namespace=event["metadata"]["namespace"])
        try:
            await self._client.create(path, event)
        except AlreadyExistsError:
            return


def _reference(api_version: str, kind: str, key: Key, uid: str) -> Raw:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "namespace": key.namespace,
        "name": key.name,
        "uid": uid,
    }


def _event(regarding: Raw, said: Announcement, now: float) -> Raw:
    parts = (regarding["uid"], said.reason.value, said.message, str(int(now)))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS_VERSION,
        "kind": "Event",
        "metadata": {
            # An Event's name is a DNS subdomain of at most 253 characters.
            "name": f"{regarding['name'][:230]}.{digest}",
            "namespace": regarding["namespace"],
        },
        "eventTime": format_micro_time(now),
        "type": "Warning" if said.warning else "Normal",
        "reason": said.reason.value,
        "action": said.reason.value,
        "note": said.message,
        "regarding": regarding,
        "reportingController": f"{GROUP}/{EVENT_COMPONENT}",
    }
