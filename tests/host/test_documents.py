"""What the page about hosts tells people to write is accepted."""

import re
from pathlib import Path
from typing import Final

import pytest

from lossless.host.config import parse_config
from lossless.host.exits import Exit
from lossless.host.plan import TITLES, Step
from lossless.host.work import describe

PAGE: Final = (Path(__file__).parents[2] / "docs" / "host-mode.md").read_text()
EXAMPLES: Final = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_are_accepted(example: str) -> None:
    """As they stand there; and every step can be explained."""
    config = parse_config(example)

    for step in Step:
        assert describe(config, step)


def test_every_step_and_exit_code_is_explained() -> None:
    """In the order of the table; nobody should have to read the code."""
    rows = re.findall(r"^\| \d+\. ([^|]+) \|", PAGE, re.MULTILINE)

    assert len(rows) == len(Step)
    for row, step in zip(rows, Step, strict=True):
        assert row.split()[0] == TITLES[step].split()[0], step
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert codes == {int(code) for code in Exit}
    assert len(EXAMPLES) == 2
