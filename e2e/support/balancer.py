"""A load balancer outside the cluster: HAProxy on a client's host, its backends found by DNS."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Final

from e2e.cluster.topology import CLUSTER_DOMAIN, DNS_SERVICE_IP
from e2e.sample.manifests import HEADLESS, HTTP_PORT
from e2e.support.eventually import eventually
from e2e.support.testbed import ROOT
from e2e.support.world import World

PORT: Final = 8000
URL: Final = f"http://127.0.0.1:{PORT}/"
#: ``hold obsolete``: for so long a backend that DNS no longer names goes on getting requests. It
#: never retries, and no health check takes a backend out sooner: as slow as a balancer can be.
_CONFIG: Final = Template("""\
global
  maxconn 4096
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
resolvers cluster
  nameserver dns $dns:53
  accepted_payload_size 8192
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  hold obsolete ${lag}s
frontend clients
  bind 127.0.0.1:$port
  default_backend pods
backend pods
  balance roundrobin
  server-template pod 8 $name:$pod_port resolvers cluster init-addr none resolve-prefer ipv4
""")


@contextlib.contextmanager
def a_slow_balancer(world: World, *, lag: int) -> Iterator[str]:
    """Have HAProxy stand before the pods of the headless Service; yield its URL.

    The URL is for clients on the same host, where it listens on loopback.

    Args:
        world: with the service deployed.
        lag: seconds for which it goes on using an address that DNS no longer gives, on top of
            the DNS server's own cache.
    """
    name = f"{HEADLESS}.{world.namespace}.svc.{CLUSTER_DOMAIN}"
    config = _CONFIG.substitute(
        dns=DNS_SERVICE_IP, lag=lag, port=PORT, name=name, pod_port=HTTP_PORT
    )
    with tempfile.TemporaryDirectory(prefix="lossless-haproxy-") as folder:
        file = Path(folder, "haproxy.cfg")
        file.write_text(config)
        world.mark(f"HAProxy takes up its work, {lag} s behind DNS")
        process = subprocess.Popen(
            world.testbed.client_command(["haproxy", "-db", "-f", str(file)]),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
        try:
            eventually(
                lambda: _answers(world),
                what="HAProxy to have found a pod by DNS",
                within=60,
            )
            yield URL
        finally:
            process.terminate()
            process.wait(timeout=10)


def _answers(world: World) -> bool:
    program = f"import urllib.request as r; r.urlopen({URL!r}, data=b'', timeout=5).read()"
    argv = world.testbed.client_command([sys.executable, "-c", program])
    done = subprocess.run(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0
