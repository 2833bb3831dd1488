"""What events have told: whom to wake, and what to read."""

import asyncio
from dataclasses import replace

from lossless.cluster.objects import Claim, PodEventSummary
from lossless.cluster.watching import Change, Changed, Key
from lossless.controller.index import Index
from lossless.model.rollout.observation import Departure, Elsewhere, Unknown
from lossless.model.targets import Kind, Target

WEB, API, OTHER = Key("shop", "web"), Key("shop", "api"), Key("shop", "other")
DEPLOYMENT = Target(Kind.DEPLOYMENT, "web")
GONE = Departure("a", "uid-a", Unknown("killed"), served=True)


def claim(name: str, deployment: str = "web", resume: str = "") -> Claim:
    """Return what a LosslessRollout claims."""
    target = Target(Kind.DEPLOYMENT, deployment)
    return Claim(created="2027-01-15T08:00:00Z", name=name, target=target, resume=resume)


def sight(
    change: Change, name: str = "a", rollout: str = "web", departure: Departure | None = GONE
) -> Changed[PodEventSummary]:
    """Return an event about a pod of Deployment web."""
    seen = PodEventSummary(f"uid-{name}", rollout, DEPLOYMENT, departure)
    return Changed(change, Key("shop", name), seen)


def test_a_changed_rollout_wakes_itself_and_its_rivals() -> None:
    """Who owns a target may change with every claim on it."""
    index = Index()

    assert index.put(WEB, claim("web")) == {WEB}
    assert index.put(OTHER, claim("other")) == {WEB, OTHER}
    assert index.hints(WEB).rivals == ("other",)
    assert index.remove(WEB) == {WEB, OTHER}
    assert index.hints(OTHER).rivals == ()


def test_a_rollout_of_which_only_the_status_changed_wakes_nobody() -> None:
    """Our own writes are no news."""
    index = Index()
    index.put(WEB, claim("web"))

    assert index.put(WEB, claim("web")) == frozenset()
    assert index.put(WEB, claim("web", resume="1")) == {WEB}


def test_a_new_target_wakes_those_of_the_old_and_of_the_new() -> None:
    """The old one's heir and the new one's rival."""
    index = Index()
    index.put(WEB, claim("web"))
    index.put(OTHER, claim("other"))
    index.put(API, claim("api", "api"))

    assert index.put(OTHER, claim("other", "api")) == {WEB, API, OTHER}
    assert index.targeting("shop", DEPLOYMENT) == {WEB}


def test_an_image_that_cannot_be_pulled_is_everybodys_business() -> None:
    """Each other one is told which these are, when it begins and when it ends."""
    index = Index()
    for key in (WEB, API, OTHER):
        index.put(key, claim(key.name, key.name))

    assert index.put(WEB, replace(claim("web"), unpullable=True)) == {WEB, API, OTHER}
    assert [index.hints(key).unpullable for key in (WEB, API)] == [(), (Elsewhere(*WEB),)]
    assert index.put(WEB, replace(claim("web"), unpullable=True)) == frozenset()
    assert index.put(WEB, claim("web")) == {WEB, API, OTHER}


def test_what_was_never_known_wakes_itself() -> None:
    """A deletion may be the first that is heard of it."""
    assert Index().remove(WEB) == {WEB}


def test_a_full_list_is_the_truth() -> None:
    """Ghosts go, and namespaces with them; whoever changed without an event is woken."""
    index = Index()
    index.put(Key("ghost", "web"), claim("web"))
    index.put(API, claim("api", "api"))

    untold = index.replace_all({WEB: claim("web"), API: claim("api", "api")})

    assert untold == {Key("ghost", "web"), WEB}
    assert set(index.rollouts) == {WEB, API}
    assert index.namespaces() == {"shop"}


def test_a_list_undoes_no_event() -> None:
    """It was read before that; the namespaces of what it does not know would lose the webhook."""
    bank = Key("bank", "web")
    index = Index()
    index.put(WEB, claim("web"))
    index.put(OTHER, claim("other"))

    with index.listing() as told:
        index.put(bank, claim("web"))
        index.put(WEB, claim("web", "api"))
        index.remove(OTHER)
        older = {WEB: claim("web"), OTHER: claim("other"), API: claim("api", "api")}
        untold = index.replace_all(older, told)

    assert index.rollouts == {bank: claim("web"), WEB: claim("web", "api"), API: older[API]}
    assert index.namespaces() == {"bank", "shop"}
    assert API in untold

    with index.listing() as told:
        index.replace_all({WEB: claim("web")}, told)
    assert index.rollouts == {WEB: claim("web")}


