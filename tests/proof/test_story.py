"""What is tried with which proxy, and what becomes of it in the matrix."""

from pathlib import Path

import pytest

from e2e.clients.catalogue import CLIENTS, Toolchain
from e2e.clients.order import Protocol
from e2e.clients.report import ClientReport
from e2e.clients.toolchain import Missing, Ready
from e2e.proof.__main__ import main
from e2e.proof.matrix import Mark
from e2e.proof.proxies import ENVOY, HAPROXY, NGINX, NGINX_H2, UVICORN, Proxy
from e2e.proof.story import AT_LEAST, Scope, Setting, rows
from e2e.sample.manifests import Variant


def _pairs(proxy: Proxy, scope: Scope) -> set[tuple[str, str]]:
    return {(client.name, str(protocol)) for client, protocol in scope.pairs(proxy)}


def test_every_client_is_tried_with_every_proxy_that_speaks_its_protocol() -> None:
    """All of them with Envoy and a current nginx; HTTP/1.1 and WebSocket with the others."""
    everything = {(client.name, str(p)) for client in CLIENTS for p in client.protocols}

    assert _pairs(ENVOY, Scope()) == everything
    assert _pairs(NGINX, Scope()) == {pair for pair in everything if pair[1] in {"h1", "ws"}}
    assert _pairs(HAPROXY, Scope()) == _pairs(NGINX, Scope()) == _pairs(UVICORN, Scope())
    assert _pairs(NGINX_H2, Scope()) == everything


def test_a_scope_can_be_a_part() -> None:
    """CI's part of Envoy is what only Envoy speaks."""
    only = _pairs(ENVOY, Scope(protocols=(Protocol.GRPC,)))

    assert only == {("grpcio", "grpc")}


def test_slow_answers_are_asked_of_those_who_can_wait() -> None:
    """Not of wrk, which calls two seconds a failure, and not over WebSocket, which has no paths."""
    scope = Scope(slow_seconds=7.0)
    orders = {
        (client.name, protocol): scope.order(client, protocol, "http://web")
        for client, protocol in scope.pairs(ENVOY)
    }

    hasty = {name for (name, _), order in orders.items() if order.slow == 0}
    assert hasty == {"wrk", "websockets"}
    assert {order.slow_seconds for order in orders.values()} == {7.0}


def test_the_matrix_has_a_row_for_every_client_run_or_not() -> None:
    """A client without its toolchain says so; the others have both reports."""
    scope = Scope(protocols=(Protocol.H1,))
    prepared = {
        toolchain: Missing("javac") if toolchain is Toolchain.JAVA else Ready(Path("/x"))
        for toolchain in Toolchain
    }
    run = {
        (client.name, str(protocol)): ClientReport(client.name, protocol, AT_LEAST, {})
        for client, protocol in scope.pairs(NGINX)
        if client.toolchain is not Toolchain.JAVA
    }

    found = rows(
        NGINX,
        Setting("localhost/proof:1", prepared, scope),
        {Variant.PLAIN: run, Variant.LOSSLESS: run},
    )

    by_client = {row.client: row for row in found}
    assert len(found) == len(by_client) == len(scope.pairs(NGINX))
    assert by_client["OkHttp"].mark(at_least=AT_LEAST) is Mark.NOT_RUN
    assert by_client["OkHttp"].why_not == "not run: no javac on this machine"
    assert by_client["curl"].mark(at_least=AT_LEAST) is Mark.GOOD
    assert by_client["curl"].why_not == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--proxies", "nginx,apache"], "no apache; choose from", id="proxy"),
        pytest.param(["--slow", "0"], "must be more than 0", id="slow"),
    ],
)
def test_a_wrong_argument_is_named_with_the_remedy(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is built or started."""
    with pytest.raises(SystemExit):
        main(arguments)

    assert said in capsys.readouterr().err
