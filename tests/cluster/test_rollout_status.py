"""Status as it is stored and read back: nothing is lost, nothing is trusted."""

from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.conditions import Answer, Condition, ConditionType
from lossless.model.phases import Phase
from lossless.model.report import Connections, Oldest
from lossless.model.rollout.drains import coarse
from lossless.model.status import (
    Cause,
    PodStatus,
    RolloutPhase,
    RolloutRecord,
    RolloutStatus,
    Suspension,
)
from lossless.model.troubles import Trouble
from tests.support.rollouts import NOW

ROOT = Path(__file__).resolve().parents[2]
COUNTS = st.integers(min_value=0, max_value=10**9)
TIMES = st.integers(min_value=1, max_value=4 * 10**9)
TEXTS = st.text(max_size=40)
ROLLOUTS = st.builds(
    RolloutRecord,
    started=TIMES,
    finished=st.just(0) | TIMES,
    drained=COUNTS,
    timed_out=COUNTS,
    lost=COUNTS,
    discarded=COUNTS,
    before=TEXTS,
    revision=TEXTS,
    paused=TEXTS,
    resumed=TEXTS,
    superseded=st.booleans(),
)
STATUSES = st.builds(
    RolloutStatus,
    phase=st.none() | st.sampled_from(RolloutPhase),
    observed_generation=COUNTS,
    conditions=st.lists(
        st.builds(
            Condition,
            type=st.sampled_from(ConditionType),
            status=st.sampled_from(Answer),
            reason=TEXTS,
            message=TEXTS,
            generation=COUNTS,
            since=TIMES,
        ),
        max_size=6,
    ).map(tuple),
    replicas=COUNTS,
    updated=COUNTS,
    draining=COUNTS,
    held=COUNTS,
    connections=st.none() | COUNTS,
    revision=TEXTS,
    resumed=TEXTS,
    last_rollout=st.none() | ROLLOUTS,
    history=st.lists(ROLLOUTS, max_size=3).map(tuple),
    pods=st.lists(
        st.builds(
            PodStatus,
            name=TEXTS,
            uid=st.text(min_size=1, max_size=40),
            phase=st.sampled_from(Phase),
            since=TIMES,
            connections=st.none() | st.builds(Connections, COUNTS, COUNTS, COUNTS),
            oldest=st.none()
            | st.builds(Oldest, TEXTS, st.integers(min_value=0, max_value=10**7).map(coarse)),
            reason=TEXTS,
            troubles=st.sampled_from([(), *((kind,) for kind in Trouble), tuple(Trouble)]),
        ),
        max_size=5,
    ).map(tuple),
    injection=st.none()
    | st.builds(
        Suspension,
        since=TIMES,
        cause=st.sampled_from(Cause),
        reason=TEXTS,
        trying=st.booleans(),
        attempts=COUNTS,
    ),
)


@given(status=STATUSES)
def test_what_is_written_is_what_is_read(status: RolloutStatus) -> None:
    """An unchanged world gives an equal status, so that nothing is written for nothing."""
    assert parse_status(status_document(status)) == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "conditions",
                    "pods",
                    "lastRollout",
                    "history",
                    "uid",
                    "phase",
                    "type",
                    "status",
                    "oldest",
                    "age",
                    "injection",
                    "cause",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(raw=JSON)
def test_nothing_that_is_stored_can_stop_the_controller(raw: object) -> None:
    """Another version, or a person, may have written anything."""
    assert isinstance(parse_status(raw), RolloutStatus)


@pytest.mark.parametrize("finished", [0, int(NOW)], ids=["under way", "finished"])
def test_the_stored_status_is_one_that_the_crd_keeps(finished: int) -> None:
    """Every field is in the schema, which would silently drop others, and of its type."""
    status = RolloutStatus(
        phase=RolloutPhase.PROGRESSING,
        observed_generation=3,
        conditions=(
            Condition(ConditionType.READY, Answer.TRUE, "Protecting", "well", 3, int(NOW)),
        ),
        replicas=3,
        updated=1,
        draining=1,
        held=1,
        connections=4,
        revision="7",
        resumed="1800000000",
        last_rollout=RolloutRecord(int(NOW), finished, 1, 1, 1),
        pods=(
            PodStatus(
                "a", "u", Phase.TIMED_OUT, int(NOW), Connections(1, 2, 3), Oldest("::1", 4), "late"
            ),
        ),
    )
    crd = yaml.safe_load((ROOT / "crds" / "losslessrollouts.yaml").read_text(encoding="utf-8"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]

    jsonschema.validate(status_document(status), _closed(schema))


def _closed(schema: dict[str, object]) -> dict[str, object]:
    """Return the schema with unknown fields refused, where the API server would prune them."""
    closed = {key: _closed(v) if isinstance(v, dict) else v for key, v in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict):
        closed["properties"] = {key: _closed(v) for key, v in schema["properties"].items()}
        closed["additionalProperties"] = False
    return closed
