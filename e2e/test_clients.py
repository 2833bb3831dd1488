"""Other people's clients, unchanged: the part of ``make proof`` that is short enough for CI."""

import sys

import pytest

from e2e.clients.catalogue import CLIENTS
from e2e.clients.order import Protocol
from e2e.clients.toolchain import Prepared, prepare
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.conftest import REQUIRED
from e2e.proof.matrix import render, verdict
from e2e.proof.proxies import ENVOY, NGINX, UVICORN, Proxy
from e2e.proof.story import AT_LEAST, Scope, Setting, account, rolled_out_under_every_client, rows
from e2e.sample.manifests import Variant
from e2e.support.worlds import MakeWorld


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    """Return the clients, built."""
    return prepare(CLIENTS, Paths.of_user(), Progress(sys.stderr))


@pytest.mark.parametrize(
    ("proxy", "protocols"),
    [
        pytest.param(NGINX, (Protocol.H1, Protocol.WEBSOCKET), id="nginx, HTTP 1.1 and WebSocket"),
        pytest.param(ENVOY, (Protocol.H2, Protocol.GRPC), id="Envoy, HTTP 2 and gRPC"),
        pytest.param(UVICORN, (Protocol.H1, Protocol.WEBSOCKET), id="uvicorn, both by middleware"),
    ],
)
@pytest.mark.costs(180)
@pytest.mark.timeout(600, func_only=True)
def test_no_client_notices(
    make: MakeWorld,
    proof_image: str,
    prepared: Prepared,
    proxy: Proxy,
    protocols: tuple[Protocol, ...],
) -> None:
    """Every client gets every answer in the lossless rollout; in the plain one some are lost."""
    setting = Setting(proof_image, prepared, Scope(protocols=protocols, slow_seconds=8.0))
    plain, lossless = make(f"{proxy.name}-plain"), make(f"{proxy.name}-lossless")

    reports = {
        variant: rolled_out_under_every_client(world, proxy, variant, setting)
        for variant, world in ((Variant.PLAIN, plain), (Variant.LOSSLESS, lossless))
    }
    found = rows(proxy, setting, reports)
    good, against = verdict(found, at_least=AT_LEAST, required=REQUIRED)

    assert good, "\n".join([*against, render(found), account(lossless)])
