"""The worlds of one story."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path

from e2e.support.collect import collect
from e2e.support.install import Images
from e2e.support.leftovers import WORLDS
from e2e.support.seconds import Step, spent_on
from e2e.support.testbed import Testbed
from e2e.support.turns import Turns
from e2e.support.world import World, make_world, remove


@dataclass(frozen=True, slots=True)
class MakeWorld:
    """Makes worlds, in namespaces with names to recognize them by, and removes them."""

    testbed: Testbed
    images: Images
    turns: Turns
    """Of the run."""
    folder: Path
    """For the logs of their pods."""
    made: list[World] = field(default_factory=list)

    def __call__(self, name: str) -> World:
        """Return a new world."""
        namespace = f"{WORLDS}{name}-{uuid.uuid4().hex[:5]}"
        world = make_world(self.testbed, self.images, namespace, self.folder / name)
        self.made.append(world)
        return world

    @spent_on(Step.REMOVAL)
    def remove_all(self, *, failed: bool) -> None:
        """Remove them; of a story that has failed, keep logs and objects."""
        for world in self.made:
            if failed:
                collect(world)
            remove(world)
