"""The lines that clients print, and what is made of nonsense."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.clients.report import ClientReport, parse_line

_REPORT: Mapping[str, object] = {
    "client": "curl",
    "protocol": "h1",
    "requests": 10,
    "failed": 2,
    "kinds": {"GET curl 52": 2},
    "examples": ["1.5 GET curl 52: Empty reply from server"],
}


def _line(key: str = "so_far", **changes: object) -> str:
    return json.dumps({key: {**_REPORT, **changes}})


@pytest.mark.parametrize(
    ("key", "is_last"),
    [pytest.param("so_far", False, id="each second"), pytest.param("result", True, id="the end")],
)
def test_a_clients_line_is_read(key: str, *, is_last: bool) -> None:
    """The last one is told from those before."""
    assert parse_line(_line(key)) == (
        is_last,
        ClientReport(
            client="curl",
            protocol="h1",
            requests=10,
            kinds={"GET curl 52": 2},
            examples=("1.5 GET curl 52: Empty reply from server",),
        ),
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="list"),
        pytest.param('{"so_far": {}}', id="no keys"),
        pytest.param('{"so_far": 1}', id="number"),
        pytest.param(_line("so_near"), id="other key"),
        pytest.param(_line()[:-9], id="cut off"),
        pytest.param(_line(requests="10"), id="count as text"),
        pytest.param(_line(requests=True), id="count as truth"),
        pytest.param(_line(requests=-1), id="negative"),
        pytest.param(_line(requests=1), id="more failures than requests"),
        pytest.param(_line(failed=1), id="kinds that do not add up"),
        pytest.param(_line(kinds=[]), id="kinds as list"),
    ],
)
def test_nonsense_is_an_error(line: str) -> None:
    """A client that broke is never a client that lost nothing."""
    with pytest.raises(ValueError, match="a client's"):
        parse_line(line)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_other_document_is_an_error_too(document: object) -> None:
    """Whatever a program prints, it is read or refused."""
    with pytest.raises(ValueError, match="not a client's line"):
        parse_line(json.dumps(document))
