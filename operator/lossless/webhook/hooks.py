"""Which preStop hooks become holds, and which are left as they are.

A container has one preStop hook. Without one it gets the hold: an HTTP request of the kubelet to
the agent, answered when the pod may stop. One that is there already:

* a ``sleep`` that ends no later than the shortest possible drain (propagation + quiet) only waits,
  and the hold waits longer: it is replaced;
* a longer ``sleep``, an ``httpGet`` and an ``exec`` are kept, since the agent can neither lengthen
  its own drain for one container nor do another container's work. The container then stops when
  its own hook ends and is reported as unprotected.
"""

from collections.abc import Mapping
from typing import Any, Final

from lossless.model.durations import format_duration
from lossless.model.names import AGENT_PORT, HOLD_PATH
from lossless.model.policy import DrainPolicy

#: Answered by the agent when the pod may stop. The API server would default the scheme.
HOLD: Final[Mapping[str, Any]] = {
    "httpGet": {"path": HOLD_PATH, "port": AGENT_PORT, "scheme": "HTTP"}
}


def is_hold(hook: Mapping[str, Any]) -> bool:
    """Return whether this preStop is a hold of ours, whatever defaults were added to it."""
    request = hook.get("httpGet") or {}
    return request.get("path") == HOLD_PATH and request.get("port") == AGENT_PORT


def reason_to_keep(container: Mapping[str, Any], policy: DrainPolicy) -> str:
    """Return why the container keeps its own preStop; empty if it gets, or has, the hold."""
    hook = (container.get("lifecycle") or {}).get("preStop")
    if hook is None or is_hold(hook):
        return ""
    if "sleep" in hook:
        seconds = (hook["sleep"] or {}).get("seconds") or 0
        least = policy.propagation + policy.quiet
        if seconds <= least:
            return ""
        return (
            f"its preStop sleeps {format_duration(seconds)}, longer than propagation + quiet"
            f" = {format_duration(least)}; remove it or raise spec.drain.propagation"
        )
    kind = next(iter(sorted(hook)), "hook")
    return f"it keeps its own preStop {kind}; remove it to have the container held"
