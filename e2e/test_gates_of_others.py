"""A load balancer's controller holds pods back by a readiness gate of its own, and so do we."""

from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.gate_owner import GATE, GATES, opening_its_gate
from e2e.support.world import World, condition, is_ready, name_of
from e2e.support.worlds import MakeWorld
from lossless.model.names import GATE as OUR_GATE


def _rolled_out(world: World, variant: Variant) -> tuple[LoadReport, list[str]]:
    """Roll out under load beside the other gate's owner; return also the pods it has opened."""
    with opening_its_gate(world) as opened:
        given.the_service(world, variant, pod=GATES)
        report = when.rolled_out_under_load(world)
    return report, opened


def test_two_owners_of_gates_do_not_fight(make: MakeWorld) -> None:
    """Each opens its own gate and leaves the other's; the rollout waits for both.

    The control has the other's gate only: it keeps the rollout from being too fast, and requests
    are lost all the same.
    """
    plain, lossless = make("plain"), make("lossless")

    control, _ = _rolled_out(plain, Variant.PLAIN)
    report, opened = _rolled_out(lossless, Variant.LOSSLESS)

    then.something_was_lost(plain, control)
    then.nothing_was_lost(lossless, report)
    assert len(opened) == 6, f"three old and three new pods: {opened}"
    pods = lossless.pods()
    assert {name_of(pod) for pod in pods} <= set(opened)
    for pod in pods:
        assert is_ready(pod), name_of(pod)
        assert [condition(pod, gate) for gate in (GATE, OUR_GATE)] == ["True", "True"]
    then.the_rollout_drained(lossless, pods=3)
