"""``python -m tools.chart_values``: puts the table of values into docs/chart.md.

``# -- text`` above a value is its description and goes on over the comment lines after it, as in
helm-docs. helm-docs itself is a Go program that is not packaged; ruamel would be a dependency for
forty lines. A value without such a comment takes that of its nearest parent, or shows none.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parent.parent
VALUES: Final = ROOT / "charts" / "lossless" / "values.yaml"
PAGE: Final = ROOT / "docs" / "chart.md"
#: Kubernetes' own structures: their fields are not values of this chart.
WHOLE: Final = {"controller.resources", "webhook.resources", "agent.prePull.resources"}
BEGIN: Final = "<!-- values: written by python -m tools.chart_values -->\n"
END: Final = "<!-- end of values -->\n"


def described(text: str) -> dict[str, str]:
    """Return the description of every value that has one, by its path with dots."""
    root = yaml.compose(text)
    lines = text.splitlines()
    return {path: said for path, line in _places(root, "") if (said := _comment(lines, line))}


def _places(node: yaml.Node | None, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield the path and the line of each key of block mappings."""
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return
    for key, value in node.value:
        yield f"{prefix}{key.value}", key.start_mark.line
        yield from _places(value, f"{prefix}{key.value}.")


def _comment(lines: list[str], line: int) -> str:
    block: list[str] = []
    while line and (found := re.fullmatch(r"\s*# ?(.*)", lines[line - 1])):
        line -= 1
        block.insert(0, found[1])
        if found[1].startswith("-- "):
            return " ".join(block).removeprefix("-- ")
    return ""


def leaves(values: dict[str, Any], text: str) -> Iterator[tuple[str, Any]]:
    """Yield the path and the default of each value that one would set."""
    blocks = {path.rpartition(".")[0] for path, _ in _places(yaml.compose(text), "")}

    def below(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            path = f"{prefix}{key}"
            if path in blocks and path not in WHOLE:
                yield from below(value, f"{path}.")
            else:
                yield path, value

    return below(values, "")


def table(text: str) -> str:
    """Return the table of all values, in the order of the file."""
    said = described(text)
    rows = ["| Value | Default | |", "|---|---|---|"]
    for path, default in leaves(yaml.safe_load(text), text):
        what = said.get(path) or said.get(_twin(path), "")
        rows.append(f"| `{path}` | `{json.dumps(default)}` | {what.replace('|', '&#124;')} |")
    return "\n".join(rows) + "\n"


def _twin(path: str) -> str:
    """Return the same value of the controller, where it is described for both."""
    return re.sub(r"^webhook\.", "controller.", path)


def written(page: str, text: str) -> str:
    """Return the page with the table of these values in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(text)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(), VALUES.read_text()))
