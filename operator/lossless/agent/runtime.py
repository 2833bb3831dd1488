"""Puts the agent together and runs it until it is told to stop."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from lossless import __version__
from lossless.agent.addresses import LOOPBACK, LOOPBACKS, pack, pack_all, within_none, within_pod
from lossless.agent.clock import Clock
from lossless.agent.control import Control
from lossless.agent.drain import Drain
from lossless.agent.holds import Holds
from lossless.agent.ledger import Ledger
from lossless.agent.log import Log, make_log
from lossless.agent.main_containers import look
from lossless.agent.metrics import State, expose
from lossless.agent.own_connections import is_own
from lossless.agent.own_hooks import OwnHooks
from lossless.agent.routes import Routes
from lossless.agent.sampler import Sampler
from lossless.agent.server import Server
from lossless.agent.settings import Settings
from lossless.agent.sockets import Sockets
from lossless.model.close_drivers import NginxClose
from lossless.model.drain.drain_rule import Sample
from lossless.model.drain.readings import Reading
from lossless.model.names import AGENT_PORT_ANNOTATION
from lossless.model.report import Driver

#: Addresses learned from hold requests. Kubelets have one or two; a stranger gains nothing by
#: asking for a hold but that his rare short connections may pass for a probe's.
MAX_HOLDERS: Final = 8
#: Seconds after a mistake of ours before the same is tried again.
RETRY: Final = 1.0


class Agent:
    """One pod's agent."""

    def __init__(self, settings: Settings) -> None:
        """Compose it; nothing listens yet. Needs a running event loop."""
        self._settings = settings
        self._log = make_log(settings.pod)
        shared = settings.config.host_network
        sockets, clock = Sockets(shared=shared, own=lambda: self._server.port), Clock()
        nodes, wrong = pack_all(settings.host_ips)
        # On the node's network the kubelet is as near as loopback, and a gateway is any router.
        kubelet = LOOPBACKS if shared else sockets.gateways()
        inside = within_none if shared else within_pod
        self._ledger = Ledger(settings.config, inside=inside, nodes=nodes | kubelet, own=is_own)
        self._sampler = Sampler(
            sockets,
            self._ledger,
            clock=clock,
            log=self._log,
            accepted=lambda: self._server.accepted,
            shared=shared,
        )
        self._close, drivers = _closing(settings, self._log)
        self._drain = Drain(
            settings,
            self._sampler,
            clock=clock,
            log=self._log,
            counters=_counting(settings, clock, self._log),
            drivers=drivers,
            reloads=_reloading(settings, self._log),
        )
        config = settings.config
        self._holds = Holds(
            self._drain,
            config,
            OwnHooks(
                config.hooks,
                LOOPBACK if shared else settings.address,
                log=self._log,
                note=self._drain.note,
            ),
            look=lambda: look(sockets, config.barrier.ports, config.agent_port, inside),
            clock=clock,
            released=settings.paths.released,
        )
        self._holders: set[str] = set()
        self._routes = Routes(
            self._drain,
            wait=self._holds.wait,
            metrics=self._metrics,
            holder=self._learn,
            flag=config.status_flag,
            key=config.hold_key,
        )
        self._server = Server(self._routes.answer, log=self._log)
        self._control = Control(self._drain.ask_to_stop, log=self._log)
        problems = [settings.problem] if settings.problem else []
        problems += [f"{text!r} is not an address" for text in wrong]
        self._log(
            "started",
            version=__version__,
            ports=",".join(str(port) for port in settings.config.ports) or "all",
            phase=self._drain.phase.value,
            shared_network=shared,
            problem="; ".join(problems),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Listen, and drain when asked to, until ``stop``."""
        control, port = self._settings.paths.control, self._settings.config.agent_port
        tasks = [
            asyncio.ensure_future(self._persist(work))
            for work in (
                lambda: self._control.listen_at_last(control),
                lambda: self._server.listen_at_last(port, trouble=self._unreachable),
                self._drain.run,
                self._holds.run,
                self._tell_clients,
            )
        ]
        # What exists now lives as long as the agent: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        try:
            await stop.wait()
            self._drain.leave()
        finally:
            self._drain.last_words()
            report = self._drain.report()
            self._log("stopped", phase=report.phase.value, reason=report.reason)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._control.close()
            self._server.close()

    async def _tell_clients(self) -> None:
        """Run the close drivers once a drain has started, for as long as it goes on."""
        if self._close is None:
            return
        await self._drain.started.wait()
        if self._drain.ended.is_set():
            return
        work = asyncio.ensure_future(self._close())
        ended = asyncio.ensure_future(self._drain.ended.wait())
        try:
            await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            work.cancel()
            ended.cancel()

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` again until it ends in order: a hold must not hang on a mistake of ours."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 # dying now would kill requests
                self._log("mistake", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY)
            else:
                return

    def _unreachable(self, problem: str) -> None:
        """Have the report say that nobody reaches this agent; empty: that is over."""
        told = problem and (
            f"{problem}: no hold reaches this agent, so containers may stop before the pod is"
            " drained; end what listens there, or give the agent another port by the annotation"
            f" {AGENT_PORT_ANNOTATION}"
        )
        self._drain.note("port", told)

    def _learn(self, address: str) -> None:
        if self._settings.config.host_network:
            # Holds come over loopback there, and so do clients.
            return
        if address in self._holders or len(self._holders) >= MAX_HOLDERS:
            return
        self._holders.add(address)
        with contextlib.suppress(ValueError):
            self._ledger.know_node(pack(address))

    def _metrics(self) -> str:
        return expose(
            State(
                report=self._drain.report(),
                sample=self._sampler.last,
                source=self._sampler.source,
                samples=self._sampler.taken,
                failures=self._sampler.failed,
                sample_seconds=self._sampler.cost,
                holds=self._routes.holds,
                clients=self._server.open,
                version=__version__,
            )
        )


def _counting(
    settings: Settings, clock: Clock, log: Log
) -> Callable[[float], Awaitable[tuple[Reading, ...]]] | None:
    """Return what reads the counters; what is not configured is not imported either."""
    if not settings.config.metrics:
        return None
    from lossless.agent.counting import Counting  # noqa: PLC0415 # see above

    config = settings.config
    return Counting(
        config.metrics,
        clock=clock,
        log=log,
        prefix=settings.paths.prefix,
        out_of_reach=config.out_of_reach,
    ).read


def _reloading(settings: Settings, log: Log) -> Callable[[Sample, float, float], str] | None:
    """Return what asks for reloads of nginx; imported as needed."""
    config = settings.config
    if not any(isinstance(one, NginxClose) and one.reload is not None for one in config.close):
        return None
    from lossless.agent.reloads import Reloads  # noqa: PLC0415 # see above

    return Reloads(config.drain, settings.paths.reload, log=log).look


def _closing(
    settings: Settings, log: Log
) -> tuple[Callable[[], Awaitable[None]] | None, Callable[[], tuple[Driver, ...]]]:
    """Return what runs the close drivers and what tells how far they are; imported as needed."""
    if not settings.config.close:
        return None, tuple
    from lossless.agent.closing import Closing  # noqa: PLC0415 # see above

    config = settings.config
    closing = Closing(
        config.close,
        log=log,
        prefix=settings.paths.prefix,
        out_of_reach=config.out_of_reach,
    )
    return closing.run, lambda: closing.states


async def serve(settings: Settings) -> None:
    """Run an agent until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Agent(settings).run(stop)


def run(settings: Settings) -> None:
    """Run an agent in an event loop of its own."""
    asyncio.run(serve(settings))
