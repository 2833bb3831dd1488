"""Machines without Kubernetes: a rolling publish loses nothing, and waits only as it must."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from e2e.conftest import cannot_be_shown
from e2e.hosts.machines import Host, Times
from e2e.hosts.network import HOSTS
from e2e.hosts.ssh import SSHD, Operator, make_key, name
from e2e.hosts.story import Result, Site, load, site, table, tell, verdict
from e2e.hosts.ways import WAYS
from e2e.support.eventually import eventually

pytestmark = pytest.mark.apart("hosts of its own")

_PROGRAMS: Final = ("ip", "haproxy", "nginx", "ssh-keygen", SSHD)


@pytest.fixture(scope="module")
def made() -> Iterator[Site]:
    """Three hosts with sshd, behind HAProxy."""
    if os.geteuid() != 0:
        cannot_be_shown("network namespaces need root")
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        cannot_be_shown(f"not installed: {', '.join(missing)}; see e2e/hosts/debian-packages.txt")
    with site(Times()) as made:
        yield made


@pytest.fixture(scope="module")
def naive(made: Site) -> Result:
    """Return the control of all that lose nothing here: published naively, the load loses some."""
    result = tell(made, "naive")
    assert result.report.failed, table([result])
    return result


def test_a_rolling_publish_on_three_hosts_loses_nothing(made: Site, naive: Result) -> None:
    """Naively it loses some in the same minute; with the seed's sleeps it takes longer."""
    results = [naive, *(tell(made, way) for way in WAYS if way != naive.way)]

    shown = table(results)
    good, words = verdict(results)
    assert good, f"{words}\n{shown}"
    for result in results:
        served = {name for name in result.report.pods if name}
        assert served == {place.name for place in HOSTS}, f"{result.way}: {served}\n{shown}"


def run_of(host: Host) -> str:
    """Return what tells one run of a host's application from the next."""
    return (host.folder / "app.pid").read_text()


@pytest.mark.usefixtures("naive")
def test_a_broken_version_stops_at_its_first_host(made: Site) -> None:
    """Its host stays out, the next is not touched, and once it is mended the same command goes on.

    No client notices any of it.
    """
    first, second, third = made.machines.hosts
    before = [run_of(host) for host in made.machines.hosts]
    script = second.folder / "start-app"
    good = script.read_text()
    with load(made) as reports:
        script.write_text("#!/bin/sh\necho 'no such module: web' >&2\nexit 1\n")
        stopped = made.operator.rollout()
        then = [run_of(host) for host in made.machines.hosts]
        script.write_text(good)
        went_on = made.operator.rollout()

    assert stopped.returncode == 1, stopped.stdout
    assert f"{second.place.address}: FAILED with exit code 1" in stopped.stdout
    assert "no such module: web" in stopped.stdout
    assert "1 of 3 hosts published." in stopped.stdout
    assert f"Not begun, and as they were: {third.place.address}" in stopped.stdout
    assert (then[0] != before[0], then[2] == before[2]) == (True, True), stopped.stdout
    assert went_on.returncode == 0, went_on.stdout
    assert "3 of 3 hosts published." in went_on.stdout
    assert run_of(third) != before[2]
    assert reports[0].failed == 0, reports[0]
    assert all(host.flag.exists() for host in (first, second, third))


@pytest.mark.usefixtures("naive")
def test_ctrl_c_lets_the_host_at_work_finish(made: Site) -> None:
    """It ends online with its new version, and nobody else begins."""
    first, *others = made.machines.hosts
    before = [run_of(host) for host in made.machines.hosts]
    with load(made) as reports, made.operator.rolling() as rollout:
        eventually(lambda: not first.flag.exists(), what="its drain begins", within=30, every=0.05)
        rollout.send_signal(signal.SIGINT)
        said, _ = rollout.communicate(timeout=60)

    assert rollout.returncode == 128 + signal.SIGINT, said
    assert "1 of 3 hosts published." in said
    assert run_of(first) != before[0]
    assert first.flag.exists()
    assert [run_of(host) for host in others] == before[1:], said
    assert reports[0].failed == 0, reports[0]


