"""One LosslessRollout's world, read anew from the API server and from the agents.

Real reads, never what a watch left behind: a pod that only a cache still holds would hold a gate
for ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import NotFoundError
from lossless.cluster.objects import (
    claim_of,
    last_words,
    metadata_of,
    pod_of,
    rollout_of,
)
from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.cluster.workloads import Found, find, list_all
from lossless.model.names import API_VERSION, PLURAL, ROLLOUT_LABEL
from lossless.model.phases import ENDED, Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Report
from lossless.model.rollout.observation import (
    Departure,
    Elsewhere,
    Evidence,
    Observation,
    Pod,
    Rollout,
    Unknown,
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known from events, and saves reading what is not there."""

    rivals: tuple[str, ...] = ()
    """Names of LosslessRollouts that may be for the same workload."""
    labelled: frozenset[str] = frozenset()
    """Uids of pods that carry this LosslessRollout's label."""
    departures: tuple[Departure, ...] = ()
    """Pods that were seen going since the last look that was acted on."""
    unpullable: tuple[Elsewhere, ...] = ()
    """Other LosslessRollouts whose pods cannot pull the agent's image, sorted."""


class Knowledge(Protocol):
    """What events and agents have told between two looks."""

    def hints(self, key: Key) -> Hints:
        """Return what events have told of a LosslessRollout and its pods."""

    def results(self, key: Key) -> Mapping[str, Report]:
        """Return the ends of drains that agents have told, by uid."""

    def silent(self, key: Key) -> Mapping[str, Unknown]:
        """Return why agents have not answered lately, by uid: somebody else keeps asking them."""

    async def told_gone(self, key: Key, uids: frozenset[str]) -> None:
        """Wait, but not for long, until events have told that these pods are gone."""


async def gather(client: Client, agents: Agents, key: Key, known: Knowledge) -> Observation:
    """Return what there is to see of the LosslessRollout ``key``.

    Raises:
        ApiError: the API server did not answer; nothing may be concluded then.
    """
    raw = await _get(client, API_VERSION, PLURAL, key)
    rollout = None if raw is None else rollout_of(raw)
    if raw is None or rollout is None:
        strays = tuple(map(pod_of, await _labelled(client, key)))
        return Observation(*key, rollout=None, strays=strays)
    found = Found(None, (), lambda _: False)
    if isinstance(rollout.spec, RolloutSpec):
        found = await find(client, key.namespace, rollout.spec.target.of(key.name))
    uids = {metadata_of(pod).get("uid") for pod in found.pods}
    strays = ()
    if found.workload is None or not known.hints(key).labelled <= uids:
        # A pod that was born between the two lists is no stray.
        strays = tuple(
            pod_of(pod) for pod in await _labelled(client, key) if not found.belongs(pod)
        )
    uids |= {pod.uid for pod in strays}
    # The last event about a pod carries its agent's last words; a list is often ahead of it.
    left = (entry for entry in rollout.status.pods if entry.phase is Phase.DRAINING)
    await known.told_gone(key, frozenset(entry.uid for entry in left if entry.uid not in uids))
    hints, results = known.hints(key), known.results(key)
    pods = await _with_evidence(agents, found.pods, rollout, {**known.silent(key), **results})
    return Observation(
        *key,
        rollout=rollout,
        owner=await _owner(client, key, raw, hints.rivals),
        workload=found.workload,
        pods=pods,
        strays=strays,
        departures=_departures(hints, (*pods, *strays), results),
        unpullable=hints.unpullable,
    )


def _departures(
    hints: Hints, listed: Iterable[Pod], results: Mapping[str, Report]
) -> tuple[Departure, ...]:
    """Return the departures of pods that the lists do not hold, with what their agents have told.

    A list that holds a pod that is gone was read before the event: what the event told is for the
    next look. A pod without the label is there: a watch calls the loss of a label DELETED too.
    """
    behind = {pod.uid for pod in listed if pod.rollout}
    return tuple(
        replace(departure, evidence=results.get(departure.uid, departure.evidence))
        for departure in hints.departures
        if departure.uid not in behind
    )


async def _get(client: Client, api_version: str, plural: str, key: Key) -> Raw | None:
    path = resource_path(api_version, plural, namespace=key.namespace, name=key.name)
    try:
        return await client.get(path)
    except NotFoundError:
        return None


async def _labelled(client: Client, key: Key) -> list[Raw]:
    return await list_all(client, "v1", "pods", key.namespace, f"{ROLLOUT_LABEL}={key.name}")


async def _owner(client: Client, key: Key, raw: Raw, rivals: Sequence[str]) -> str:
    """Return the name of the oldest other LosslessRollout on the target, if it is older."""
    if not rivals:
        return ""
    mine = claim_of(raw)
    older = []
    for name in rivals:
        other = await _get(client, API_VERSION, PLURAL, Key(key.namespace, name))
        claim = None if other is None else claim_of(other)
        if claim is not None and claim.target == mine.target and claim.age < mine.age:
            older.append(claim)
    return min(older, key=lambda claim: claim.age).name if older else ""


async def ask_again(agents: Agents, seen: Observation, key: Key, known: Knowledge) -> Observation:
    """Return ``seen`` with the evidence of its draining pods as of now; nothing else is read.

    Args:
        agents: who asks.
        seen: a look after which nothing has changed but time.
        key: of the LosslessRollout.
        known: what agents have told since.
    """
    told: dict[str, Evidence] = {**known.silent(key), **known.results(key)}
    # What an agent left behind when it ended, and what was never asked, stays as it is.
    draining = [
        pod
        for pod in seen.pods
        if isinstance(pod.evidence, Report) and pod.evidence.phase not in ENDED
    ]
    asked = {pod.uid: pod.endpoint for pod in draining if pod.uid not in told}
    said = told | dict(await agents.ask_all(asked))
    now = {pod.uid: replace(pod, evidence=said[pod.uid]) for pod in draining}
    return replace(seen, pods=tuple(now.get(pod.uid, pod) for pod in seen.pods))


async def _with_evidence(
    agents: Agents, raws: Iterable[Raw], rollout: Rollout, told: Mapping[str, Evidence]
) -> tuple[Pod, ...]:
    """Ask the agents of pods that terminate and of which nothing is known yet.

    What an agent has left behind counts for more than that it is silent since.
    """
    ended = {entry.uid for entry in rollout.status.pods if entry.phase in ENDED}
    pods, said, asked = [], dict[str, Evidence](), {}
    for raw in raws:
        pod = pod_of(raw)
        pods.append(pod)
        if pod.deletion is None or not pod.rollout or not pod.served or pod.uid in ended:
            continue
        heard = told.get(pod.uid)
        evidence = heard if isinstance(heard, Report) else last_words(raw) or heard
        if evidence is None:
            asked[pod.uid] = pod.endpoint
        else:
            said[pod.uid] = evidence
    said |= await agents.ask_all(asked)
    return tuple(replace(pod, evidence=said.get(pod.uid)) for pod in pods)
