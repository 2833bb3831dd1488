"""Who says what: the programs, their modules, and the calls in which a message is made."""

from collections.abc import Mapping
from typing import Final

#: What is warned of at the admission of a pod or a LosslessRollout.
_REVIEWS: Final = (
    "webhook/advice.py",
    "webhook/inject.py",
    "webhook/obstacles.py",
    "webhook/plan.py",
    "webhook/hooks.py",
    "webhook/containers.py",
    "webhook/file_hold.py",
    "webhook/nginx_reload.py",
    "webhook/shared_paths.py",
    "webhook/volumes.py",
)
#: What becomes a condition, an Event, or a pod's line in status.
_STATUS: Final = (
    "model/summary.py",
    "model/pod_list.py",
    "model/announcements.py",
    "model/breaker.py",
    "model/troubles.py",
    "model/drains.py",
    "model/pacing.py",
    "model/drain_rule.py",
    "model/evidence.py",
    "model/release_rule.py",
)
#: Who says it, and the modules below ``lossless`` in which it is said. The first match counts.
SPEAKERS: Final = (
    (
        "The API server, the webhook: warnings and refusals",
        (
            "Warnings of `kubectl` begin with `lossless:`; a field that cannot be acted on is also"
            " in the condition Ready. What the rules of the CRD refuse is in the"
            " [reference of LosslessRollout](losslessrollout.md#spec)."
        ),
        (
            "model/fields.py",
            "model/policy.py",
            "model/strategy.py",
            "model/targets.py",
            "model/close_drivers.py",
            "model/counters.py",
            "model/status_flag.py",
            "model/hooks.py",
            "model/durations.py",
            *_REVIEWS,
            "webhook/review.py",
            "webhook/rollout_review.py",
            "webhook/patching.py",
            "webhook/agent_container.py",
        ),
    ),
    (
        "Status and Events",
        (
            "Conditions of a LosslessRollout, `status.pods[].reason`, Events, and the condition of"
            " a held pod's gate."
        ),
        (
            *_STATUS,
            "cluster/objects.py",
            "cluster/reports.py",
            "controller/reconciler.py",
        ),
    ),
    ("kubectl lossless", "The last line on standard error, or a finding.", ("plugin/",)),
    ("lossless host", "The last line on standard error, or of a step.", ("host/",)),
    ("lossless nginx-check", "", ("nginx/",)),
    (
        "The agent",
        "In its log, its report (`kubectl lossless explain`), and from there in status and Events.",
        ("agent/", "model/agent_config.py", "model/report.py"),
    ),
    (
        "The programs in the cluster",
        (
            "Controller, webhook, `lossless release` and `lossless selftest`: their log, or the"
            " last line on standard error."
        ),
        ("controller/", "webhook/", "cluster/", "model/scope.py", "__main__.py"),
    ),
)

#: What speaks to people, and where in its call the text is: a place or a name. Its remedy, if it
#: is apart, comes last.
KINDS: Final[Mapping[str, tuple[int | str, ...]]] = {
    "InvalidSpec": (0, 1, 2),
    "Trouble": (0, 1, 2),
    "found": ("what", "why", "remedy"),
    "RefusedError": (0,),
    "UsageError": (0,),
    "ConfigurationError": (0,),
    "UnreadableError": (0,),
    "SyntaxProblem": (1,),
    "CommandFailed": (0,),
    "NotInTime": (0,),
    "RemoteFailed": (0,),
    "Locked": (0,),
    "SelftestError": (0,),
    "ValueError": (0,),
    "AskError": (0,),
    "Unknown": (0,),
    "MalformedReviewError": (0,),
    "UnreachableError": (0,),
    "SilentError": (0,),
    "BrokenStreamError": (0,),
    "Condition": (3,),
    "Announcement": (1,),
    "Problem": (1,),
}
#: Kinds whose remedy is a part of its own.
APART: Final = frozenset({"InvalidSpec", "Trouble", "found"})
#: Kinds that end a command of a person, who must be told in the text what to do.
ENDING: Final = frozenset(
    {
        "RefusedError",
        "UsageError",
        "ConfigurationError",
        "UnreadableError",
        "CommandFailed",
        "NotInTime",
        "RemoteFailed",
        "Locked",
        "SelftestError",
    }
)
#: Modules whose ValueErrors are about what somebody has written, and end a program.
SETTINGS: Final = frozenset(
    {
        "controller/options.py",
        "webhook/options.py",
        "webhook/certificate.py",
        "webhook/tls_secret.py",
        "model/scope.py",
        "model/durations.py",
        "host/config.py",
        "host/flags.py",
        "nginx/snippet.py",
    }
)

#: Modules whose other sentences are messages too, not the words of a page or of --help.
TOLD: Final = (
    *_REVIEWS,
    *_STATUS,
    "plugin/failures.py",
    "host/standing.py",
    "host/checkup.py",
    "host/ssh.py",
    "host/publisher.py",
    "cluster/selftest.py",
)


def speaker_of(module: str) -> str:
    """Return who speaks in ``module``, or nothing if nobody does to people."""
    for title, _, places in SPEAKERS:
        if any(
            module == place or (place[-1] == "/" and module.startswith(place)) for place in places
        ):
            return title
    return ""
