"""Go-style durations, read and written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.durations import PATTERN, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("0s", 0.0, id="zero"),
        pytest.param("60s", 60.0, id="seconds"),
        pytest.param("1.5s", 1.5, id="fraction"),
        pytest.param("300ms", 0.3, id="milliseconds"),
        pytest.param("5m", 300.0, id="minutes"),
        pytest.param("1h30m", 5400.0, id="hours-and-minutes"),
        pytest.param("1m1m", 120.0, id="unit-twice-as-in-go"),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """What Kubernetes writes is understood."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("60", id="no-unit"),
        pytest.param("s", id="no-number"),
        pytest.param("-5s", id="negative"),
        pytest.param("5 s", id="space"),
        pytest.param("5s\n", id="newline"),
        pytest.param("1d", id="unknown-unit"),
        pytest.param("\N{ARABIC-INDIC DIGIT FIVE}s", id="other-digits"),
        pytest.param("1" * 40 + "s", id="too-long"),
    ],
)
def test_what_is_no_duration_is_refused_and_quoted(text: str) -> None:
    """The error shows the value and what to write instead."""
    with pytest.raises(ValueError, match="is not a duration; write for example") as caught:
        parse_duration(text)

    assert str(caught.value).startswith(repr(text)[:20])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0, "0s", id="zero"),
        pytest.param(0.3, "0.3s", id="fraction"),
        pytest.param(60.0, "1m", id="whole-minute"),
        pytest.param(90.0, "1m30s", id="minute-and-seconds"),
        pytest.param(3600.0, "1h", id="whole-hour"),
        pytest.param(3661.25, "1h1m1.25s", id="all-parts"),
        pytest.param(0.0004, "0s", id="below-the-resolution"),
    ],
)
def test_a_duration_is_written_short(seconds: float, text: str) -> None:
    """People read them in events and reasons."""
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**9).map(lambda millis: millis / 1000))
def test_what_is_written_is_read_again(seconds: float) -> None:
    """Nothing is lost down to the millisecond, and the CRD's pattern accepts it."""
    text = format_duration(seconds)

    assert parse_duration(text) == pytest.approx(seconds, abs=1e-6)
    assert re.fullmatch(PATTERN, text)


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """No text makes the parser fail in another way."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds >= 0
