"""``python -m tools.api_reference``: writes docs/reference/losslessrollout.md out of the CRD."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parent.parent
CRD: Final = ROOT / "crds" / "losslessrollouts.yaml"
PAGE: Final = ROOT / "docs" / "reference" / "losslessrollout.md"

Schema = Mapping[str, Any]

_HEAD: Final = """\
# LosslessRollout

<!-- Made by python -m tools.api_reference out of crds/losslessrollouts.yaml. -->

`{group}/{version}`, kind `{kind}`, short name `{short}`, {scope}.
`kubectl explain {short}.spec` says the same in a terminal.

{description}

## What `kubectl get {short}` shows

| column | |
|---|---|
{columns}

Columns in *italics* are shown with `-o wide`.
"""


def render(crd: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        crd: a CustomResourceDefinition of one version.
    """
    (version,) = crd["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    names = crd["spec"]["names"]
    parts = [
        _HEAD.format(
            group=crd["spec"]["group"],
            version=version["name"],
            kind=names["kind"],
            short=names["shortNames"][0],
            scope=crd["spec"]["scope"].lower(),
            description=schema["description"],
            columns="\n".join(map(_column, version["additionalPrinterColumns"])),
        )
    ]
    for part in ("spec", "status"):
        below = schema["properties"][part]
        rows = "\n".join(_rows(part, below))
        parts.append(
            f"## {part}\n\n{below['description']}\n\n"
            f"| field | type | default | |\n|---|---|---|---|\n{rows}\n"
        )
        rules = list(dict.fromkeys(_rules(part, below)))
        if rules:
            parts.append("What the API server refuses:\n\n" + "\n".join(rules) + "\n")
    return "\n".join(parts)


def _column(column: Mapping[str, Any]) -> str:
    name = f"*{column['name']}*" if column.get("priority") else column["name"]
    return f"| {name} | {column.get('description', '')} |"


def _rows(path: str, schema: Schema) -> Iterator[str]:
    required = frozenset(schema.get("required", ()))
    for name, below in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        default = "required" if name in required else _default(below)
        what = " ".join(str(below.get("description", "")).split()).replace("|", "\\|")
        yield f"| `{here}` | {_type(below)} | {default} | {what} |"
        yield from _rows(here, below)
        if "items" in below:
            yield from _rows(f"{here}[]", below["items"])
        if isinstance(below.get("additionalProperties"), dict):
            yield from _rows(f"{here}.*", below["additionalProperties"])


def _type(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        kind = "integer or string"
    elif "enum" in schema:
        kind = " \\| ".join(f"`{value}`" for value in schema["enum"])
    else:
        kind = str(schema.get("type", "any"))
        kind = f"{schema['items'].get('type', 'any')} list" if kind == "array" else kind
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxItems", "at most"),
            ("format", "format"),
        )
        if key in schema
    ]
    return ", ".join([kind, *bounds])


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    value = schema["default"]
    if isinstance(value, dict | list):
        return "" if not value else f"`{yaml.safe_dump(value, default_flow_style=True).strip()}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _rules(path: str, schema: Schema) -> Iterator[str]:
    """Yield the messages of the CEL rules, each with the field that it speaks of."""
    for rule in schema.get("x-kubernetes-validations", ()):
        field = path + str(rule.get("fieldPath", ""))
        message = " ".join(str(rule["message"]).split())
        yield f"- `{field}`: {textwrap.shorten(message, 400)}"
    for name, below in schema.get("properties", {}).items():
        yield from _rules(f"{path}.{name}", below)
    if "items" in schema:
        yield from _rules(f"{path}[]", schema["items"])


if __name__ == "__main__":
    PAGE.write_text(render(yaml.safe_load(CRD.read_text())))
