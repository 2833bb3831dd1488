"""A real sshd on each host, and somebody who has a key for them and knows theirs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from e2e.cluster.command import run
from e2e.hosts.machines import Host
from e2e.hosts.network import CLIENT, Place
from e2e.support.programs import make_program
from e2e.support.testbed import ROOT

SSHD: Final = "/usr/sbin/sshd"
#: sshd gives each session what names its own host's configuration.
REMOTE: Final = 'lossless host publish --config "$HOST_CONFIG"'
#: Nothing but a key opens the door. StrictModes would refuse every folder below /tmp.
_SSHD: Final = """\
ListenAddress {address}:22
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {authorized}
StrictModes no
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
SetEnv HOST_CONFIG={config} PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin
"""
#: Where sshd's unprivileged half is locked up; Debian's unit makes it.
_PRIVILEGE_SEPARATION: Final = Path("/run/sshd")


class Operator:
    """Whoever rolls out from a machine of their own: a home with a key and known hosts."""

    def __init__(self, root: Path, hosts: Sequence[Host]) -> None:
        """Make keys for ``hosts`` and for them, and write all files; nothing runs yet."""
        self.home = root / "operator"
        self.known_hosts = self.home / ".ssh" / "known_hosts"
        self.key = self.home / ".ssh" / "id_ed25519"
        self.list = self.home / "hosts"
        self._hosts = hosts
        self.key.parent.mkdir(parents=True, mode=0o700)
        public = make_key(self.key)
        authorized = self.home / "authorized_keys"
        authorized.write_text(f"{public}\n")
        programs = self.home / "bin"
        programs.mkdir()
        make_program(programs / "lossless", "lossless")
        known = []
        for host in hosts:
            known.append(f"{host.place.address} {make_key(host.folder / 'host_key')}\n")
            (host.folder / "sshd_config").write_text(
                _SSHD.format(
                    address=host.place.address,
                    folder=host.folder,
                    authorized=authorized,
                    config=host.config,
                    programs=programs,
                )
            )
        self.known_hosts.write_text("".join(known))
        self.list.write_text("".join(f"{name(host.place)}\n" for host in hosts))

    def start(self) -> None:
        """Start sshd on every host."""
        _PRIVILEGE_SEPARATION.mkdir(exist_ok=True)
        for host in self._hosts:
            run(host.place.command([SSHD, "-f", str(host.folder / "sshd_config")]))

    def command(self, *options: str, hosts: Path | None = None) -> list[str]:
        """Return the command that rolls out over all hosts, or those of the file ``hosts``."""
        argv = [sys.executable, "-m", "lossless", "host", "rollout"]
        argv += ["--hosts", str(hosts or self.list), "--command", REMOTE, *options]
        return CLIENT.command(argv)

    def rollout(
        self, *options: str, hosts: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Roll out to its end; return what it said and its exit code."""
        return subprocess.run(
            self.command(*options, hosts=hosts),
            env=self._environment(),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    @contextmanager
    def rolling(self) -> "Iterator[subprocess.Popen[str]]":
        """Roll out beside what is done within; killed if that fails."""
        process = subprocess.Popen(
            self.command(),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()

    def _environment(self) -> dict[str, str]:
        # Not the keys, the agent or the configuration of whoever runs this.
        outer = {key: text for key, text in os.environ.items() if key != "SSH_AUTH_SOCK"}
        return outer | {"HOME": str(self.home), "PYTHONPATH": str(ROOT / "operator")}


def name(place: Place) -> str:
    """Return the line that names a host in the list."""
    return f"root@{place.address}"


def make_key(path: Path) -> str:
    """Make a key pair; return its public half."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
    return path.with_suffix(".pub").read_text().strip()
