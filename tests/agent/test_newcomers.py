"""New connections of a draining pod, look by look."""

from lossless.agent.newcomers import MAX_SUSPECTS, MAX_UNSEEN, Newcomers
from lossless.model.drain.agent_config import Probe

PROBE = Probe(port=80, period=10.0, timeout=1.0)


def newcomers(*probes: Probe) -> Newcomers:
    """Watch with a quiet of three seconds."""
    return Newcomers(probes, 3.0)


def test_a_client_is_told_with_its_time_and_forgotten_after_the_window() -> None:
    """Its time is kept: the drain's quiet counts from there."""
    watched = newcomers()
    watched.add(10.0, clients=2, suspects=[], unseen=0, still_open=[])

    assert watched.summary(10.0) == (10.0, 2)
    assert watched.summary(12.9) == (10.0, 2)
    assert watched.summary(13.0) == (10.0, 0)


def test_a_probe_is_not_a_client() -> None:
    """One short connection from the node in ten seconds."""
    watched = newcomers(PROBE)
    watched.add(10.0, clients=0, suspects=[(b"a", 80)], unseen=0, still_open=[])

    assert watched.summary(10.0) == (None, 0)


def test_a_second_one_makes_both_of_them_clients() -> None:
    """Nobody can say which of the two was the probe."""
    watched = newcomers(PROBE)
    watched.add(10.0, clients=0, suspects=[(b"a", 80)], unseen=0, still_open=[])
    watched.add(11.0, clients=0, suspects=[(b"b", 80)], unseen=0, still_open=[])

    assert watched.summary(11.0) == (11.0, 2)
    assert watched.summary(13.5) == (11.0, 0)


def test_a_connection_that_stays_is_no_probe() -> None:
    """After the probe's timeout it counts from the time it came."""
    watched = newcomers(PROBE)
    watched.add(10.0, clients=0, suspects=[(b"a", 80)], unseen=0, still_open=[b"a"])
    watched.add(10.9, clients=0, suspects=[], unseen=0, still_open=[b"a"])
    assert watched.summary(10.9) == (None, 0)

    watched.add(11.0, clients=0, suspects=[], unseen=0, still_open=[b"a"])
    assert watched.summary(11.0) == (10.0, 1)


def test_unseen_ones_are_clients_if_no_probe_can_have_been() -> None:
    """Too short to be seen, but the kernel has counted them."""
    watched = newcomers()
    watched.add(10.0, clients=0, suspects=[], unseen=2, still_open=[])

    assert watched.summary(10.0) == (10.0, 2)


def test_memory_is_bounded_and_the_rest_are_clients() -> None:
    """A flood from the node's address is a flood of clients."""
    watched = newcomers(PROBE)
    flood = [(str(number).encode(), 80) for number in range(MAX_SUSPECTS + 500)]
    watched.add(10.0, clients=0, suspects=flood, unseen=10**6, still_open=[])

    assert watched.summary(10.0) == (10.0, MAX_SUSPECTS + 500 + MAX_UNSEEN)


def test_a_restart_forgets_everybody() -> None:
    """What came before the drain is nobody's concern."""
    watched = newcomers(PROBE)
    watched.add(10.0, clients=1, suspects=[(b"a", 80), (b"b", 80)], unseen=3, still_open=[])
    watched.restart()

    assert watched.summary(10.0) == (None, 0)
