"""When the matrix proves something, and how it shows it."""

from collections.abc import Mapping

import pytest

from e2e.clients.catalogue import CLIENTS
from e2e.clients.order import Protocol
from e2e.clients.report import ClientReport
from e2e.proof.limits import LIMITS, Limit, explanation
from e2e.proof.matrix import Row, render, verdict
from e2e.proof.proxies import PROXIES

_AT_LEAST = 60


def _report(
    client: str, protocol: str, kinds: Mapping[str, int], requests: int = 500
) -> ClientReport:
    return ClientReport(client, protocol, requests, kinds, ("12.5 GET EOF: closed",))


def _row(
    *,
    plain: Mapping[str, int],
    lossless: Mapping[str, int],
    client: str = "requests",
    protocol: str = "h1",
    requests: int = 500,
) -> Row:
    return Row(
        proxy="envoy",
        protocol=protocol,
        client=client,
        plain=_report(client, protocol, plain),
        lossless=_report(client, protocol, lossless, requests),
    )


def _httpx(lost: int, requests: int = 500) -> Row:
    """Return a row of which each loss has a reason that is known."""
    return _row(
        client="httpx",
        protocol="h2",
        plain={},
        lossless={"GET ProtocolError": lost},
        requests=requests,
    )


_LOST = {"GET EOF": 3, "POST EOF": 1, "POST reset": 9}
_GOOD = _row(plain=_LOST, lossless={})
_NOT_RUN = Row("envoy", "h1", "curl", None, None, "not run: no curl on this machine")


@pytest.mark.parametrize(
    ("rows", "required", "against"),
    [
        pytest.param([_GOOD], True, "", id="plain lost, lossless did not"),
        pytest.param([_GOOD, _NOT_RUN], False, "", id="a client that is not here"),
        pytest.param([_GOOD, _NOT_RUN], True, "no curl on this machine", id="but has to be"),
        pytest.param(
            [_GOOD, _row(plain={}, lossless={"GET EOF": 1})], False, "lost 1 EOF", id="lost one"
        ),
        pytest.param(
            [_row(plain={}, lossless={})], False, "cannot tell", id="the control lost nothing"
        ),
        pytest.param(
            [_GOOD, _row(plain={}, lossless={}, requests=59)],
            False,
            "59 requests",
            id="a client that hardly ran",
        ),
        pytest.param(
            [_GOOD, _httpx(2)],
            True,
            "",
            id="lost for a known reason",
        ),
        pytest.param(
            [_GOOD, _httpx(2, requests=59)],
            True,
            "59 requests, lost 2 ProtocolError",
            id="lost for a known reason by one that hardly ran",
        ),
        pytest.param(
            [_GOOD, _httpx(26)],
            True,
            "500 requests, lost 26 ProtocolError",
            id="lost more than the reason explains",
        ),
        pytest.param([], False, "Nothing was run", id="nothing"),
        pytest.param([_NOT_RUN], False, "cannot tell", id="nothing but what is not here"),
    ],
)
def test_only_zero_or_a_known_reason_is_proof(
    rows: list[Row], *, required: bool, against: str
) -> None:
    """Every lossless cell counts, and each proxy's plain rollout must have lost something."""
    good, said = verdict(rows, at_least=_AT_LEAST, required=required)

    assert good is (against == "")
    assert against in "\n".join(said)


def test_what_was_lost_is_shown_with_an_example() -> None:
    """Whoever reads the verdict can begin to look."""
    _, said = verdict(
        [_GOOD, _row(plain={}, lossless={"GET EOF": 1})], at_least=_AT_LEAST, required=False
    )

    assert said == [
        "requests (h1) through envoy: 500 requests, lost 1 EOF\n    12.5 GET EOF: closed"
    ]


def test_the_table_shows_both_rollouts_and_the_reasons() -> None:
    """Methods are taken together, the commonest failure is first, limits stand below."""
    explained = _row(client="httpx", protocol="h2", plain={}, lossless={"GET ProtocolError": 2})
    text = render([_GOOD, explained, _NOT_RUN])

    lines = [line.split() for line in text.splitlines()]
    assert lines[3][:7] == ["envoy", "h1", "requests", "500", "13", "500", "0"]
    assert "9 reset, 4 EOF" in text
    assert lines[4] == ["envoy", "h2", "httpx", "500", "0", "500", "2", "[1]"]
    assert "not run: no curl on this machine" in text
    assert "plain in all: 1,000 requests, 13 lost" in text
    assert "lossless in all: 1,000 requests, 2 lost" in text
    assert text.splitlines()[-1].startswith("[1] httpx: ")


@pytest.mark.parametrize(
    ("proxy", "client", "protocol", "kinds", "explained"),
    [
        pytest.param("envoy", "httpx", "h2", {"PUT ProtocolError": 1}, True, id="it"),
        pytest.param("nginx", "httpx", "h2", {"PUT ProtocolError": 1}, False, id="proxy"),
        pytest.param("envoy", "httpx", "h1", {"PUT ProtocolError": 1}, False, id="protocol"),
        pytest.param("envoy", "OkHttp", "h2", {"PUT ProtocolError": 1}, False, id="client"),
        pytest.param(
            "envoy",
            "httpx",
            "h2",
            {"PUT ProtocolError": 1, "PUT HTTP 503": 1},
            False,
            id="another failure beside it",
        ),
        pytest.param("envoy", "httpx", "h2", {}, False, id="nothing to explain"),
        pytest.param("envoy", "httpx", "h2", {"PUT ProtocolError": 25}, True, id="5 %"),
        pytest.param("envoy", "httpx", "h2", {"PUT ProtocolError": 26}, False, id="more than 5 %"),
        pytest.param(
            "envoy", "httpx", "h2", {"PUT RemoteProtocolError": 1}, False, id="server gone"
        ),
        pytest.param(
            "envoy",
            "httpx",
            "h2",
            {"PUT ProtocolError": 1, "GET ProtocolError": 1, "PUT RemoteProtocolError": 1},
            True,
            id="one that comes of the others",
        ),
        pytest.param(
            "envoy",
            "httpx",
            "h2",
            {"PUT ProtocolError": 1, "PUT RemoteProtocolError": 1},
            False,
            id="as many that come of it",
        ),
    ],
)
def test_a_limit_explains_only_what_it_is_about(
    proxy: str, client: str, protocol: str, kinds: Mapping[str, int], *, explained: bool
) -> None:
    """One failure of another kind, and the cell counts as lost."""
    found = explanation(proxy, _report(client, protocol, kinds))

    assert (found is not None) is explained


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.client)
def test_every_limit_is_about_something_that_is_tried(limit: Limit) -> None:
    """A reason that nobody can run into would be an excuse in stock."""
    tried = {
        (client.name, protocol, proxy.name)
        for client in CLIENTS
        for proxy in PROXIES.values()
        for protocol in proxy.protocols
        if protocol in client.protocols
    }

    assert {(limit.client, limit.protocol, proxy) for proxy in limit.proxies} <= tried
    assert "\n" not in limit.reason


def test_no_proxy_leaves_out_what_it_is_tried_with() -> None:
    """What is not tried is said, and only that."""
    for proxy in PROXIES.values():
        assert not set(proxy.left_out) & set(proxy.protocols)
        assert set(proxy.protocols) <= set(Protocol)
