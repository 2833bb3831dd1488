"""The middle of a rollout, where people and faults strike: one pod drains, the next one is held."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.load import RunningLoad
from e2e.support.world import World
from e2e.support.worlds import MakeWorld


@contextmanager
def kept_by_clients(world: World) -> Iterator[list[RunningLoad]]:
    """Begin a rollout, and yield the clients that keep it in its middle.

    Each old pod has a client of its own in the middle of a long request, because which of them
    the Deployment stops first is its own affair.
    """
    with given.a_long_request_on(world, world.pods()) as clients:
        when.the_version_changes(world)
        then.one_drains_and_one_is_held(world)
        yield clients


@contextmanager
def in_mid_drain(world: World) -> Iterator[None]:
    """Begin a rollout and keep it in its middle until the end: none of its clients was cut."""
    with kept_by_clients(world) as clients:
        yield
        cut = [client.so_far.kinds for client in clients if client.so_far.failed]
        assert not cut, f"long requests were cut: {cut}\n{then.evidence(world)}"
        world.mark("the long requests leave")


@contextmanager
def a_rollout_that_loses_nothing(
    make: MakeWorld, name: str, *, replicas: int = 3, version: str = "v2"
) -> Iterator[World]:
    """Yield a world in the middle of a rollout under load; it must end, and have lost nothing.

    In the control the same rollout loses requests.

    Args:
        make: makes its world.
        name: of the world.
        replicas: of its Deployment.
        version: that it ends with.
    """
    world = make(name)

    control.a_plain_rollout_loses_some(make)
    given.the_service(world, Variant.LOSSLESS, replicas=replicas)
    with given.load(world) as load:
        with in_mid_drain(world):
            yield world
        when.the_rollout_ends(world, version)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
