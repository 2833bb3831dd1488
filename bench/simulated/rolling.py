"""A wave in which every application rolls, and the watch that tells when each gate opened."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from bench.simulated.agents import DRAIN
from bench.simulated.waiting import until
from bench.simulated.workloads import World, space_of
from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.watching import Changed, Watch
from lossless.model.names import GATE

#: LosslessRollouts that begin to roll in one second.
PACE: Final = 4.0


@dataclass
class Gates:
    """When each gate was seen open, by a watch beside the controller's."""

    opened: dict[str, float] = field(default_factory=dict)

    async def follow(self, client: Client) -> None:
        """Follow the pods until cancelled."""
        watch: Watch[bool] = Watch(client, resource_path("v1", "pods"), _gate_is_open)
        async for event in watch.events():
            if isinstance(event, Changed) and event.object:
                self.opened.setdefault(event.key.name, time.perf_counter())


def _gate_is_open(raw: Raw) -> bool:
    conditions = (raw.get("status") or {}).get("conditions") or ()
    return any(c["type"] == GATE and c["status"] == "True" for c in conditions)


async def wave(world: World, gates: Gates, rollouts: int) -> dict[str, tuple[float, float]]:
    """Have every application roll: two new pods, one drain.

    Returns:
        When the first new pod of each became ready, and when the drain of its old pod ended.
    """
    asked: dict[str, tuple[float, float]] = {}

    async def roll(app: str) -> None:
        await world.release(app, "new", 2)
        await world.pod(app, "new", f"{app}-new-0", gate=False)
        first = time.perf_counter()
        await until(lambda: seen(f"{app}-new-0"), "the first gate to open", 120)
        # The kubelet says Ready, and the Deployment deletes an old pod.
        await world.status(f"{app}-new-0", {}, gate=True)
        await world.pod(app, "new", f"{app}-new-1", gate=False)
        old = f"{app}-old-0"
        gone = await world.client.delete(
            resource_path("v1", "pods", namespace=space_of(old), name=old),
            {"kind": "DeleteOptions"},
        )
        world.pods.stopping[gone["metadata"]["uid"]] = time.monotonic()
        asked[app] = first, time.perf_counter() + DRAIN
        await until(lambda: seen(f"{app}-new-1"), "the second gate to open", 120)

    async def seen(pod: str) -> bool:
        return pod in gates.opened

    async def later(number: int) -> None:
        await asyncio.sleep(number / PACE)
        await roll(f"app-{number}")

    await asyncio.gather(*(later(number) for number in range(rollouts)))
    return asked
