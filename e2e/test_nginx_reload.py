"""nginx tells its clients by reloads, with nothing of Lossless in its locations."""

from typing import Any

import pytest

from e2e.sample.manifests import NGINX, Variant
from e2e.support import given, then
from e2e.support.kinds_of_clients import Reports, rolled_out_under_all_kinds
from e2e.support.world import World
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType

#: The same container with Lossless and without it: access check, ``try_files``, one line in http.
_CONFIGURATION = "/srv/proof/nginx/reload.conf"


@pytest.mark.costs(150)
def test_a_rollout_by_reloads_loses_nothing(make: MakeWorld, proof_image: str) -> None:
    """Behind an access check and files before the app; the very same nginx alone loses some.

    Three kinds of clients: busy ones, slow ones whose requests are under way in any reload, and
    leisurely ones, which are idle in it. All leave because they are told to, long before the
    drain's timeout, and those who come to a pod while it drains are told as well.
    """
    plain, lossless = make("plain"), make("lossless")
    spec: dict[str, Any] = {"close": [{"nginx": {"reload": {}}}]}

    control = _rolled_out_under_load(plain, Variant.PLAIN, proof_image)
    reports = _rolled_out_under_load(lossless, Variant.LOSSLESS, proof_image, spec=spec)

    then.something_was_lost(plain, control.busy)
    then.nothing_was_lost(lossless, reports.busy)
    then.nothing_was_lost(lossless, reports.slow, at_least=30)
    then.nothing_was_lost(lossless, reports.leisurely, at_least=100)
    assert reports.busy.told_to_close > 0, "nobody was told to leave"
    assert reports.leisurely.told_to_close > 0, "nobody idle was told to leave"
    then.the_rollout_drained(lossless, pods=3)
    then.condition_is(lossless, ConditionType.DEGRADED, "False")


def _rolled_out_under_load(world: World, variant: Variant, image: str, **options: Any) -> Reports:
    # The program's name tells that it is nginx, and its options which configuration it runs: so
    # the command that reloads it need not be named.
    command = ["/opt/proof/bin/nginx", "-e", "stderr", "-c", _CONFIGURATION]
    containers = {NGINX: {"image": image, "command": command}}
    given.the_service(world, variant, containers=containers, **options)
    return rolled_out_under_all_kinds(world)
