"""Counting, percentiles, and the document between the client and the tests."""

import asyncio
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.load.report import MAX_DESCRIBED, Failure, Tally, parse_load_report, percentile
from tests.support.serving import served


def _failure(kind: str) -> Failure:
    return Failure(
        at=12.5,
        waited=0.1,
        kind=kind,
        connection="reused",
        idle=0.4,
        served=3,
        pod="web-1",
        local="10.0.0.9:4000",
        detail="closed",
    )


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(
    values: list[float], share: float
) -> None:
    """At least that share of the values does not exceed it, and no smaller value does so."""
    ordered = sorted(values)

    value = percentile(ordered, share)

    assert sum(v <= value for v in values) >= share * len(values)
    assert sum(v < value for v in values) < share * len(values)


def test_no_values_have_no_percentile() -> None:
    """Nothing measured shows as zero seconds, next to zero requests."""
    assert percentile([], 0.99) == 0.0


def test_a_report_survives_its_journey() -> None:
    """What the client writes is what the test reads."""
    tally = Tally(started=10.0, opened=4, told_to_close=1, closed_idle=2, in_flight=3, left=5)
    tally.answered(0.25, 11.0, "web-1", "v1")
    tally.answered(0.75, 12.0, "web-1", "v1")
    tally.failed(_failure("EOF"))
    report = tally.report(13.0, whole=True)

    assert parse_load_report(report.to_json()) == report
    assert (report.requests, report.failed, report.seconds) == (3, 1, 3.0)
    assert (report.latency.p50, report.latency.max) == (0.25, 0.75)


def test_failures_beyond_the_limit_are_counted_still() -> None:
    """The list is bounded, the count is not."""
    tally = Tally(started=0.0)
    for _ in range(MAX_DESCRIBED + 7):
        tally.failed(_failure("reset"))

    report = tally.report(1.0, whole=True)

    assert report.failed == MAX_DESCRIBED + 7
    assert len(report.failures) == MAX_DESCRIBED


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"latency":1}'], ids=["empty", "list", "no keys", "wrong kind"]
)
def test_another_document_is_refused(text: str) -> None:
    """A client that died in mid-line is an error, not a report of zero failures."""
    with pytest.raises(ValueError):  # noqa: PT011 # json's own error for some, ours for others
        parse_load_report(text)


async def _echo_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def test_the_program_stops_when_its_input_ends() -> None:
    """A client whose parent is gone ends by itself, with a result."""
    async with served(_echo_server) as port:
        url = f"http://127.0.0.1:{port}/"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "e2e.load", url, "--connections", "2", "--think", "0.01"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while True:
                line = json.loads(await process.stdout.readline())
                if line["so_far"]["requests"] > 10:
                    break
            process.stdin.close()
            rest = (await process.stdout.read()).splitlines()
            assert await process.wait() == 0

    report = parse_load_report(json.dumps(json.loads(rest[-1])["result"]))
    assert report.requests > 10
    assert report.failed == 0
