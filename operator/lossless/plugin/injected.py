"""What the webhook would make of a pod template, and the difference as text. Pure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.inject import inject
from lossless.injection.problem import Problem
from lossless.model.policy import RolloutSpec
from lossless.plugin.paint import Paint


@dataclass(frozen=True, slots=True)
class Rendered:
    """A pod template before and after."""

    before: dict[str, Any]
    after: dict[str, Any]
    problems: tuple[Problem, ...]


def as_written(template: Mapping[str, Any]) -> Rendered:
    """Return the template as it stands, before and after."""
    pod = _pod(template)
    return Rendered(pod, deepcopy(pod), ())


def rendered(
    template: Mapping[str, Any],
    rollout: str,
    spec: RolloutSpec,
    settings: AgentSettings,
    *,
    gate: bool,
) -> Rendered:
    """Return the template as it stands, and the pod that would come of it."""
    before = _pod(template)
    injection = inject(deepcopy(before), rollout, spec, settings, gate=gate)
    return Rendered(before, patched(before, injection.operations), injection.problems)


def _pod(template: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": template.get("metadata") or {}, "spec": template.get("spec") or {}}


def patched(document: Mapping[str, Any], operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``document`` with the operations of a JSON Patch (RFC 6902) that injection uses."""
    result: Any = deepcopy(dict(document))
    for operation in operations:
        *parents, last = (
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        )
        place = result
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if operation["op"] == "remove":
            del place[int(last) if isinstance(place, list) else last]
        elif isinstance(place, list) and operation["op"] == "add":
            place.insert(int(last), deepcopy(operation["value"]))
        else:
            place[int(last) if isinstance(place, list) else last] = deepcopy(operation["value"])
    found: dict[str, Any] = result
    return found


def difference(name: str, seen: Rendered, paint: Paint) -> list[str]:
    """Return a unified diff of the template's YAML; empty if nothing would change."""
    before, after = (_yaml(document) for document in (seen.before, seen.after))
    lines = difflib.unified_diff(
        before, after, f"{name} as written", f"{name} as it would start", lineterm=""
    )
    return [_painted(line, paint) for line in lines]


def _yaml(document: Mapping[str, Any]) -> Sequence[str]:
    text: str = yaml.safe_dump(
        dict(document), sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False
    )
    return text.splitlines()


def _painted(line: str, paint: Paint) -> str:
    if line.startswith(("---", "+++")):
        return paint.bold(line)
    match line[:1]:
        case "+":
            return paint.green(line)
        case "-":
            return paint.red(line)
        case "@":
            return paint.blue(line)
        case _:
            return line
