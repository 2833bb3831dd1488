"""What must hold, and what to show when it does not."""

import json
from collections.abc import Callable
from typing import Final

from e2e.load.report import LoadReport
from e2e.support.eventually import eventually
from e2e.support.kubectl import KubectlFailed, Object
from e2e.support.timeline import cause_of
from e2e.support.world import World, name_of
from lossless.model.conditions import ConditionType
from lossless.model.names import GROUP, PLURAL

_SHOWN: Final = 25


def nothing_was_lost(world: World, report: LoadReport, *, at_least: int = 1000) -> None:
    """Every request was answered, and there were enough of them to mean something."""
    world.counted.append(report)
    assert report.failed == 0, account(world, report)
    assert report.requests >= at_least, f"only {report.requests} requests: proves nothing"


def something_was_lost(world: World, report: LoadReport) -> None:
    """The control: without the product the same act loses requests, so this load can tell."""
    world.counted.append(report)
    assert report.failed > 0, (
        f"the control lost none of {report.requests} requests, so the load cannot tell:\n"
        f"{account(world, report)}"
    )


def condition_is(
    world: World, kind: ConditionType, status: str, *, reason: str = "", within: float = 60
) -> Object:
    """Wait until a condition of the LosslessRollout has this status (and reason); return it."""

    def look() -> Object:
        rows = world.rollout().get("status", {}).get("conditions", [])
        return next((row for row in rows if row["type"] == kind), {})

    return eventually(
        look,
        lambda row: row.get("status") == status and reason in ("", row.get("reason")),
        what=f"condition {kind}={status} {reason}".rstrip(),
        within=within,
    )


def status_shows(
    world: World, what: str, holds: Callable[[Object], object], *, within: float = 60
) -> Object:
    """Wait until the LosslessRollout's status satisfies ``holds``; return it."""
    return eventually(
        lambda: world.rollout().get("status", {}), holds, what=f"status: {what}", within=within
    )


def one_drains_and_one_is_held(world: World) -> Object:
    """Wait for the middle of a rollout: one drains, the next waits for its end; return status."""
    return status_shows(
        world,
        "one pod drains and one is held",
        lambda s: (s.get("draining"), s.get("held")) == (1, 1),
    )


def the_rollout_drained(world: World, *, pods: int) -> Object:
    """Wait for the end of the rollout, insist that all its pods drained, and return its record."""
    last: Object = status_shows(
        world, "the rollout has ended", lambda s: s.get("lastRollout", {}).get("finished")
    )["lastRollout"]
    results = (last["drained"], last.get("timedOut", 0), last.get("lost", 0))
    assert results == (pods, 0, 0), last
    return last


def the_log_says(
    world: World, pod: Object, what: str, *, times: int = 1, within: float = 60
) -> list[str]:
    """Wait until a pod has logged ``what`` so many times, no more; return the lines.

    The pod may be gone by then: its log was followed from its beginning.
    """
    file = world.logs / f"{name_of(pod)}.log"

    def lines() -> list[str]:
        return [line for line in file.read_text().splitlines() if what in line]

    return eventually(
        lines,
        lambda found: len(found) == times,
        what=f"{what!r} {times} times in {file}",
        within=within,
    )


def account(world: World, report: LoadReport) -> str:
    """Return all that is needed to find out which step lost a request, and why."""
    steps = world.timeline.steps
    start = report.started
    parts = [f"{report.failed} of {report.requests} requests failed: {dict(report.kinds)}"]
    for failure in report.failures[:_SHOWN]:
        idle = f", idle {failure.idle * 1000:.0f} ms" if failure.connection == "reused" else ""
        parts.append(
            f"  {failure.at - start:8.3f}  {failure.kind:<12} {failure.connection}{idle}"
            f" after {failure.served} requests, waited {failure.waited * 1000:.0f} ms,"
            f" last answer by {failure.pod or 'nobody'}, from {failure.local or 'nowhere'}"
            f" ({failure.detail})\n            {cause_of(failure, steps)}"
        )
    if report.failed > _SHOWN:
        parts.append(f"  … and {report.failed - _SHOWN} more")
    parts.append("What happened (seconds since the load began):")
    parts += [f"  {step.at - start:8.3f}  {step}" for step in steps]
    parts.append("Who answered:")
    parts += [
        f"  {pod} {seen.version}: {seen.count} requests,"
        f" {seen.first - start:.3f} to {seen.last - start:.3f}"
        for pod, seen in report.pods.items()
    ]
    parts.append(evidence(world))
    return "\n".join(parts)


def evidence(world: World) -> str:
    """Return the status of the LosslessRollout, with the agents' reports, and all Events."""
    parts = []
    try:
        rollouts = world.kubectl.list(f"{PLURAL}.{GROUP}")
        parts += [f"status: {json.dumps(thing.get('status', {}), indent=1)}" for thing in rollouts]
    except KubectlFailed as error:
        parts.append(f"status: {error}")
    events = world.kubectl("get", "events", "--sort-by=.lastTimestamp")
    parts += ["Events:", events, f"Logs of the pods: {world.logs}"]
    return "\n".join(parts)