def test_an_event_that_tells_nothing_new_is_newer_than_a_list_too() -> None:
    """The list may be of before what is known already."""
    index = Index()
    index.put(WEB, claim("web"))

    with index.listing() as told:
        index.put(WEB, claim("web"))
        index.replace_all({}, told)

    assert set(index.rollouts) == {WEB}


def test_a_pod_with_a_new_label_is_known_by_that_alone() -> None:
    """Both LosslessRollouts are woken; for the former one the pod is no stray any more."""
    index = Index()
    index.saw(sight(Change.ADDED))

    woken = index.saw(sight(Change.MODIFIED, rollout="other"))

    assert woken >= {WEB, OTHER}
    assert index.hints(WEB).labelled == frozenset()
    assert index.hints(OTHER).labelled == {"uid-a"}
    assert index.everybody() == {OTHER}
    index.saw(sight(Change.DELETED, rollout="other"))
    assert index.everybody() == frozenset()


def test_a_pod_wakes_by_its_label_and_by_its_deployment() -> None:
    """After a LosslessRollout was renamed the two differ."""
    index = Index()
    index.put(WEB, claim("web"))

    assert index.saw(sight(Change.ADDED, rollout="before")) == {WEB, Key("shop", "before")}
    assert index.everybody() == {WEB, Key("shop", "before")}


def test_a_pod_is_known_until_it_is_gone() -> None:
    """Its uid tells what a list should hold."""
    index = Index()
    index.saw(sight(Change.ADDED))
    index.saw(sight(Change.MODIFIED))
    known = index.hints(WEB).labelled
    index.saw(sight(Change.DELETED))

    assert known == {"uid-a"}
    assert index.hints(WEB).labelled == frozenset()
    assert index.everybody() == frozenset()


def test_a_departure_is_kept_until_it_was_acted_on() -> None:
    """A look that could not store its status finds it again."""
    index = Index()
    index.put(WEB, claim("web"))
    index.saw(sight(Change.ADDED))
    index.saw(sight(Change.DELETED))

    assert index.hints(WEB).departures == (GONE,)
    assert index.hints(WEB).departures == (GONE,)
    index.acted_on(WEB, [GONE])
    assert index.hints(WEB).departures == ()


def test_a_pod_that_is_back_has_not_departed() -> None:
    """Its label was taken away, which a watch calls DELETED, and put back."""
    index = Index()
    index.put(WEB, claim("web"))
    index.saw(sight(Change.ADDED))
    index.saw(sight(Change.DELETED))
    index.saw(sight(Change.DELETED, "b", departure=replace(GONE, uid="uid-b")))

    index.saw(sight(Change.ADDED))

    assert [gone.uid for gone in index.hints(WEB).departures] == ["uid-b"]


def test_departures_are_bounded_and_for_those_who_listen() -> None:
    """A LosslessRollout that is gone needs none, and no number of pods fills the memory."""
    index = Index()
    index.saw(sight(Change.DELETED))
    unheard = index.hints(WEB).departures
    index.put(WEB, claim("web"))
    for number in range(1000):
        gone = Departure(f"p{number}", f"uid-p{number}", Unknown("killed"), served=True)
        index.saw(sight(Change.DELETED, f"p{number}", departure=gone))

    assert unheard == ()
    assert len(index.hints(WEB).departures) == 200
    assert index.hints(WEB).departures[-1].name == "p999"


def test_a_new_term_begins_without_pods() -> None:
    """Nobody has watched them since."""
    index = Index()
    index.put(WEB, claim("web"))
    index.saw(sight(Change.ADDED))
    index.saw(sight(Change.DELETED, "b"))

    index.forget_pods()

    assert index.hints(WEB).labelled == frozenset()
    assert index.hints(WEB).departures == ()
    assert [*index.rollouts] == [WEB]


async def test_a_list_that_is_ahead_waits_for_the_event() -> None:
    """The event brings the last words."""
    index = Index()
    index.saw(sight(Change.ADDED))
    waiting = asyncio.create_task(index.told_gone(WEB, frozenset({"uid-a", "uid-unknown"})))
    await asyncio.sleep(0.01)
    early = waiting.done()

    index.saw(sight(Change.DELETED))
    await asyncio.wait_for(waiting, 1)

    assert not early


async def test_an_event_that_does_not_come_is_not_waited_for_long() -> None:
    """A watch that lags must not hold a rollout."""
    index = Index(lag=0.05)
    index.saw(sight(Change.ADDED))

    await asyncio.wait_for(index.told_gone(WEB, frozenset({"uid-a"})), 1)
