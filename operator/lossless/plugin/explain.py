"""``explain POD``: why a pod is not drained."""

import time

from lossless.cluster.client import Raw, resource_path
from lossless.cluster.errors import ApiError, ForbiddenError, NotFoundError
from lossless.cluster.objects import pod_of, rollout_of
from lossless.model.names import AGENT_PORT, API_VERSION, PLURAL, REPORT_PATH
from lossless.model.rollout.observation import Pod
from lossless.plugin.evidence import Case, Statement, from_agent, from_cluster
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.explanation import document, explanation
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def explain(session: Session, terminal: Terminal, named: str, output: str) -> Exit:
    """Show what is known of a pod, and who says so.

    Raises:
        RefusedError: there is no such pod.
        ApiError: refused or unanswered.
    """
    name = named.rpartition("/")[2]
    path = resource_path("v1", "pods", namespace=session.namespace, name=name)
    try:
        raw = await session.client.get(path)
    except NotFoundError as error:
        raise RefusedError(
            f"there is no pod {session.namespace}/{name}. The results of pods that are gone stay"
            " in status for an hour: kubectl lossless status -o wide"
        ) from error
    pod = pod_of(raw)
    rollout = await _rollout(session, pod)
    parsed = rollout_of(rollout) if rollout else None
    statement, failed = await _ask(session, pod)
    case = Case(
        namespace=session.namespace,
        pod=pod,
        rollout=parsed,
        statement=statement or from_cluster(raw, rollout, parsed),
        failed=failed,
    )
    now = time.time()
    if output in {"json", "yaml"}:
        terminal.document(output, document(case, now))
    else:
        terminal.say(explanation(case, now, terminal.width, terminal.paint))
    return Exit.OK


async def _rollout(session: Session, pod: Pod) -> Raw | None:
    if not pod.rollout:
        return None
    path = resource_path(API_VERSION, PLURAL, namespace=session.namespace, name=pod.rollout)
    try:
        return await session.client.get(path)
    except NotFoundError:
        return None


async def _ask(session: Session, pod: Pod) -> tuple[Statement | None, str]:
    """Ask the agent through the API server; return what it says, or why it could not be asked."""
    if not pod.rollout or pod.finished:
        return None, ""
    base = resource_path("v1", "pods", namespace=session.namespace)
    port = pod.agent.port or AGENT_PORT
    try:
        answer = await session.client.get(f"{base}/{pod.name}:{port}/proxy{REPORT_PATH}")
        return from_agent(answer, pod.uid), ""
    except ForbiddenError:
        return None, (
            "Its agent was not asked: that takes the verb get on pods/proxy in this namespace,"
            " which you do not have. What is shown is what the cluster remembers"
        )
    except NotFoundError:
        return None, "Its agent could not be asked: the pod has probably gone meanwhile"
    except (ApiError, ValueError) as error:
        said = error.message if isinstance(error, ApiError) else str(error)
        return None, f"Its agent did not answer through the API server: {said}"
