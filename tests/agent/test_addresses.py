"""Addresses as the kernel packs them."""

import pytest

from lossless.agent.addresses import (
    is_loopback,
    local_address,
    mirrored,
    pack,
    pack_all,
    peer_address,
    show,
    within_host,
    within_pod,
)
from tests.agent.builders import name, sock


@pytest.mark.parametrize(
    ("local", "peer", "pod", "host"),
    [
        pytest.param("10.1.0.5", "10.2.0.7", False, False, id="from-elsewhere"),
        pytest.param("127.0.0.1", "127.0.0.1", True, True, id="loopback"),
        pytest.param("10.1.0.5", "127.8.8.8", True, True, id="any-loopback-address"),
        pytest.param("::1", "::1", True, True, id="loopback-of-ipv6"),
        pytest.param("::ffff:127.0.0.1", "::ffff:127.0.0.1", True, True, id="mapped-loopback"),
        pytest.param("::ffff:10.1.0.5", "::ffff:10.2.0.7", False, False, id="mapped"),
        pytest.param("10.1.0.5", "10.1.0.5", True, False, id="its-own-address"),
        pytest.param("2001:db8::5", "2001:db8::5", True, False, id="its-own-ipv6-address"),
        pytest.param("2001:db8::5", "::2", False, False, id="almost-loopback"),
    ],
)
def test_what_stays_inside(local: str, peer: str, pod: bool, host: bool) -> None:  # noqa: FBT001 # columns
    """In a pod of its own, and on the node's network, where others have the same address."""
    addresses = (pack(local), pack(peer))

    assert (within_pod(*addresses), within_host(*addresses)) == (pod, host)


@pytest.mark.parametrize(
    ("local", "peer", "shown"),
    [
        pytest.param("10.1.0.5:80", "10.2.0.7:4711", "10.2.0.7:4711", id="ipv4"),
        pytest.param("::ffff:10.1.0.5:80", "::ffff:10.2.0.7:4711", "10.2.0.7:4711", id="mapped"),
        pytest.param("2001:db8::5:80", "2001:db8::7:4711", "[2001:db8::7]:4711", id="ipv6"),
    ],
)
def test_a_peer_is_shown_as_people_write_it(local: str, peer: str, shown: str) -> None:
    """In reasons and reports."""
    found = sock(peer, local=local)

    assert show(peer_address(found), int(peer.rpartition(":")[2])) == shown


def test_the_other_end_has_the_mirrored_name() -> None:
    """A connection within the pod is seen twice."""
    one = name("10.1.0.5", 80, "10.1.0.5", 4711)

    assert mirrored(one) == name("10.1.0.5", 4711, "10.1.0.5", 80)
    assert mirrored(mirrored(one)) == one


def test_addresses_of_a_list_and_what_is_none() -> None:
    """One wrong entry does not cost the others."""
    assert pack_all([" 10.1.0.1 ", "", "fe80::1%eth0", "node-1", "::ffff:10.1.0.2"]) == (
        frozenset({pack("10.1.0.1"), pack("fe80::1"), pack("10.1.0.2")}),
        ("", "node-1"),
    )


def test_local_and_peer_are_not_mixed_up() -> None:
    """They lie side by side in the kernel's answer."""
    found = sock("10.2.0.7:4711", local="10.1.0.5:80")

    assert (local_address(found), peer_address(found)) == (pack("10.1.0.5"), pack("10.2.0.7"))
    assert not is_loopback(peer_address(found))
