"""The commands that messages tell people to run, exactly as they are to be typed."""

from lossless.model.names import RESUME_ANNOTATION, SHORT_NAME


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


def describe(namespace: str, name: str) -> str:
    """Return what shows everything that is known."""
    return f"kubectl describe {SHORT_NAME} {name} -n {namespace}"


def roll(namespace: str, workload: str) -> str:
    """Return what replaces all pods, so that the webhook can inject them."""
    return f"kubectl rollout restart deployment {workload} -n {namespace}"
