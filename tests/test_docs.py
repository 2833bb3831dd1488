"""What the documents tell people to write is accepted."""

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from lossless.model.close_drivers import KINDS as DRIVERS
from lossless.model.counters import KINDS as COUNTERS
from lossless.model.names import PRIVATE_VOLUME, SHARED_VOLUME
from lossless.model.policy import parse_spec

ROOT: Final = Path(__file__).parent.parent
BLOCK: Final = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
TARGET: Final = {"targetRef": {"kind": "Deployment", "name": "web"}}


def _examples() -> list[tuple[str, str]]:
    """Return every example of close drivers and counters, with the document it stands in."""
    return [
        (path.name, block)
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for block in BLOCK.findall(path.read_text())
        if re.search(r"^ *(close|metrics):", block, re.MULTILINE) and "kind:" not in block
    ]


@pytest.mark.parametrize(
    ("document", "example"),
    [pytest.param(*one, id=f"{one[0]}-{number}") for number, one in enumerate(_examples())],
)
def test_examples_are_accepted(document: str, example: str) -> None:
    """As they stand there, and they ask for something."""
    spec = parse_spec(TARGET | yaml.safe_load(example))

    assert spec.close or spec.metrics, document


def test_volumes_that_may_go_with_their_node_are_named() -> None:
    """An autoscaler is told of all that the webhook adds, by their names."""
    page = (ROOT / "docs" / "limits.md").read_text()

    assert f'safe-to-evict-local-volumes: "{SHARED_VOLUME},{PRIVATE_VOLUME}"' in page


def test_every_driver_and_counter_has_an_example() -> None:
    """Nobody should have to guess."""
    together = "".join(example for _, example in _examples())

    assert [kind for kind in (*DRIVERS, *COUNTERS) if f"{kind}:" not in together] == []
