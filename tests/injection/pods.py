"""Pods and settings as admission sees them, and what a patch makes of them."""

import base64
import json
from typing import Any

import jsonpatch

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.inject import Injection, inject
from lossless.injection.problem import ProblemKind
from lossless.injection.problem_text import warning_text
from lossless.model.drain.agent_config import AgentConfig, parse_agent_config
from lossless.model.names import AGENT_CONTAINER, CONFIG_ENV
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.model.targets import Kind, Target
from lossless.webhook.owner import AdmissionRollout

Raw = dict[str, Any]
MOUNT: Raw = {"name": "lossless", "mountPath": "/lossless", "readOnly": True}
SETTINGS = AgentSettings(image="registry.example/lossless-agent:1", version="1.2.3")


def pod(*containers: Raw, hash_: str = "abc123", **spec: Any) -> Raw:
    """Return the pod that Deployment ``web`` asks for; without containers it has a plain one."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"web-{hash_}-",
            "labels": {"app": "web", "pod-template-hash": hash_},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"web-{hash_}",
                    "uid": "1",
                    "controller": True,
                }
            ],
        },
        "spec": {"containers": list(containers) or [container("app")], **spec},
    }


def container(name: str, *, pre_stop: Raw | None = None, **fields: Any) -> Raw:
    """Return a container."""
    lifecycle = {} if pre_stop is None else {"lifecycle": {"preStop": pre_stop}}
    return {"name": name, "image": f"{name}:1", **lifecycle, **fields}


def hold(name: str) -> Raw:
    """Return the hold by HTTP of a container."""
    return {"httpGet": {"path": f"/v1/hold/{name}", "port": 9913, "scheme": "HTTP"}}


def hook_of(after: Raw, name: str = "app") -> Raw:
    """Return the preStop of a container."""
    found: Raw = next(c for c in after["spec"]["containers"] if c["name"] == name)
    hook: Raw = found["lifecycle"]["preStop"]
    return hook


def spec(**fields: Any) -> RolloutSpec:
    """Return the spec of a LosslessRollout for Deployment ``web``."""
    return parse_spec({"targetRef": {"kind": "Deployment", "name": "web"}, **fields})


def rollout(name: str = "web", **fields: Any) -> AdmissionRollout:
    """Return the LosslessRollout of Deployment ``web`` in namespace ``shop``."""
    known: Raw = {
        "namespace": "shop",
        "created": "2026-01-01T00:00:00Z",
        "target": Target(Kind.DEPLOYMENT, "web"),
        "spec": spec(),
    }
    return AdmissionRollout(name=name, **{**known, **fields})


def injection(before: Raw, *, gate: bool = True, **fields: Any) -> Injection:
    """Return what injection decides of a pod, for a spec with these fields."""
    return inject(before, "web", spec(**fields), SETTINGS, gate=gate)


def warnings_of(decided: Injection) -> tuple[str, ...]:
    """Return what people are told of a pod."""
    return tuple(map(warning_text, decided.problems))


def unprotected_in(decided: Injection) -> dict[str, str]:
    """Return the containers that do not wait for the drain, each with reason and remedy."""
    bare = decided.of(ProblemKind.UNPROTECTED)
    return {one.subject: f"{one.reason}; {one.remedy}" for one in bare}


def injected(before: Raw, *, gate: bool = True, **fields: Any) -> Raw:
    """Return the pod as it is after injection."""
    return applied(before, list(injection(before, gate=gate, **fields).operations))


def applied(document: Raw, operations: list[Raw]) -> Raw:
    """Apply a JSON Patch with a library that is not ours."""
    result: Raw = jsonpatch.apply_patch(document, operations)
    return result


def agent_of(after: Raw) -> Raw:
    """Return the agent's container, which must be the first init container."""
    agent: Raw = after["spec"]["initContainers"][0]
    assert agent["name"] == AGENT_CONTAINER
    return agent


def config_of(after: Raw) -> AgentConfig:
    """Return what the agent in the pod is told."""
    (value,) = [env["value"] for env in agent_of(after)["env"] if env["name"] == CONFIG_ENV]
    return parse_agent_config(value)


def review(of: Raw | None, **fields: Any) -> Raw:
    """Return an AdmissionReview of a pod at CREATE, with some fields of its request changed."""
    request = {
        "uid": "7a3f",
        "operation": "CREATE",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "shop",
        "object": of,
        **fields,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def patch_in(answer: Raw) -> list[Raw]:
    """Return the JSON Patch that an AdmissionReview carries; empty if there is none."""
    response = answer["response"]
    if "patch" not in response:
        return []
    assert response["patchType"] == "JSONPatch"
    operations: list[Raw] = json.loads(base64.b64decode(response["patch"]))
    return operations
