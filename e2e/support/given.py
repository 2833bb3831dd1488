"""How a world begins."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, Protocol

from e2e.load.plan import Plan
from e2e.sample.manifests import HTTP_PORT, NAME, Manifest, Sample, Variant, lossless_rollout
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.load import LoadFailed, RunningLoad
from e2e.support.seconds import Step, spent_on
from e2e.support.world import World, is_injected, name_of

#: Short where the defaults are not the point: kube-proxy needs one second, clients think for 55 ms.
QUICK: Final[Mapping[str, str]] = {
    "propagation": "3s",
    "quiet": "2s",
    "clientIdleTimeout": "10s",
    "timeout": "2m",
}
NOTHING: Final[Mapping[str, Any]] = {}
_START: Final = 120.0


class Deployable(Protocol):
    """A service named like the sample, in one of its variants."""

    @property
    def variant(self) -> Variant:
        """How it stops."""

    def objects(self) -> list[Manifest]:
        """Return its Kubernetes objects."""


def the_service(  # noqa: PLR0913 # what a test says of its service, each by name
    world: World,
    variant: Variant,
    *,
    replicas: int = 3,
    liveness: bool = False,
    drain: Mapping[str, str] = QUICK,
    spec: Mapping[str, Any] = NOTHING,
    **shape: Any,
) -> None:
    """Deploy the sample and wait until all its pods serve.

    Args:
        world: where.
        variant: how it stops; ``LOSSLESS`` is protected by a LosslessRollout from its first pod.
        replicas: of the Deployment.
        liveness: whether the app has a liveness probe.
        drain: ``spec.drain`` of the LosslessRollout; empty for all defaults.
        spec: further fields of its ``spec``.
        shape: further fields of the ``Sample``.
    """
    sample = Sample(
        image=world.images.sample, variant=variant, replicas=replicas, liveness=liveness, **shape
    )
    if variant is Variant.LOSSLESS:
        a_lossless_rollout(world, drain, **spec)
        injection(world)
    deployed(world, sample)
    if variant is Variant.LOSSLESS:
        every_pod_has_an_agent(world)


@spent_on(Step.PODS)
def deployed(world: World, sample: Deployable) -> None:
    """Deploy a service as it is and wait until all its pods serve."""
    world.mark(f"the {sample.variant} service is deployed")
    world.kubectl.apply(sample.objects())
    ready(world)


def every_pod_has_an_agent(world: World) -> None:
    """Insist that injection has worked: without it everything else would prove nothing."""
    bare = [name_of(pod) for pod in world.pods() if not is_injected(pod)]
    assert not bare, f"started without an agent: {', '.join(bare)}"


def a_lossless_rollout(world: World, drain: Mapping[str, str] = QUICK, **spec: Any) -> str:
    """Create the LosslessRollout of the sample, with other fields of ``spec`` than the sample's.

    Returns:
        What the API server warned of.
    """
    world.mark("the LosslessRollout is created")
    return world.kubectl.apply([lossless_rollout(drain, **spec)])


def a_budget(world: World, *, min_available: int) -> None:
    """Have evictions leave so many pods of the service."""
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": NAME},
        "spec": {"minAvailable": min_available, "selector": {"matchLabels": {"app": NAME}}},
    }
    world.kubectl.apply([budget])


@spent_on(Step.PODS)
def injection(world: World) -> None:
    """Wait until pods that are created now get an agent."""
    eventually(
        lambda: webhook_injects(world),
        what=f"the webhook to inject the pods of deployment {NAME} in {world.namespace}",
        within=60,
        every=0.25,
    )


@spent_on(Step.PODS)
def ready(world: World) -> None:
    """Wait until the Deployment has rolled out and the Service leads clients to all its pods."""
    world.kubectl(
        "rollout", "status", f"deployment/{NAME}", f"--timeout={_START:g}s", timeout=_START + 10
    )
    replicas = world.deployment()["spec"]["replicas"]
    # kube-proxy follows about a second later; load that began before would know one pod only.
    eventually(
        lambda: pods_answering(world),
        lambda names: len(names) >= replicas,
        what=f"the Service to lead to all {replicas} pods",
        within=60,
    )


def pods_answering(world: World) -> set[str]:
    """Return the names of the pods that the Service leads clients to."""
    plan = Plan(url=world.service_url(), connections=32, think=0.01)
    probe = RunningLoad(world.testbed, plan)
    try:
        probe.goes_on(requests=2 * plan.connections)
    finally:
        probe.stop()
    return set(probe.report.pods)


@contextmanager
def load(
    world: World,
    path: str = "/",
    *,
    url: str = "",
    via: str | None = None,
    warm_up: int = 500,
    **options: Any,
) -> Iterator[RunningLoad]:
    """Have clients outside the cluster send requests until the end.

    Args:
        world: with a service that serves.
        path: of each request.
        url: of something before the service, instead of the service itself.
        via: the node through which clients enter; None: the first.
        warm_up: requests that have been answered when it begins.
        options: of the ``Plan``.
    """
    running = RunningLoad(world.testbed, Plan(url=url or world.service_url(path), **options), via)
    try:
        running.goes_on(requests=warm_up)
        yield running
    finally:
        running.stop()


def another_way_in(world: World) -> str | None:
    """Return a node other than the first, for clients; None if there is only one.

    A node remembers for two minutes to which pod it has led a connection, and leads there what
    comes again from the same port. What a control has lost must not be lost again by clients
    that come after it.
    """
    nodes = world.testbed.kubectl("get", "nodes", "--output=name").split()
    return nodes[-1].removeprefix("node/") if len(nodes) > 1 else None


@contextmanager
def a_long_request_on(world: World, pods: Sequence[Object]) -> Iterator[list[RunningLoad]]:
    """Have one client per pod in the middle of its only request, longer than any test.

    ``leave`` ends such a client; those that have not left by the end leave then.
    """
    with ExitStack() as stack:
        clients = []
        for pod in pods:
            url = f"http://{pod['status']['podIP']}:{HTTP_PORT}/slow?seconds=3000"
            plan = Plan(url, connections=1, think=0.0, timeout=3000.0, each=1, leave=True)
            client = RunningLoad(world.testbed, plan)
            stack.callback(leave, client)
            clients.append(client)
        for client in clients:
            eventually(
                lambda client=client: client.so_far.in_flight == 1,  # type: ignore[misc]
                what="the long request to be in flight",
                within=30,
                every=0.1,
            )
        yield clients


def leave(client: RunningLoad) -> None:
    """Have a client drop its request and go; harmless if it has gone."""
    with suppress(LoadFailed):
        client.stop()


def webhook_injects(world: World) -> bool:
    """Whether a pod of the service that is created now gets an agent.

    Found out by a dry run, because the API server and the webhook learn of a new LosslessRollout
    a moment after it is stored.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "dry-run",
            "labels": {"app": NAME, "pod-template-hash": "5d8f"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{NAME}-5d8f",
                    "uid": str(uuid.uuid4()),
                    "controller": True,
                }
            ],
        },
        "spec": {"containers": [{"name": "nginx", "image": world.images.sample}]},
    }
    return is_injected(world.kubectl.dry_run(pod))
