"""The end of a drain is heard from its agent, soon and once."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import pytest

from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.controller.listener import Listener
from lossless.model.phases import Phase
from lossless.model.rollout.observation import Endpoint
from tests.support.fake_agent import FakeAgent, fake_agent
from tests.support.raw_objects import raw_report
from tests.support.waiting import eventually

WEB = Key("shop", "web")


@dataclass
class Heard:
    """A Listener, an agent, and who was woken."""

    agent: FakeAgent
    listener: Listener
    woken: list[Key] = field(default_factory=list)


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    """An agent that drains."""
    woken: list[Key] = []

    def wake(keys: Iterable[Key]) -> None:
        woken.extend(keys)

    async with fake_agent() as agent, Agents(port=agent.port, timeout=5.0) as agents:
        agent.text = raw_report("a", Phase.DRAINING)
        listener = Listener(agents, wake, interval=0.01)
        yield Heard(agent, listener, woken)
        listener.close()


async def test_the_end_wakes_once_and_is_remembered(heard: Heard) -> None:
    """Until the pod needs no attention any more."""
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await eventually(lambda: heard.agent.asked > 2)
    early = [*heard.woken]
    heard.agent.text = raw_report("a", Phase.DRAINED)
    await eventually(lambda: bool(heard.woken))
    asked = heard.agent.asked
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await asyncio.sleep(0.05)

    assert early == []
    assert heard.woken == [WEB]
    assert heard.agent.asked == asked
    assert heard.listener.results(WEB)["uid-a"].phase is Phase.DRAINED
    heard.listener.attend(WEB, {})
    assert heard.listener.results(WEB) == {}


async def test_who_needs_no_attention_is_not_asked(heard: Heard) -> None:
    """The pod is gone, or its result is stored."""
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await eventually(lambda: heard.agent.asked > 0)

    heard.listener.attend(WEB, {})
    await asyncio.sleep(0.02)
    asked = heard.agent.asked
    await asyncio.sleep(0.05)

    assert heard.agent.asked == asked


async def test_an_agent_is_asked_at_its_own_port(heard: Heard) -> None:
    """The other pod's agent is at the same address: both are on their node's network."""
    async with fake_agent() as other:
        other.text = raw_report("b", Phase.DRAINED)
        heard.listener.attend(WEB, {"uid-b": Endpoint("127.0.0.1", other.port)})
        await eventually(lambda: bool(heard.woken))

    assert heard.listener.results(WEB)["uid-b"].phase is Phase.DRAINED
    assert heard.agent.asked == 0


async def test_an_agent_that_fails_is_asked_again(heard: Heard) -> None:
    """What is no answer is no end."""
    heard.agent.text, heard.agent.status = "oops", 500
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await eventually(lambda: heard.agent.asked > 2)
    heard.agent.text, heard.agent.status = raw_report("a", Phase.TIMED_OUT), 200

    await eventually(lambda: heard.woken == [WEB])


async def test_an_agent_that_is_silent_is_asked_less_and_less(heard: Heard) -> None:
    """And often again once it has answered; meanwhile looks know that it is silent."""
    heard.agent.status = 500
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await eventually(lambda: "uid-a" in heard.listener.silent(WEB))
    # 40, 80 and 160 ms pass from the second question, after which it is silent, to the fifth.
    began, asked = asyncio.get_running_loop().time(), heard.agent.asked
    await eventually(lambda: heard.agent.asked >= 5)
    slow = asyncio.get_running_loop().time() - began
    heard.agent.status = 200
    await eventually(lambda: heard.listener.silent(WEB) == {})
    began = asyncio.get_running_loop().time()
    again = heard.agent.asked + 5
    await eventually(lambda: heard.agent.asked >= again)
    often = asyncio.get_running_loop().time() - began

    assert asked < 5
    assert slow >= 0.1
    assert often < 5 * 0.16


async def test_who_needs_no_attention_is_not_remembered_as_silent(heard: Heard) -> None:
    """Its pod is gone."""
    heard.agent.status = 500
    heard.listener.attend(WEB, {"uid-a": Endpoint("127.0.0.1")})
    await eventually(lambda: "uid-a" in heard.listener.silent(WEB))

    heard.listener.attend(WEB, {})

    assert heard.listener.silent(WEB) == {}
