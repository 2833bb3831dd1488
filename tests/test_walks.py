"""The walks of ARCHITECTURE.md lead through the code as it is."""

import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
STEP = re.compile(r"^\d+\. `operator/(lossless/\S+)\.py` ", re.MULTILINE)


def walks() -> dict[str, list[str]]:
    """Return the modules of each walk, in their order, by its heading."""
    section = PAGE.partition("\n## Three walks\n")[2].partition("\n## ")[0]
    parts = section.split("\n### ")[1:]
    return {
        part.partition("\n")[0]: [path.replace("/", ".") for path in STEP.findall(part)]
        for part in parts
    }


def test_there_are_three() -> None:
    """Each numbered line is one of their steps."""
    found = walks()

    assert [*found] == ["A pod at admission", "A drain", "A gate"]
    assert sum(map(len, found.values())) == len(re.findall(r"^\d+\. `", PAGE, re.MULTILINE))


@pytest.mark.parametrize("walk", [*walks()])
def test_each_step_follows_from_one_before_it(walk: str) -> None:
    """A module that nobody before it imports, even through others, is no step of this walk."""
    graph = grimp.build_graph("lossless", cache_dir=None)
    steps = walks()[walk]

    assert [step for step in steps if step not in graph.modules] == []
    strays = [
        step
        for number, step in enumerate(steps)
        if number and not any(graph.chain_exists(before, step) for before in steps[:number])
    ]
    assert strays == []
