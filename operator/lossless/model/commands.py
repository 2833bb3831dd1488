"""The commands that messages tell people to run, exactly as they are to be typed."""

from lossless.model.names import RESUME_ANNOTATION, SHORT_NAME
from lossless.model.targets import Kind, Target


def resume(namespace: str, name: str) -> str:
    """Return what resumes a rollout that a timed-out drain has paused."""
    return (
        f"kubectl annotate {SHORT_NAME} {name} -n {namespace}"
        f' {RESUME_ANNOTATION}="$(date +%s)" --overwrite'
    )


def unpause(namespace: str, name: str) -> str:
    """Return what takes ``spec.paused`` back."""
    return (
        f"kubectl patch {SHORT_NAME} {name} -n {namespace} --type merge"
        ' -p \'{"spec":{"paused":false}}\''
    )


def follow(namespace: str, name: str) -> str:
    """Return what shows a rollout while it goes on, by the plugin."""
    return f"kubectl lossless status {name} -n {namespace} --watch"


def describe(namespace: str, name: str) -> str:
    """Return what shows everything that is known."""
    return f"kubectl describe {SHORT_NAME} {name} -n {namespace}"


def roll(namespace: str, target: Target) -> str:
    """Return what replaces all pods, so that the webhook can inject them."""
    if target.kind is Kind.POD:
        return "restart them by the controller that made them"
    return f"kubectl rollout restart {target.kind.lower()} {target.name} -n {namespace}"


def hold(namespace: str, target: Target) -> str:
    """Return what holds a workload that no gate of ours can hold."""
    if target.kind is Kind.POD:
        return "hold them by the controller that made them"
    strategy = (
        '{"rollingUpdate":{"partition":999}}'
        if target.kind is Kind.STATEFUL_SET
        else '{"type":"OnDelete"}'
    )
    return (
        f"kubectl patch {target.kind.lower()} {target.name} -n {namespace} --type merge"
        f' -p \'{{"spec":{{"updateStrategy":{strategy}}}}}\''
    )
