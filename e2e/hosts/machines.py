"""What runs on a host and in front of it, as files and commands: nginx, the sample app, HAProxy."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.cluster.command import run
from e2e.hosts.network import BALANCER, HOSTS, Place
from e2e.support import nginx
from e2e.support.eventually import eventually
from e2e.support.testbed import ROOT

#: Seconds: the seed's socketTimeout and health-check time. A rollout of minutes shows no more than
#: one of a quarter of them, so by default all ways run with a quarter (``Times.scale``).
SOCKET_TIMEOUT: Final = 60.0
HEALTH_CHECK: Final = 10.0
PORT: Final = 8080
_APP_PORT: Final = 8081
_NGINX: Final = """\
  upstream app {{ server 127.0.0.1:8081; keepalive 64; }}
  server {{
    listen 8080;
    keepalive_timeout {keepalive:g}s;
    location = /status {{
      if (!-f {flag}) {{ return 404; }}
      return 200 "ok";
    }}
    location / {{
      error_page 418 = @closing;
      if (!-f {flag}) {{ return 418; }}
      proxy_pass http://app;
    }}
    location @closing {{
      keepalive_timeout 0;
      proxy_pass http://app;
    }}
  }}
"""
_HAPROXY: Final = """\
global
  maxconn 1000
  stats socket {folder}/haproxy.sock
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
frontend clients
  bind :80
  default_backend hosts
backend hosts
  balance roundrobin
  option httpchk GET /status
  http-check expect status 200
  default-server check inter 1s fall 2 rise 2
{servers}
"""
_CONFIG: Final = """\
statusFiles = ["{flag}"]
ports = [8080]
networkNamespace = "{namespace}"
stateDirectory = "{folder}/state"
close = [{{nginx = {{}}}}]

[drain]
clientIdleTimeout = "{idle:g}s"
propagation = "{propagation:g}s"
quiet = "1s"
timeout = "2m"

[proxy]
stop = ["{folder}/stop-proxy"]
start = ["{folder}/start-proxy"]
timeout = "10s"

[app]
stop = ["{folder}/stop-app"]
start = ["{folder}/start-app"]
timeout = "10s"

[ready]
url = "http://127.0.0.1:8081/healthz"
interval = "100ms"
timeout = "20s"

[loadBalancer]
timeout = "20s"
required = true
checks = [{{from = ["{balancer}"], port = 8080, interval = "1s", timeout = "1s"}}]
"""


@dataclass(frozen=True, slots=True)
class Times:
    """What is waited for, in seconds."""

    scale: float = 0.25
    """Of the seed's times."""

    @property
    def socket_timeout(self) -> float:
        """A client gives up a connection idle for so long."""
        return SOCKET_TIMEOUT * self.scale

    @property
    def health_check(self) -> float:
        """In that time the load balancer has noticed, for certain."""
        return HEALTH_CHECK * self.scale


class Host:
    """One host: nginx and the sample application, started and stopped by scripts."""

    def __init__(self, place: Place, root: Path, times: Times) -> None:
        """Write its files; nothing runs yet."""
        self.place = place
        self.folder = root / place.name
        self.flag = self.folder / "status"
        self.config = self.folder / "host.toml"
        self.folder.mkdir(parents=True)
        (self.folder / "nginx.conf").write_text(
            nginx.config(
                _NGINX.format(flag=self.flag, keepalive=4 * times.socket_timeout),
                folder=str(self.folder),
            )
        )
        self.config.write_text(
            _CONFIG.format(
                flag=self.flag,
                namespace=place.namespace,
                folder=self.folder,
                idle=times.socket_timeout,
                propagation=times.health_check,
                balancer=BALANCER.address,
            )
        )
        self._scripts()

    def start(self) -> None:
        """Start it for the first time."""
        self.flag.touch()
        for name in ("start-app", "start-proxy"):
            self.run(name)

    def run(self, script: str) -> None:
        """Run one of its scripts to its end."""
        run([self.folder / script], timeout=30)

    def _scripts(self) -> None:
        proxy = shlex.join(
            self.place.command(["nginx", "-p", str(self.folder), "-c", f"{self.folder}/nginx.conf"])
        )
        app = shlex.join(self.place.command([sys.executable, f"{ROOT}/e2e/sample/image/app.py"]))
        scripts = {
            "start-proxy": proxy,
            # As Debian's unit does: workers may finish their requests.
            "stop-proxy": _stop("nginx.pid", "QUIT"),
            "start-app": (
                f"HOSTNAME={self.place.name} VERSION=$(date +%s.%N) setsid {app}"
                " >> app.log 2>&1 &\necho $! > app.pid"
            ),
            "stop-app": _stop("app.pid", "TERM"),
        }
        for name, text in scripts.items():
            path = self.folder / name
            path.write_text(f"#!/bin/sh -eu\ncd {self.folder}\n{text}\n")
            path.chmod(0o755)


def _stop(pid_file: str, signal: str) -> str:
    """Return shell lines that end a process and wait for it, as systemd does."""
    return (
        f"pid=$(cat {pid_file})\nkill -{signal} $pid\n"
        "while [ -d /proc/$pid ] && ! grep -q '^State:.Z' /proc/$pid/status; do sleep 0.05; done"
    )


class Machines:
    """All hosts and their load balancer."""

    def __init__(self, root: Path, times: Times) -> None:
        """Write all files below ``root``, which is emptied."""
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        self.root = root
        self.hosts: Sequence[Host] = [Host(place, root, times) for place in HOSTS]
        servers = "\n".join(f"  server {one.name} {one.address}:{PORT}" for one in HOSTS)
        self._haproxy = root / "haproxy.cfg"
        self._haproxy.write_text(_HAPROXY.format(folder=root, servers=servers))

    def start(self) -> None:
        """Start everything, and wait until HAProxy sends to every host."""
        for host in self.hosts:
            host.start()
        run(BALANCER.command(["haproxy", "-D", "-f", str(self._haproxy)]))
        self.settle()

    def settle(self) -> None:
        """Wait until HAProxy sends to every host."""
        eventually(
            self._up,
            lambda up: up == len(self.hosts),
            what="HAProxy takes every host for healthy",
            within=30,
        )

    def _up(self) -> int:
        probe = (
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(b'show stat -1 4 -1\\n'); print(s.makefile().read())"
        )
        text = run([sys.executable, "-c", probe, self.root / "haproxy.sock"])
        head, *lines = text.removeprefix("# ").splitlines()
        at = head.split(",").index("status")
        # A new HAProxy takes its servers for up until a check has failed.
        return sum(line.split(",")[at] == "UP" for line in lines if line)
