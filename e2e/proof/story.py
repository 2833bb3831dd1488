"""The proof, one proxy after the other: deploy, let every client loose, roll out, count."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from e2e.clients.catalogue import CLIENTS, Client
from e2e.clients.order import Order, Protocol
from e2e.clients.report import ClientReport
from e2e.clients.toolchain import Missing, Prepared
from e2e.proof.matrix import Row
from e2e.proof.proxies import Proxy
from e2e.proof.running import RunningClient
from e2e.proof.service import ProofService
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.world import World

#: Requests that each client must have sent before the rollout begins, and after it has ended.
_WARM: Final = 30
#: Seconds for the former: five Java processes begin at the same time.
_START: Final = 90.0
#: Seconds for the latter: each client sends some 25 a second, and few on a machine that is busy.
_AFTER: Final = 60.0
#: Fewer requests of a client than this in a whole rollout prove nothing.
AT_LEAST: Final = 2 * _WARM

Pair = tuple[Client, Protocol]


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is tried."""

    protocols: Collection[Protocol] = tuple(Protocol)
    slow_seconds: float = 30.0
    """Of the slow answers: longer than ``propagation`` and ``quiet`` together."""
    drain: Mapping[str, str] = field(default_factory=lambda: given.QUICK)
    """``spec.drain`` of the LosslessRollout."""

    def pairs(self, proxy: Proxy) -> list[Pair]:
        """Return the clients that speak with a proxy, and how."""
        return [
            (client, protocol)
            for protocol in proxy.protocols
            for client in CLIENTS
            if protocol in client.protocols and protocol in self.protocols
        ]

    def order(self, client: Client, protocol: Protocol, url: str) -> Order:
        """Return what a client is told."""
        slow = 1 if client.slow and protocol is not Protocol.WEBSOCKET else 0
        return Order(url, protocol, slow=slow, slow_seconds=self.slow_seconds)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every proxy."""

    image: str
    """Of the pods."""
    prepared: Prepared
    """The clients."""
    scope: Scope


def rolled_out_under_every_client(
    world: World, proxy: Proxy, variant: Variant, setting: Setting
) -> dict[tuple[str, str], ClientReport]:
    """Deploy, roll out while all clients run, and return what each (name, protocol) saw.

    Raises:
        ClientFailed: a client ended on its own.
        NeverHappened: something did not come in time.
    """
    if variant is Variant.LOSSLESS:
        drain = {**setting.scope.drain, **proxy.drain}
        given.a_lossless_rollout(world, drain, **proxy.rollout)
        given.injection(world)
    given.deployed(world, ProofService(setting.image, proxy, variant))
    if variant is Variant.LOSSLESS:
        given.every_pod_has_an_agent(world)
    with _running(world, proxy, setting) as running:
        for client in running.values():
            client.reaches(_WARM, within=_START)
        when.rolled_out(world)
        goals = {client: client.so_far.requests + _WARM for client in running.values()}
        for client, goal in goals.items():
            client.goes_on(goal, within=_AFTER)
        for client in running.values():  # first all, so that they finish at the same time
            client.ask_to_stop()
        return {key: client.stop() for key, client in running.items()}


def rows(
    proxy: Proxy,
    setting: Setting,
    reports: Mapping[Variant, Mapping[tuple[str, str], ClientReport]],
) -> list[Row]:
    """Return the matrix's rows of one proxy."""
    found = []
    for client, protocol in setting.scope.pairs(proxy):
        key = (client.name, protocol)
        missing = setting.prepared[client.toolchain]
        found.append(
            Row(
                proxy=proxy.name,
                protocol=protocol,
                client=client.name,
                plain=reports[Variant.PLAIN].get(key),
                lossless=reports[Variant.LOSSLESS].get(key),
                why_not=str(missing) if isinstance(missing, Missing) else "",
            )
        )
    return found


def account(world: World) -> str:
    """Return what is needed to find out which step lost a request: examples have these times."""
    steps = [f"  {step.at:.3f}  {step}" for step in world.timeline.steps]
    return "\n".join(["What happened (seconds since the epoch):", *steps, then.evidence(world)])


@contextmanager
def _running(
    world: World, proxy: Proxy, setting: Setting
) -> Iterator[dict[tuple[str, str], RunningClient]]:
    url = world.service_url("")
    with ExitStack() as stack:
        running = {}
        for client, protocol in setting.scope.pairs(proxy):
            toolchain = setting.prepared[client.toolchain]
            if isinstance(toolchain, Missing):
                continue
            order = setting.scope.order(client, protocol, url)
            started = RunningClient(
                f"{client.name} ({protocol})",
                world.testbed.client_command(order.command(toolchain.argv(client))),
                _log(world, client, protocol),
                slowest=order.slow_seconds,
            )
            stack.callback(started.ask_to_stop)
            running[client.name, str(protocol)] = started
        yield running


def _log(world: World, client: Client, protocol: Protocol) -> Path:
    return world.logs / f"client-{client.name.replace('/', '-').replace(' ', '-')}-{protocol}.log"
