"""The cluster of a run whose stories are told by several processes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.cluster.progress import Progress
from e2e.support.install import Images, build_images, install_chart
from e2e.support.leftovers import no_pod_is_left
from e2e.support.testbed import Testbed, Unavailable, the_cluster
from e2e.support.turns import Turns


@dataclass(frozen=True, slots=True)
class Shared:
    """A cluster with the product installed, or why there is none."""

    turns: Turns
    testbed: Testbed | None = None
    images: Images | None = None
    unavailable: str = ""

    def text(self) -> str:
        """Return it for another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str) -> "Shared":
        """Return what ``text`` has made a text of."""
        raw = json.loads(text)
        testbed, images = raw["testbed"], raw["images"]
        return cls(
            turns=Turns(Path(raw["turns"]["folder"])),
            testbed=testbed and Testbed(**{name: Path(path) for name, path in testbed.items()}),
            images=images and Images(**images),
            unavailable=raw["unavailable"],
        )


@contextmanager
def shared() -> Iterator[Shared]:
    """Bring the cluster up, install the product, and insist at the end that no pod is left.

    Raises:
        NeverHappened: a pod of a story does not go.
        InstallFailed: the product is not ready in time.
    """
    with TemporaryDirectory(prefix="lossless-turns-") as folder:
        turns = Turns(Path(folder))
        try:
            with the_cluster(Progress(sys.stderr)) as testbed:
                images = build_images(testbed)
                install_chart(testbed, images)
                yield Shared(turns, testbed, images)
                no_pod_is_left(testbed.kubectl, "the last pod of the stories to be gone")
        except Unavailable as reason:
            yield Shared(turns, unavailable=str(reason))
