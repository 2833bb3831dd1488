"""Balancers as processes on a host outside the cluster, each behind loopback ports of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from e2e.balancers import envoy, haproxy, nginx
from e2e.balancers.routes import FIXED, Backend
from e2e.support.programs import RunningProgram, running_program
from e2e.support.world import World

_FIRST_PORT: Final = 8100
_START: Final = 60.0


class Software(StrEnum):
    """What balances."""

    HAPROXY = "HAProxy"
    NGINX = "nginx"
    ENVOY = "Envoy"


@dataclass(frozen=True, slots=True)
class Entrance:
    """One balancer's way to the pods, as its clients see it."""

    software: Software
    backend: Backend
    port: int

    @property
    def url(self) -> str:
        """For clients on the same host."""
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def running(
    world: World,
    backends: Sequence[Backend],
    programs: Mapping[Software, str],
    *,
    lag: int,
) -> Iterator[tuple[Entrance, ...]]:
    """Have balancers run until the end; yield their entrances, all of which lead to a pod.

    Args:
        world: with the service deployed.
        backends: from ``routes.backends``.
        programs: each balancer's program, a name or a path.
        lag: seconds that a balancer takes to notice what it is not told.
    """
    with ExitStack() as stack:
        entrances: list[tuple[Entrance, RunningProgram]] = []
        for number, (software, executable) in enumerate(programs.items()):
            mine = [b for b in backends if software is not Software.NGINX or b.route in FIXED]
            first = _FIRST_PORT + 100 * number
            ports = {backend: first + index for index, backend in enumerate(mine)}
            folder = world.logs / software.value
            folder.mkdir(parents=True, exist_ok=True)
            argv = _argv(software, executable, ports, folder, lag)
            world.mark(f"{software} takes up its work, {lag} s late to notice anything")
            command = world.testbed.client_command(argv)
            program = stack.enter_context(running_program(command, folder / "output.log"))
            entrances += [
                (Entrance(software, backend, port), program) for backend, port in ports.items()
            ]
        for entrance, program in entrances:
            program.comes_to(
                partial(_leads_somewhere, world, entrance),
                what=f"{entrance.software} finds a pod by {entrance.backend.route}",
                within=_START,
            )
        yield tuple(entrance for entrance, _ in entrances)


def _argv(
    software: Software, program: str, ports: Mapping[Backend, int], folder: Path, lag: int
) -> list[str]:
    render: dict[Software, tuple[Callable[[], str], list[str]]] = {
        Software.HAPROXY: (lambda: haproxy.config(ports, lag=lag), [program, "-db", "-f"]),
        Software.NGINX: (
            lambda: nginx.config(ports, folder=str(folder)),
            [program, "-e", str(folder / "nginx.log"), "-c"],
        ),
        Software.ENVOY: (
            lambda: envoy.config(ports, lag=lag),
            [program, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warn", "-c"],
        ),
    }
    text, argv = render[software]
    file = folder / ("envoy.yaml" if software is Software.ENVOY else "balancer.conf")
    file.write_text(text())
    return [*argv, str(file)]


def _leads_somewhere(world: World, entrance: Entrance) -> bool:
    program = "import sys,urllib.request as r; r.urlopen(sys.argv[1], data=b'', timeout=5).read()"
    return world.testbed.python_at_a_client(program, entrance.url).returncode == 0
