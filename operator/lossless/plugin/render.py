"""``render -f FILE``: what would be injected into the pods of the workloads in a file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lossless.checks.known_objects import carried_label, is_a, is_workload, template_of
from lossless.checks.setup import Raw, named, qualified
from lossless.injection.agent_settings import AgentSettings
from lossless.injection.problem_text import warning_text
from lossless.model.fields import InvalidSpec
from lossless.model.names import KIND
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.model.spec_fields import unknown_fields
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.injected import Rendered, as_written, difference, rendered
from lossless.plugin.manifests import read
from lossless.plugin.surroundings import rollout_of
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
        gate: whether a controller is taken to be alive, so that pods of a Deployment get the
            readiness gate.

    Raises:
        RefusedError: a file cannot be read, holds no workload, or an invalid LosslessRollout.
    """
    objects = read(files)
    workloads = [raw for raw in objects if is_workload(raw) or carried_label(raw)]
    if not workloads:
        raise RefusedError(
            f"-f {' -f '.join(files)}: holds no Deployment or other object with a pod"
            " template that a LosslessRollout may be for; name the file with it"
        )
    passed_over = [raw for raw in objects if raw not in workloads and not is_a(raw, KIND)]
    if passed_over:
        terminal.note(f"passed over, as no LosslessRollout is for them: {_counted(passed_over)}")
    documents = []
    for workload in workloads:
        rollout = rollout_of(workload, objects)
        try:
            seen = _seen(workload, rollout, terminal, AgentSettings(image=image), gate=gate)
        except InvalidSpec as invalid:
            raise RefusedError(
                f"-f {' -f '.join(files)}: {KIND} {qualified(rollout or {})}: {invalid}"
            ) from invalid
        for problem in seen.problems:
            terminal.note(f"{named(workload)}: {warning_text(problem)}")
        documents.append(
            {
                "workload": named(workload),
                "injected": seen.before != seen.after,
                "template": seen.after,
            }
        )
        if not output:
            terminal.say(difference(named(workload), seen, terminal.paint))
    if output:
        terminal.document(output, {"items": documents})
    return Exit.OK


def _seen(
    workload: Raw,
    rollout: Raw | None,
    terminal: Terminal,
    settings: AgentSettings,
    *,
    gate: bool,
) -> Rendered:
    """Return what becomes of a workload's template: nothing, if no LosslessRollout is for it.

    Raises:
        InvalidSpec: the LosslessRollout cannot be acted on.
    """
    template = template_of(workload)
    if rollout is None:
        terminal.note(
            f"{named(workload)}: no {KIND} for it in these files, so its pods start as written;"
            f" name the file with its {KIND}, if there is one"
        )
        return as_written(template)
    spec = _spec(rollout, terminal)
    name = (rollout.get("metadata") or {}).get("name", "")
    return rendered(template, name, spec, settings, gate=gate and spec.target.kind.gated)


def _spec(rollout: Raw, terminal: Terminal) -> RolloutSpec:
    for unknown in unknown_fields(rollout):
        meant = f"; {unknown.nearest} may be meant" if unknown.nearest else ""
        terminal.note(f"{named(rollout)}: {unknown.field} is no field, and does nothing{meant}")
    return parse_spec(rollout["spec"])


def _counted(objects: Sequence[dict[str, Any]]) -> str:
    def told() -> Iterator[str]:
        for kind, number in sorted(Counter(str(raw["kind"]) for raw in objects).items()):
            yield kind if number == 1 else f"{kind} ({number})"

    return ", ".join(told())
