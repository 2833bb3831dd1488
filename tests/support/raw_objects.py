"""Builders of raw objects, as an API server returns them."""

import json
from typing import Any

from lossless.cluster.timestamps import format_time
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT_NAME,
    API_VERSION,
    GATE,
    KIND,
    ROLLOUT_LABEL,
)
from lossless.model.phases import Phase
from lossless.model.report import Connections, Report

Raw = dict[str, Any]
NAMESPACE = "shop"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
REPLICA_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
DAEMON_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"
CONTROLLER_REVISIONS = f"/apis/apps/v1/namespaces/{NAMESPACE}/controllerrevisions"
ROLLOUTS = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/losslessrollouts"
START = 1_800_000_000.0
LABELS = {"app": "web"}


def raw_deployment(replicas: int = 3, **spec: Any) -> Raw:
    """Return Deployment web."""
    return {
        "metadata": {"name": "web", "uid": "uid-deployment", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
        }
        | spec,
    }


def raw_replica_set(digest: str, revision: int) -> Raw:
    """Return the ReplicaSet ``web-<digest>`` of Deployment web."""
    return {
        "metadata": {
            "name": f"web-{digest}",
            "uid": f"uid-rs-{digest}",
            "labels": LABELS | {"pod-template-hash": digest},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [
                {"kind": "Deployment", "name": "web", "uid": "uid-deployment", "controller": True}
            ],
        }
    }


def raw_pod(  # noqa: PLR0913 # what tests vary
    name: str,
    digest: str = "new",
    *,
    injected: bool = True,
    ready: bool = True,
    containers_ready: bool = True,
    gate: bool | None = True,
    deletion: float | None = None,
    last_words: str | None = None,
    address: str = "127.0.0.1",
    agent_port: int | None = None,
) -> Raw:
    """Return a pod of ReplicaSet ``web-<digest>``."""
    conditions = [
        _condition("ContainersReady", value=containers_ready, at=START + 5),
        _condition("Ready", value=ready, at=START + (6 if ready else 0)),
    ]
    if gate is not None:
        conditions.append(_condition(GATE, value=gate, at=START + 5))
    metadata: Raw = {
        "name": name,
        "uid": f"uid-{name}",
        "namespace": NAMESPACE,
        "creationTimestamp": format_time(START),
        "labels": LABELS
        | {"pod-template-hash": digest}
        | ({ROLLOUT_LABEL: "web"} if injected else {}),
        "ownerReferences": [
            {
                "kind": "ReplicaSet",
                "name": f"web-{digest}",
                "uid": f"uid-rs-{digest}",
                "controller": True,
            }
        ],
    }
    if deletion is not None:
        metadata |= {
            "deletionTimestamp": format_time(deletion),
            "deletionGracePeriodSeconds": 320,
        }
    ports = [] if agent_port is None else [{"name": AGENT_PORT_NAME, "containerPort": agent_port}]
    state: Raw = {"running": {}}
    if last_words is not None:
        state = {"terminated": {"exitCode": 0, "message": last_words}}
    return {
        "metadata": metadata,
        "spec": {
            "readinessGates": [{"conditionType": GATE}] if injected else [],
            "initContainers": [{"name": AGENT_CONTAINER, "ports": ports}] if injected else [],
        },
        "status": {
            "phase": "Running",
            "podIP": address,
            "startTime": format_time(START),
            "conditions": conditions,
            "initContainerStatuses": [{"name": AGENT_CONTAINER, "state": state}],
        },
    }


def owned_by(kind: str, name: str, revision: str, pod: str = "a") -> Raw:
    """Return the metadata of an injected pod that a StatefulSet or DaemonSet owns itself."""
    return {
        "name": pod,
        "uid": f"uid-{pod}",
        "namespace": NAMESPACE,
        "creationTimestamp": format_time(START),
        "labels": LABELS | {"controller-revision-hash": revision, ROLLOUT_LABEL: "web"},
        "ownerReferences": [
            {
                "apiVersion": "apps/v1",
                "kind": kind,
                "name": name,
                "uid": f"uid-{name}",
                "controller": True,
            }
        ],
    }


def raw_stateful_set(replicas: int = 3, newest: str = "db-new", **update: Any) -> Raw:
    """Return StatefulSet db."""
    return {
        "metadata": {"name": "db", "uid": "uid-db", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}} | update,
        },
        "status": {"updateRevision": newest},
    }


def raw_daemon_set(nodes: int = 3, **update: Any) -> Raw:
    """Return DaemonSet edge."""
    return {
        "metadata": {"name": "edge", "uid": "uid-edge", "generation": 1},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "updateStrategy": {"type": "RollingUpdate"} | update,
        },
        "status": {"desiredNumberScheduled": nodes},
    }


def raw_controller_revision(digest: str, number: int) -> Raw:
    """Return a ControllerRevision of DaemonSet edge."""
    return {
        "metadata": {
            "name": f"edge-{digest}",
            "uid": f"uid-cr-{digest}",
            "labels": LABELS | {"controller-revision-hash": digest},
            "ownerReferences": [
                {"kind": "DaemonSet", "name": "edge", "uid": "uid-edge", "controller": True}
            ],
        },
        "revision": number,
    }


def raw_rollout(name: str = "web", created: float = START - 60, **spec: Any) -> Raw:
    """Return a LosslessRollout for Deployment web."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-llr-{name}",
            "generation": 1,
            "creationTimestamp": format_time(created),
        },
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}, "close": [{"middleware": {}}]}
        | spec,
    }


def raw_report(name: str, phase: Phase, **changes: Any) -> str:
    """Return what the agent of pod ``name`` says, as text."""
    report = Report(name, f"uid-{name}", phase, seconds=12.0, connections=Connections(active=1))
    return json.dumps(json.loads(report.to_json()) | changes)


def _condition(kind: str, *, value: bool, at: float) -> Raw:
    return {
        "type": kind,
        "status": "True" if value else "False",
        "lastTransitionTime": format_time(at),
    }
