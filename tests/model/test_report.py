"""What an agent says of its pod, written, read, and read from somebody hostile."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.phases import Phase
from lossless.model.report import (
    MAX_BYTES,
    Connections,
    Driver,
    DriverState,
    Oldest,
    Report,
    Source,
    SourceState,
    parse_report,
)

REPORT = Report(
    pod="web-1",
    uid="u-1",
    phase=Phase.DRAINING,
    seconds=12.5,
    deadline=287.5,
    connections=Connections(active=3, idle=2, new=1),
    oldest=Oldest(peer="[2001:db8::1]:4711", age=42.0),
    discarded=0,
    reason="3 connections: 3 active",
    sources=(
        Source("kernel", SourceState.BUSY, 3, 0.1, "3 active"),
        Source("envoyStats on port 9901", SourceState.UNKNOWN, None, 4.0, "Connection refused"),
    ),
    drivers=(Driver("nginx", DriverState.DONE), Driver("envoy", DriverState.PENDING, "again")),
)


def test_what_is_written_is_read_again() -> None:
    """Controller and agent speak of the same report."""
    assert parse_report(REPORT.to_json(), uid="u-1") == REPORT


def test_bytes_are_read_like_text() -> None:
    """The network gives bytes, the API text."""
    assert parse_report(REPORT.to_json().encode(), uid="u-1") == REPORT


def test_unknown_keys_are_ignored() -> None:
    """A newer agent may say more."""
    raw = json.loads(REPORT.to_json()) | {"colour": "blue"}

    assert parse_report(json.dumps(raw), uid="u-1") == REPORT


def test_missing_details_have_defaults() -> None:
    """Only the pod, its uid and its phase must be there."""
    raw = {"pod": "web-1", "uid": "u-1", "phase": "Drained"}

    assert parse_report(json.dumps(raw), uid="u-1") == Report("web-1", "u-1", Phase.DRAINED)


def test_the_document_fits_into_a_termination_message() -> None:
    """A reason of any length, in any script, is cut rather than the document."""
    report = Report("p" * 253, "u" * 36, Phase.TIMED_OUT, reason="\U0001f40c" * 5000)

    assert len(report.to_json().encode()) <= MAX_BYTES
    assert parse_report(report.to_json(), uid="u" * 36).phase is Phase.TIMED_OUT


_TEXTS = st.text(max_size=400)
_COUNTS = st.integers(0, 10**11)


@given(
    st.builds(
        Report,
        pod=_TEXTS,
        uid=st.text(max_size=36),
        phase=st.sampled_from([Phase.DRAINING, Phase.DRAINED, Phase.TIMED_OUT]),
        connections=st.builds(Connections, _COUNTS, _COUNTS, _COUNTS),
        oldest=st.none() | st.builds(Oldest, st.text(max_size=60), st.floats(0, 1e9)),
        reason=_TEXTS,
        sources=st.lists(
            st.builds(
                Source,
                _TEXTS,
                st.sampled_from(SourceState),
                st.none() | _COUNTS,
                st.floats(0, 1e9),
                _TEXTS,
            ),
            max_size=9,
        ).map(tuple),
        drivers=st.lists(
            st.builds(Driver, _TEXTS, st.sampled_from(DriverState), _TEXTS), max_size=8
        ).map(tuple),
    )
)
def test_any_report_fits(report: Report) -> None:
    """Texts are cut and the last entries go, and what is left is a report."""
    document = report.to_json()
    raw = json.loads(document)

    assert len(document.encode()) <= MAX_BYTES
    told = parse_report(document, uid=raw["uid"])
    assert (told.phase, told.connections) == (report.phase, report.connections)
    states = [one.state for one in told.sources], [one.state for one in told.drivers]
    assert states[0] == [one.state for one in report.sources][: len(states[0])]
    assert states[1] == [one.state for one in report.drivers][: len(states[1])]


def test_texts_are_cut_before_entries_go() -> None:
    """A pod with every driver and counter there can be is told of completely."""
    report = Report(
        "p" * 63,
        "u" * 36,
        Phase.DRAINING,
        reason="r" * 256,
        sources=tuple(
            Source(f"{n} {'s' * 99}", SourceState.UNKNOWN, reason="x" * 200) for n in range(9)
        ),
        drivers=tuple(Driver(f"{n} {'d' * 99}", DriverState.FAILED, "y" * 200) for n in range(8)),
    )
    told = parse_report(report.to_json(), uid="u" * 36)

    assert [one.name[:2] for one in told.sources] == [f"{n} " for n in range(9)]
    assert [one.name[:2] for one in told.drivers] == [f"{n} " for n in range(8)]
    assert told.reason == report.reason


def test_a_report_of_an_older_agent_has_neither_sources_nor_drivers() -> None:
    """It is read all the same."""
    raw = json.loads(REPORT.to_json())
    del raw["sources"], raw["drivers"]
    told = parse_report(json.dumps(raw), uid="u-1")

    assert (told.phase, told.sources, told.drivers) == (REPORT.phase, (), ())


def test_a_state_that_only_a_newer_agent_knows_is_left_out() -> None:
    """The rest of its report is worth reading."""
    raw = json.loads(REPORT.to_json())
    raw["sources"][0]["state"] = raw["drivers"][1]["state"] = "Asleep"
    told = parse_report(json.dumps(raw), uid="u-1")

    assert (told.sources, told.drivers) == (REPORT.sources[1:], REPORT.drivers[:1])


def changed(**keys: object) -> str:
    """Return the report's document with some keys changed."""
    raw: dict[str, Any] = json.loads(REPORT.to_json())
    return json.dumps(raw | keys)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "Expecting value", id="empty"),
        pytest.param("[]", "not a report", id="a-list"),
        pytest.param("null", "not a report", id="null"),
        pytest.param("{}", "not a report", id="no-keys"),
        pytest.param("[" * 4000, "not a report|Expecting value", id="deep"),
        pytest.param(changed(phase="Asleep"), "Asleep", id="unknown-phase"),
        pytest.param(changed(phase="Lost"), "cannot say of itself", id="not-an-agents-phase"),
        pytest.param(changed(uid="u-2"), "a report of pod u-2, but u-1", id="another-pod"),
        pytest.param(changed(seconds="long"), "not a count", id="seconds-as-text"),
        pytest.param(changed(seconds=-1), "not a count", id="negative"),
        pytest.param(changed(seconds=float("nan")), "not a count", id="nan"),
        pytest.param(changed(discarded=True), "not a count", id="a-boolean"),
        pytest.param(changed(connections={"active": "3"}), "not a count", id="count-as-text"),
        pytest.param(changed(oldest={"peer": 7, "age": 1}), "not text", id="peer-as-number"),
        pytest.param(changed(oldest={}), "not a report", id="oldest-without-keys"),
        pytest.param(changed(reason="x" * 5000), "at most 4096", id="too-long"),
        pytest.param(changed(sources={"a": 1}), "sources is not a list", id="no-list"),
        pytest.param(changed(sources=[{"name": "a"}]), "not a report", id="source-without-state"),
        pytest.param(changed(drivers=["nginx"]), "not a report", id="driver-as-text"),
        pytest.param(changed(drivers=[{"name": 1, "state": "Done"}]), "not text", id="name-as-1"),
        pytest.param(
            changed(sources=[{"name": "a", "state": "Busy", "value": "1"}]),
            "not a count",
            id="value-as-text",
        ),
    ],
)
def test_what_is_no_report_of_this_pod_is_refused(text: str, message: str) -> None:
    """An address may belong to somebody else by now; nothing it says is trusted."""
    with pytest.raises(ValueError, match=message):
        parse_report(text, uid="u-1")


@given(st.binary(max_size=600) | st.text(max_size=600))
def test_anything_is_a_report_or_a_value_error(text: bytes | str) -> None:
    """No input makes the parser fail in another way."""
    with pytest.raises(ValueError):  # noqa: PT011 # its text depends on the input
        parse_report(text, uid="u-1")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["phase", "uid", "pod", "seconds", "connections", "active", "oldest"]),
            inner,
            max_size=5,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(REPORT.to_json()))), _JSON))
def test_any_json_in_its_place_is_read_or_a_value_error(keys: dict[str, object]) -> None:
    """Each field is checked; a report that is read can be written again."""
    try:
        report = parse_report(changed(**keys), uid="u-1")
    except ValueError:
        return
    assert parse_report(report.to_json(), uid="u-1").phase is report.phase
