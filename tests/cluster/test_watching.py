"""The store must equal the cluster after any failure, and its changes must add up to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from aiohttp import web

from lossless.cluster.client import Raw
from lossless.cluster.watching import Change, Changed, Key, Synced, Timing, Watch
from tests.cluster.scripted_api import (
    CUT,
    END,
    ERROR,
    HANG,
    PATH,
    ScriptedApi,
    Step,
    client_of,
    event,
    listing,
    pod,
    scripted_api,
    status,
)

FAST = Timing(backoff_first=0.01, backoff_most=0.05, short=0.0)
SYNCED = "SYNCED"


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    """Return a server whose answers the test writes down."""
    async with scripted_api() as running:
        yield running


def version_of(raw: Raw) -> str:
    """Keep of a pod what the tests compare: its resource version."""
    return str(raw["metadata"]["resourceVersion"])


def shown(change: Changed[str] | Synced) -> str:
    """Return a change as one word for comparison: ``ADDED a@1``."""
    if isinstance(change, Synced):
        return SYNCED
    return f"{change.change} {change.key.name}@{change.object}"


async def first(watch: Watch[str], count: int) -> list[str]:
    """Return the first ``count`` changes, within five seconds."""
    seen: list[str] = []
    async with asyncio.timeout(5), aclosing(watch.events()) as events:
        async for change in events:
            seen.append(shown(change))
            if len(seen) == count:
                break
    return seen


async def test_a_list_then_its_changes(api: ScriptedApi) -> None:
    """Listed objects are added, then synced, then the watch goes on from the list's version."""
    api.lists.append(lambda: listing(7, pod("a", 3), pod("b", 5)))
    api.watches.append(
        [
            event("MODIFIED", pod("a", 8)),
            event("BOOKMARK", {"metadata": {"resourceVersion": "9"}}),
            event("DELETED", pod("b", 10)),
            event("ADDED", pod("c", 11)),
        ]
    )
    async with client_of(api.url) as client:
        watch = Watch(client, PATH, version_of, label_selector="app=web", timing=FAST)
        before = watch.synced, watch.silence()
        seen = await first(watch, 6)
        after = watch.synced, watch.silence() < 5

    assert before == (False, float("inf"))
    assert after == (True, True)
    assert seen == ["ADDED a@3", "ADDED b@5", SYNCED, "MODIFIED a@8", "DELETED b@10", "ADDED c@11"]
    assert watch.objects == {Key("shop", "a"): "8", Key("shop", "c"): "11"}
    assert api.watched_from() == ["7"]
    assert {q["labelSelector"] for q in api.queries} == {"app=web"}
    assert api.queries[-1]["allowWatchBookmarks"] == "true"


GONE_EVENT = event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "old"})


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param([GONE_EVENT], id="410-as-an-event"),
        pytest.param(status(410, "Expired"), id="410-as-an-answer"),
        pytest.param([b"not json\n"], id="garbage-line"),
        pytest.param([b'{"type": "ADDED"}\n'], id="event-without-object"),
        pytest.param([b'["ADDED"]\n'], id="event-of-another-shape"),
        pytest.param([event("ADDED", {"metadata": {"name": "x"}})], id="object-without-version"),
        pytest.param([event("ADDED", {"metadata": None})], id="object-without-metadata"),
        pytest.param([event("RENAMED", pod("a", 9))], id="unknown-event"),
        pytest.param([event("ERROR", {"code": 500, "message": "broken"})], id="500-as-an-event"),
        pytest.param([event("ERROR", {"no": "code"})], id="error-without-code"),
        pytest.param([b"[" * 100_000 + b"\n"], id="nested-too-deep"),
    ],
)
async def test_no_ghosts_after_a_stream_that_cannot_be_trusted(
    api: ScriptedApi, failure: list[Step] | web.Response
) -> None:
    """What vanished while nobody could watch is reported as deleted after the new list."""
    api.lists.append(lambda: listing(7, pod("ghost", 3), pod("kept", 4), pod("new-uid", 5)))
    api.lists.append(
        lambda: listing(20, pod("kept", 4), pod("new-uid", 18, uid="other"), pod("late", 19))
    )
    api.watches.append(failure)
    async with client_of(api.url) as client:
        watch = Watch(client, PATH, version_of, timing=FAST)
        seen = await first(watch, 9)

    assert seen[4:] == [
        "DELETED ghost@3",
        "DELETED new-uid@5",
        "ADDED new-uid@18",
        "ADDED late@19",
        SYNCED,
    ]
    assert [key.name for key in watch.objects] == ["kept", "new-uid", "late"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(CUT, id="cut"),
        pytest.param(END, id="ended-in-order"),
        pytest.param(b'{"type": "MODI', id="cut-inside-a-line"),
    ],
)
async def test_a_broken_watch_goes_on_where_it_was(api: ScriptedApi, end: Step) -> None:
    """A connection that ends costs no list: the next watch starts from the last version seen."""
    api.lists.append(lambda: listing(7))
    api.watches.append([event("ADDED", pod("a", 8)), end])
    api.watches.append([event("BOOKMARK", {"metadata": {"resourceVersion": "30"}}), CUT])
    api.watches.append([event("MODIFIED", pod("a", 31))])
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=FAST), 3)

    assert seen == [SYNCED, "ADDED a@8", "MODIFIED a@31"]
    assert api.watched_from() == ["7", "8", "30"]
    assert api.listed() == 1


