"""A queue of keys: each at most once, none in parallel, none lost."""

import asyncio

import pytest

from lossless.cluster.watching import Key
from lossless.controller.workqueue import FIRST_RETRY, LONGEST_RETRY, WorkQueue

A, B = Key("shop", "a"), Key("shop", "b")


async def taken(queue: WorkQueue, within: float = 1.0) -> Key | None:
    """Return the next key, or None if there is none in time."""
    try:
        async with asyncio.timeout(within):
            key, _ = await queue.take()
    except TimeoutError:
        return None
    return key


async def test_a_key_waits_only_once() -> None:
    """Ten events are one look."""
    queue = WorkQueue()
    for _ in range(10):
        queue.add(A)
    queue.add(B)

    assert len(queue) == 2
    assert [await taken(queue), await taken(queue)] == [A, B]
    assert await taken(queue, 0.02) is None


async def test_a_key_is_not_worked_on_twice_at_once() -> None:
    """What comes in meanwhile is looked at afterwards, once."""
    queue = WorkQueue()
    queue.add(A)
    await taken(queue)
    queue.add(A)
    queue.add(A)

    assert await taken(queue, 0.02) is None
    queue.done(A)
    assert await taken(queue) == A
    queue.done(A)
    assert await taken(queue, 0.02) is None


async def test_when_it_was_added_is_kept() -> None:
    """So that the time from an event to its consequence can be measured."""
    queue = WorkQueue()
    queue.add(A)
    once = asyncio.get_running_loop().time()
    await asyncio.sleep(0.02)
    queue.add(A)

    _, added = await queue.take()

    assert added <= once


async def test_a_planned_look_comes_and_the_soonest_counts() -> None:
    """A later plan does not put an earlier one off."""
    queue = WorkQueue()
    queue.add_after(A, 60)
    queue.add_after(A, 0.02)
    queue.add_after(A, 60)

    assert await taken(queue) == A


async def test_a_look_makes_an_older_plan_void() -> None:
    """The look itself says when to look again."""
    queue = WorkQueue()
    queue.add_after(A, 0.02)
    queue.add(A)

    await taken(queue)
    queue.done(A)

    assert await taken(queue, 0.05) is None


async def test_done_can_plan_the_next_look() -> None:
    """As a decision asks."""
    queue = WorkQueue()
    queue.add(A)
    await taken(queue)

    queue.done(A, 0.01)

    assert await taken(queue) == A


async def test_failures_are_retried_more_and_more_slowly() -> None:
    """Exponentially, with jitter, up to a bound; a success begins anew."""
    queue = WorkQueue(jitter=lambda: 1.0)
    delays = [queue.failed(A) for _ in range(12)]
    queue.done(A)

    assert delays[:4] == [FIRST_RETRY, FIRST_RETRY * 2, FIRST_RETRY * 4, FIRST_RETRY * 8]
    assert delays[-1] == LONGEST_RETRY
    assert queue.failed(A) == FIRST_RETRY
    queue.close()


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.5), (1.0, 1.0)])
async def test_jitter_spreads_retries_over_half_their_delay(jitter: float, share: float) -> None:
    """Many that failed together do not come back together."""
    queue = WorkQueue(jitter=lambda: jitter)

    assert queue.failed(A) == FIRST_RETRY * share
    assert queue.failed(B, at_least=7) == 7
    queue.close()


async def test_events_do_not_hasten_a_retry_of_what_failed_under_them() -> None:
    """Else a broken LosslessRollout would be retried at the pace of its events."""
    queue = WorkQueue()
    queue.add(A)
    await taken(queue)
    queue.add(A)

    queue.failed(A)

    assert await taken(queue, 0.02) is None
    queue.close()


async def test_a_closed_queue_plans_nothing_any_more() -> None:
    """Its timers are gone with it."""
    queue = WorkQueue()
    queue.add_after(A, 0.01)

    queue.close()

    assert await taken(queue, 0.03) is None


async def test_how_long_the_first_has_waited() -> None:
    """A probe looks at it."""
    queue = WorkQueue()
    assert queue.oldest() == 0.0

    queue.add(A)
    await asyncio.sleep(0.02)

    assert queue.oldest() >= 0.02
