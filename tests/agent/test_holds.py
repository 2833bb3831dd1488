"""Who is let go when: by an answer, by a file, and not all at the same moment."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossless.agent.holds import Holds
from lossless.agent.own_hooks import OwnHooks
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.hooks import HttpHook, SleepHook
from lossless.model.drain.release_rule import CONSECUTIVE, Barrier, Presence
from tests.agent.builders import a_config
from tests.agent.test_drain import BUSY, Pod
from tests.agent.test_own_hooks import listening
from tests.support.waiting import eventually


class Held:
    """A pod whose containers are held."""

    def __init__(self, root: Path, config: AgentConfig) -> None:
        """Its main containers are there."""
        self.pod = Pod(root, BUSY, config=config)
        self.presence = Presence.HERE
        self.looks = 0
        drain, paths = self.pod.drain, self.pod.paths
        own = OwnHooks(config.hooks, "127.0.0.1", log=self.pod.log, note=drain.note)
        self.holds = Holds(
            drain, config, own, look=self.look, clock=self.pod.clock, released=paths.released
        )
        self.waiting: dict[str, asyncio.Task[None]] = {}

    def look(self) -> Presence:
        """Look at the main containers."""
        self.looks += 1
        return self.presence

    @contextmanager
    def draining(self, *containers: str) -> Iterator[None]:
        """Drain, with these containers waiting for an answer."""
        running = [
            asyncio.ensure_future(self.pod.drain.run()),
            asyncio.ensure_future(self.holds.run()),
        ]
        self.waiting = {name: asyncio.ensure_future(self.holds.wait(name)) for name in containers}
        self.pod.drain.ask_to_stop()
        try:
            yield
        finally:
            for task in (*running, *self.waiting.values()):
                task.cancel()

    async def end(self) -> None:
        """Have the last client go."""
        self.pod.sockets.open.clear()
        await eventually(self.pod.drain.ended.is_set)

    def gone(self) -> set[str]:
        """Return the containers that may stop."""
        return {name for name, task in self.waiting.items() if task.done()}


async def test_sidecars_go_after_the_main_containers(tmp_path: Path) -> None:
    """The app is let go at the end of the drain, its sidecar when the app has ended."""
    held = Held(tmp_path, a_config(quiet=0.1, barrier=Barrier(("sql",), (80,), 60.0)))
    with held.draining("app", "sql", ""):
        await eventually(lambda: held.pod.sampler.taken > 3)
        assert held.gone() == set()
        assert held.looks == 0
        await held.end()
        await eventually(lambda: held.gone() == {"app", ""})
        await eventually(lambda: held.looks > CONSECUTIVE)
        assert held.gone() == {"app", ""}
        held.presence = Presence.GONE
        await eventually(lambda: held.gone() == {"app", "", "sql"})


async def test_a_sidecar_does_not_wait_for_ever(tmp_path: Path) -> None:
    """The app's own time to stop is over, or nobody can tell whether it has ended."""
    held = Held(tmp_path, a_config(quiet=0.1, barrier=Barrier(("sql",), (80,), 0.6)))
    held.presence = Presence.UNKNOWN
    with held.draining("sql"):
        await held.end()
        await eventually(lambda: held.gone() == {"sql"})
        looks = held.looks

    assert held.pod.clock.boot() - (held.pod.drain.state().ended or 0.0) >= 0.6
    assert looks >= 1


async def test_a_containers_own_sleep_holds_only_it(tmp_path: Path) -> None:
    """It would have stopped no earlier without us."""
    config = a_config(quiet=0.1, hooks=(SleepHook("log", 1.5),))
    held = Held(tmp_path, config)
    with held.draining("app", "log"):
        await held.end()
        await eventually(lambda: "app" in held.gone())
        await eventually(lambda: held.gone() == {"app", "log"})

    assert held.pod.clock.boot() - held.pod.drain.state().started >= 1.5


async def test_a_containers_own_request_holds_only_it(tmp_path: Path) -> None:
    """Until the drain's deadline, if it hangs; and the report says so."""
    async with listening(None) as stuck:
        config = a_config(quiet=0.1, timeout=2.0, hooks=(HttpHook("web", stuck.port),))
        held = Held(tmp_path, config)
        with held.draining("app", "web"):
            await eventually(lambda: bool(stuck.heard))
            await held.end()
            await eventually(lambda: held.gone() == {"app"})
            await eventually(lambda: held.gone() == {"app", "web"})

    assert held.pod.clock.boot() - held.pod.drain.state().started >= 2.0


async def test_a_request_that_fails_is_in_the_report(tmp_path: Path) -> None:
    """And the drain goes on as if nothing had been."""
    held = Held(tmp_path, a_config(quiet=0.1, hooks=(HttpHook("web", 1),)))
    with held.draining("web"):
        await eventually(lambda: "preStop of web" in held.pod.drain.report().reason)
        await held.end()
        await eventually(lambda: held.gone() == {"web"})

    assert "preStop of web: Connection refused" in held.pod.last_words().reason


async def test_who_waits_for_a_file_gets_one(tmp_path: Path) -> None:
    """Each its own, at its own time."""
    config = a_config(quiet=0.1, file_holds=("app", "sql"), barrier=Barrier(("sql",), (80,), 60.0))
    held = Held(tmp_path, config)
    with held.draining():
        await eventually(lambda: held.pod.sampler.taken > 3)
        assert (tmp_path / "draining").exists()
        assert not (tmp_path / "released.app").exists()
        await held.end()
        await eventually((tmp_path / "released.app").exists)
        assert not (tmp_path / "released.sql").exists()
        held.presence = Presence.GONE
        await eventually((tmp_path / "released.sql").exists)