@pytest.mark.parametrize("end", [CUT, HANG])
async def test_a_watch_outlives_an_error_whose_body_never_ends(api: ScriptedApi, end: Step) -> None:
    """A proxy answers 503 and breaks off, or falls silent, in the middle of it."""
    api.lists.append(lambda: listing(1, pod("a", 1)))
    api.watches.append([ERROR, b"upstream", end])
    api.watches.append([event("MODIFIED", pod("a", 2))])
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=replace(FAST, silence=0.2)), 3)

    assert seen == ["ADDED a@1", SYNCED, "MODIFIED a@2"]


async def test_an_event_seen_twice_is_reported_once(api: ScriptedApi) -> None:
    """A server may repeat what it said before a reconnect; the version tells."""
    api.lists.append(lambda: listing(7, pod("a", 3)))
    api.watches.append(
        [
            event("ADDED", pod("a", 3)),
            event("DELETED", pod("never-seen", 8)),
            event("MODIFIED", pod("a", 9)),
        ]
    )
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=FAST), 3)

    assert seen == ["ADDED a@3", SYNCED, "MODIFIED a@9"]


async def test_a_silent_connection_is_given_up(api: ScriptedApi) -> None:
    """A half-open connection says nothing for ever; the next one takes over at once."""
    api.lists.append(lambda: listing(7))
    api.watches.append([event("ADDED", pod("a", 8)), HANG])
    api.watches.append([event("MODIFIED", pod("a", 9))])
    timing = Timing(backoff_first=60.0, silence=0.1)
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=timing), 3)

    assert seen == [SYNCED, "ADDED a@8", "MODIFIED a@9"]
    assert api.watched_from() == ["7", "8"]


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(lambda: status(403, "Forbidden"), id="forbidden"),
        pytest.param(lambda: status(404, "NotFound"), id="crd-not-installed"),
        pytest.param(lambda: status(503), id="unavailable"),
        pytest.param(lambda: web.json_response([]), id="not-a-list"),
        pytest.param(lambda: web.json_response({"metadata": {}}), id="no-version"),
        pytest.param(lambda: listing(1, {"metadata": {"name": "x"}}), id="item-without-version"),
        pytest.param(lambda: web.Response(text="<html>"), id="not-json"),
    ],
)
async def test_a_refused_list_is_tried_again(api: ScriptedApi, refusal: object) -> None:
    """No refusal ends a watch: RBAC and CRDs may arrive later than we do."""
    api.lists.append(refusal)  # type: ignore[arg-type] # a callable, as the table shows
    api.lists.append(lambda: listing(7, pod("a", 3)))
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=FAST), 2)

    assert seen == ["ADDED a@3", SYNCED]


async def test_a_version_that_always_fails_is_given_up(api: ScriptedApi) -> None:
    """A server that answers 500 to one version for ever is asked for a new list in the end."""
    api.lists.append(lambda: listing(7))
    api.lists.append(lambda: listing(9, pod("a", 8)))
    api.watches.extend(status(500) for _ in range(4))
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=FAST), 3)

    assert seen == [SYNCED, "ADDED a@8", SYNCED]
    assert api.watched_from()[:4] == ["7"] * 4


async def test_a_list_of_several_pages(api: ScriptedApi) -> None:
    """Pages are one list; if the token gets too old, everything is asked for at once."""
    api.lists.append(lambda: listing(7, pod("stale", 1), more="token"))
    api.lists.append(lambda: status(410, "Expired"))
    api.lists.append(lambda: listing(8, pod("a", 3), pod("b", 5)))
    async with client_of(api.url) as client:
        seen = await first(Watch(client, PATH, version_of, timing=FAST), 3)

    assert seen == ["ADDED a@3", "ADDED b@5", SYNCED]
    assert [(q.get("limit"), q.get("continue")) for q in api.queries[:3]] == [
        ("500", None),
        ("500", "token"),
        (None, None),
    ]


async def test_a_relist_is_taken_when_due(api: ScriptedApi) -> None:
    """With ``relist`` even a healthy watch is checked against a list, and only differences show."""
    api.lists.append(lambda: listing(7, pod("a", 3), pod("lost-event", 4)))
    api.lists.append(lambda: listing(9, pod("a", 3)))
    api.watches.append([END])
    now = iter(range(0, 10_000, 10))
    async with client_of(api.url) as client:
        watch = Watch(
            client,
            PATH,
            version_of,
            timing=Timing(relist=15.0, short=0.0),
            clock=lambda: float(next(now)),
        )
        seen = await first(watch, 5)

    assert seen[2:] == [SYNCED, "DELETED lost-event@4", SYNCED]


async def test_a_watch_that_ends_at_once_backs_off(api: ScriptedApi) -> None:
    """A server that ends every watch at once is not asked in a tight loop."""
    api.lists.append(lambda: listing(7))
    api.watches.extend([END] for _ in range(100))
    timing = Timing(backoff_first=0.1, backoff_most=0.1, short=5.0)
    async with client_of(api.url) as client:
        watch = Watch(client, PATH, version_of, timing=timing)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first(watch, 1000), 0.5)

    assert 3 <= len(api.watched_from()) <= 11


async def test_a_deleted_object_is_reported_in_its_last_state(api: ScriptedApi) -> None:
    """The event that deletes a pod carries its termination message; the store's copy may not."""
    api.lists.append(lambda: listing(7, pod("a", 3)))
    api.watches.append([event("DELETED", pod("a", 8))])
    async with (
        client_of(api.url) as client,
        aclosing(Watch(client, PATH, version_of, timing=FAST).events()) as events,
        asyncio.timeout(5),
    ):
        changes = [await anext(events) for _ in range(3)]

    assert changes[-1] == Changed(Change.DELETED, Key("shop", "a"), "8")
