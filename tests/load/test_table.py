"""The before/after table, fortio's report, and the demo's verdict."""

import json
from collections.abc import Mapping

import pytest

from e2e.demo.story import Result, verdict
from e2e.load.report import Latency, LoadReport
from e2e.sample.manifests import Variant
from e2e.support.load import FortioReport, parse_fortio
from e2e.support.table import WIDTH, fortio_row, own_row, render


def _own(kinds: Mapping[str, int], requests: int = 77192) -> LoadReport:
    return LoadReport(
        started=0.0,
        seconds=30.0,
        requests=requests,
        kinds=kinds,
        latency=Latency(p50=0.0062, p99=0.0301, max=15.0091),
        pods={},
    )


def _fortio(codes: dict[str, int]) -> FortioReport:
    return FortioReport(
        requests=sum(codes.values()), codes=codes, seconds=30.0, p50=0.006, p99=0.04, max=0.1
    )


def test_the_table_shows_every_column_and_how_requests_failed() -> None:
    """Counts have separators, times are milliseconds, the commonest failure comes first."""
    text = render([own_row("plain", 21.4, _own({"reset": 34, "EOF": 86, "HTTP 502": 1023}))])

    heads, _, *rows = text.splitlines()
    assert heads.split()[:4] == ["rollout", "client", "requests", "failed"]
    assert rows[0].split()[:8] == [
        *("plain", "own", "77,192", "1,143", "21", "6.2", "30.1", "15009.1")
    ]
    shown = " ".join(row[heads.index("how they failed") :].strip() for row in rows)
    assert shown == "1,023 HTTP 502, 86 EOF, 34 reset"


def test_the_table_fits_a_terminal_whatever_went_wrong() -> None:
    """Many kinds of failure wrap within their column, and no count parts from its kind."""
    kinds = {f"HTTP {500 + number}": 1000 + number for number in range(12)}
    rows = [own_row("lossless", 1234.0, _own(kinds)), fortio_row("plain", 1.0, _fortio({"-1": 3}))]

    lines = render(rows).splitlines()

    assert max(len(line) for line in lines) <= WIDTH
    words = " ".join(lines[2:])
    assert all(f"{1000 + number:,} HTTP {500 + number}" in words for number in range(12))


def test_fortios_codes_are_named() -> None:
    """What fortio calls -1 had no answer; a 200 is no failure."""
    row = fortio_row("plain", 1.0, _fortio({"200": 90, "502": 4, "-1": 6}))

    assert (row.requests, row.failed) == (100, 10)
    assert row.kinds == {"HTTP 502": 4, "no answer": 6}


def test_fortios_json_is_read() -> None:
    """The parts of its document that matter here, as fortio 1.68 writes them."""
    document = {
        "ActualDuration": 2500000000,
        "DurationHistogram": {
            "Count": 11,
            "Max": 0.25,
            "Percentiles": [
                {"Percentile": 50, "Value": 0.006},
                {"Percentile": 99, "Value": 0.2},
            ],
        },
        "RetCodes": {"-1": 1, "200": 10},
    }

    report = parse_fortio(json.dumps(document))

    assert report == FortioReport(11, {"-1": 1, "200": 10}, 2.5, 0.006, 0.2, 0.25)
    assert report.failed == 1


@pytest.mark.parametrize("text", ["", "{}", '{"RetCodes": 1}'], ids=["empty", "no keys", "wrong"])
def test_another_document_is_not_fortios(text: str) -> None:
    """It is an error, not a report without failures."""
    with pytest.raises(ValueError):  # noqa: PT011 # json's own error for some, ours for others
        parse_fortio(text)


def _result(variant: Variant, failed: int, fortio_failed: int = 0) -> Result:
    own = _own({"EOF": failed} if failed else {})
    codes = {"200": 100, "-1": fortio_failed}
    return Result(
        variant, 20.0, own, _fortio(codes), account="where it was lost", began=0.0, steps=()
    )


@pytest.mark.parametrize(
    ("results", "good", "says"),
    [
        pytest.param(
            [_result(Variant.PLAIN, 190), _result(Variant.LOSSLESS, 0)],
            True,
            "lost 190 requests",
            id="plain lost some, lossless none",
        ),
        pytest.param(
            [_result(Variant.PLAIN, 190), _result(Variant.LOSSLESS, 1)],
            False,
            "where it was lost",
            id="lossless lost one",
        ),
        pytest.param(
            [_result(Variant.PLAIN, 190), _result(Variant.LOSSLESS, 0, fortio_failed=1)],
            False,
            "BROKEN",
            id="lossless lost one of fortio's",
        ),
        pytest.param(
            [_result(Variant.PLAIN, 0), _result(Variant.LOSSLESS, 0)],
            False,
            "Nothing is proved",
            id="the control lost none",
        ),
        pytest.param(
            [_result(Variant.SLEEP, 5), _result(Variant.LOSSLESS, 0)],
            False,
            "Nothing is proved",
            id="no control",
        ),
        pytest.param([_result(Variant.PLAIN, 5)], False, "Nothing is proved", id="no lossless"),
    ],
)
def test_the_demo_succeeds_only_if_it_proves_its_point(
    results: list[Result], *, good: bool, says: str
) -> None:
    """Lossless lost nothing, and the same load did lose requests without it."""
    outcome, words = verdict(results)

    assert outcome is good
    assert says in words
