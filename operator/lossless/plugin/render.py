"""``render -f FILE``: what would be injected into the pods of the workloads in a file."""

from collections.abc import Sequence
from typing import Any, Final

from lossless.checks.setup import named, qualified
from lossless.injection.agent_settings import AgentSettings
from lossless.injection.problem_text import warning_text
from lossless.model.fields import InvalidSpec
from lossless.model.names import KIND
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.injected import difference, rendered
from lossless.plugin.manifests import read
from lossless.plugin.terminal import Terminal

#: Which image the agent has is said by the installation, not by a user's manifest.
UNKNOWN_IMAGE: Final = "AGENT-IMAGE-OF-THE-INSTALLATION"


def render(
    files: Sequence[str], terminal: Terminal, output: str, image: str, *, gate: bool
) -> Exit:
    """Show the difference that injection makes, or the pod templates after it.

    Args:
        files: manifests with workloads and their LosslessRollouts.
        terminal: where to write.
        output: empty for a diff; ``json`` or ``yaml`` for the injected templates.
        image: of the agent.
        gate: whether a controller is taken to be alive, so that pods get the readiness gate.

    Raises:
        RefusedError: a file cannot be read, holds no workload, or an invalid LosslessRollout.
    """
    objects = read(files)
    workloads = [raw for raw in objects if "template" in (raw.get("spec") or {})]
    if not workloads:
        raise RefusedError(
            f"-f {' -f '.join(files)}: holds no Deployment or other object with a pod"
            " template; name the file with it"
        )
    documents = []
    for workload in workloads:
        name, spec = _spec(workload, objects, terminal)
        seen = rendered(
            workload["spec"]["template"], name, spec, AgentSettings(image=image), gate=gate
        )
        for problem in seen.problems:
            terminal.note(f"{named(workload)}: {warning_text(problem)}")
        documents.append({"workload": named(workload), "template": seen.after})
        if not output:
            terminal.say(difference(named(workload), seen, terminal.paint))
    if output:
        terminal.document(output, {"items": documents})
    return Exit.OK


def _spec(
    workload: dict[str, Any], objects: Sequence[dict[str, Any]], terminal: Terminal
) -> tuple[str, RolloutSpec]:
    """Return name and spec of the LosslessRollout for a workload; defaults if there is none."""
    name = (workload.get("metadata") or {}).get("name", "")
    for raw in objects:
        target = (raw.get("spec") or {}).get("targetRef") or {}
        wanted = (target.get("kind"), target.get("name")) == (workload["kind"], name)
        if raw["kind"] != KIND or not wanted:
            continue
        try:
            return (raw.get("metadata") or {}).get("name", ""), parse_spec(raw["spec"])
        except InvalidSpec as invalid:
            raise RefusedError(f"{KIND} {qualified(raw)}: {invalid}") from invalid
    terminal.note(f"{named(workload)}: no {KIND} for it in these files; shown with defaults")
    try:
        return name, parse_spec({"targetRef": {"kind": workload["kind"], "name": name}})
    except InvalidSpec as invalid:
        raise RefusedError(f"{named(workload)}: {invalid}") from invalid
