"""The sample as a workload of any kind: how it begins, and how it rolls."""

from collections.abc import Mapping
from typing import Any, Final

from e2e.sample.manifests import APP, NAME, VERSION, Sample, Variant, lossless_rollout
from e2e.support import given
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.seconds import Step, spent_on
from e2e.support.world import World, is_injected, is_ready, is_stopping, name_of, version_of
from lossless.model.targets import Kind

_START: Final = 120.0
_ROLLOUT: Final = 240.0


@spent_on(Step.PODS)
def deployed(
    world: World,
    kind: Kind,
    variant: Variant,
    *,
    spec: Mapping[str, Any] = given.NOTHING,
    **shape: Any,
) -> None:
    """Deploy the sample and wait until all its pods serve, with agents if they are protected.

    Args:
        world: where.
        kind: of the workload.
        variant: how it stops; ``LOSSLESS`` is protected by a LosslessRollout from its first pod.
        spec: further fields of that LosslessRollout.
        shape: further fields of the sample.
    """
    sample = Sample(world.images.sample, variant, **shape)
    service, _ = sample.objects()
    world.mark(f"the {variant} service is deployed as {kind}")
    if variant is Variant.LOSSLESS:
        world.kubectl.apply([lossless_rollout(given.QUICK, kind, **spec)])
        _injection(world, sample, kind)
    world.kubectl.apply([service, sample.workload(kind)])
    complete(world)
    if variant is Variant.LOSSLESS:
        bare = [name_of(pod) for pod in world.pods() if not is_injected(pod)]
        assert not bare, f"started without an agent: {', '.join(bare)}"


@spent_on(Step.ROLLOUT)
def rolled_out(world: World, kind: Kind, version: str = "v2") -> None:
    """Change the version and wait until no pod of another one is left."""
    world.mark(f"rollout to {version} begins")
    resource = "replicaset" if kind is Kind.POD else kind.lower()
    world.kubectl("set", "env", f"{resource}/{NAME}", f"--containers={APP}", f"{VERSION}={version}")
    if kind is Kind.POD:
        _replaced_one_by_one(world, version)
    eventually(
        world.pods,
        lambda pods: all(version_of(pod) == version and not is_stopping(pod) for pod in pods),
        what=f"the last pod that is not {version} to be gone",
        within=_ROLLOUT,
    )
    complete(world)
    world.mark(f"rollout to {version} is over")


@spent_on(Step.REMOVAL)
def removed(world: World, kind: Kind) -> None:
    """Delete the workload and wait until its last pod is gone."""
    world.mark(f"the {kind} is deleted")
    world.kubectl("delete", kind.lower(), NAME, "--wait=false")
    eventually(
        world.pods, lambda pods: not pods, what="the last pod of the service to be gone", within=120
    )


def complete(world: World) -> None:
    """Wait until all pods are ready and the Service leads to each of them."""
    eventually(
        world.pods,
        lambda pods: bool(pods) and all(map(is_ready, pods)) and _is_whole(world, pods),
        what="all pods of the service to be ready",
        within=_START,
    )
    names = {name_of(pod) for pod in world.pods()}
    eventually(
        lambda: given.pods_answering(world),
        lambda answering: names <= answering,
        what=f"the Service to lead to {', '.join(sorted(names))}",
        within=60,
    )


def _is_whole(world: World, pods: list[Object]) -> bool:
    for kind in ("statefulset", "replicaset"):
        found = world.kubectl.get(kind, NAME)
        if found is not None:
            return len(pods) == int(found["spec"]["replicas"])
    found = world.kubectl.get("daemonset", NAME)
    return found is not None and len(pods) == found["status"]["desiredNumberScheduled"]


def _replaced_one_by_one(world: World, version: str) -> None:
    """Do as a controller that knows nothing of us: delete a pod, wait for its successor."""
    for pod in world.pods():
        world.kubectl("delete", "pod", name_of(pod), "--wait=false")
        before = _well(world.pods(), version)
        eventually(
            lambda: _well(world.pods(), version),
            lambda now, before=before: now > before,  # type: ignore[misc] # bound in the loop
            what=f"one more ready pod of {version} than {before}",
            within=_START,
        )


def _well(pods: list[Object], version: str) -> int:
    return sum(version_of(pod) == version and is_ready(pod) for pod in pods)


def _injection(world: World, sample: Sample, kind: Kind) -> None:
    """Wait until pods that are created now get an agent, by a dry run."""
    template = sample.workload(kind)["spec"]["template"]
    metadata: Object = {"name": "dry-run", "labels": dict(template["metadata"]["labels"])}
    if kind is not Kind.POD:
        metadata["labels"]["controller-revision-hash"] = "5d8f"
        owner = {"apiVersion": "apps/v1", "kind": kind.value, "name": NAME}
        metadata["ownerReferences"] = [owner | {"uid": "0-0", "controller": True}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    eventually(
        lambda: is_injected(world.kubectl.dry_run(pod)),
        what=f"the webhook to inject the pods of {kind} {NAME} in {world.namespace}",
        within=60,
        every=0.25,
    )