@pytest.mark.usefixtures("naive")
def test_a_second_ctrl_c_leaves_a_host_that_says_so(made: Site) -> None:
    """Its publish goes on, for sshd passes no signal on to root; the last line says where."""
    first, *others = made.machines.hosts
    was, before = run_of(first), [run_of(host) for host in others]
    with load(made) as reports:
        with made.operator.rolling() as rollout:
            eventually(
                lambda: not first.flag.exists(), what="its drain begins", within=30, every=0.05
            )
            rollout.send_signal(signal.SIGINT)
            assert rollout.stdout is not None  # asked for
            taken = next(line for line in rollout.stdout if "once more" in line)
            assert taken.startswith("SIGINT")
            rollout.send_signal(signal.SIGINT)
            said, _ = rollout.communicate(timeout=60)
        eventually(first.flag.exists, what="the host is back", within=60)

    assert f"Left while at work, see `lossless host status` there: {first.place.address}" in said
    assert run_of(first) != was
    assert [run_of(host) for host in others] == before, said
    assert reports[0].failed == 0, reports[0]


def forget_the_host(operator: Operator) -> None:
    """Leave the first host's key out of known_hosts."""
    lines = operator.known_hosts.read_text().splitlines(keepends=True)
    operator.known_hosts.write_text("".join(lines[1:]))


def change_the_hosts_key(operator: Operator) -> None:
    """Know the first host by the second one's key."""
    first, second, *others = operator.known_hosts.read_text().splitlines(keepends=True)
    address, _, _ = first.partition(" ")
    _, _, key = second.partition(" ")
    operator.known_hosts.write_text("".join((f"{address} {key}", second, *others)))


def take_another_key(operator: Operator) -> None:
    """Have a key that no host knows."""
    operator.key.unlink()
    make_key(operator.key)


def damage_the_key(operator: Operator) -> None:
    """Have a key that belongs to another public half."""
    public = operator.key.with_suffix(".pub")
    was = public.read_text()
    take_another_key(operator)
    public.write_text(was)


@pytest.mark.parametrize(
    ("target", "spoil", "words"),
    [
        pytest.param(
            "10.88.0.11", forget_the_host, "its host key is not the one in", id="unknown-host-key"
        ),
        pytest.param(
            "10.88.0.11", change_the_hosts_key, "its host key is not the one in", id="changed-key"
        ),
        pytest.param(
            "10.88.0.11", take_another_key, "none of your keys opens the account", id="refused-key"
        ),
        pytest.param("10.88.0.11", damage_the_key, "your own SSH keys or", id="damaged-key"),
        pytest.param("10.88.0.11:2222", None, "nothing listens there", id="no-sshd"),
        pytest.param("10.88.0.99", None, "there is no way to it", id="unreachable"),
        pytest.param("web-1.invalid", None, "its name is not known", id="no-such-name"),
    ],
)
def test_a_door_that_stays_shut(
    made: Site,
    tmp_path: Path,
    target: str,
    spoil: Callable[[Operator], None] | None,
    words: str,
) -> None:
    """It says what is wrong and what to do, and that nothing was begun there, nor further on."""
    operator = made.operator
    secrets = {path: path.read_text() for path in operator.key.parent.iterdir()}
    listed = tmp_path / "hosts"
    listed.write_text(f"root@{target}\n{name(HOSTS[1])}\n")
    before = [run_of(host) for host in made.machines.hosts]
    try:
        if spoil is not None:
            spoil(operator)
        done = operator.rollout(hosts=listed)
    finally:
        for path, text in secrets.items():
            path.write_text(text)

    assert done.returncode == 1, done.stdout
    assert words in done.stdout
    assert "nothing was begun there" in done.stdout
    assert f"Not begun, and as they were: {HOSTS[1].address}" in done.stdout
    assert [run_of(host) for host in made.machines.hosts] == before
