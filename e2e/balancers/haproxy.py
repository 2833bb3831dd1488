"""HAProxy's configuration: one frontend on loopback for each route."""

from collections.abc import Iterator, Mapping

from e2e.balancers.routes import Backend
from e2e.cluster.topology import DNS_SERVICE_IP

_HEAD = """\
global
  maxconn 4096
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
"""
#: ``hold obsolete``: how long an address that DNS no longer gives is believed.
_RESOLVERS = """\
resolvers {name}
  nameserver dns {dns}:53
  accepted_payload_size 8192
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  hold obsolete {obsolete}s
"""
_DNS, _CHECKED = "dns", "checked"
#: Seconds; a checked backend is out by its check long before that.
_LONG = 600


def config(ports: Mapping[Backend, int], *, lag: int) -> str:
    """Return the configuration.

    It never repeats a request, and keeps connections to pods in its pools, as it does by default.

    Args:
        ports: on which to listen for each backend.
        lag: seconds for which an address that is gone is believed; a health check fails only
            after three times a third of it.
    """
    sections = [
        _HEAD,
        _RESOLVERS.format(name=_DNS, dns=DNS_SERVICE_IP, obsolete=lag),
        _RESOLVERS.format(name=_CHECKED, dns=DNS_SERVICE_IP, obsolete=_LONG),
    ]
    for backend, port in ports.items():
        sections.append(
            f"frontend {backend.word}\n"
            f"  bind 127.0.0.1:{port}\n"
            f"  default_backend {backend.word}\n"
            f"backend {backend.word}\n"
            "  balance roundrobin\n" + "".join(f"  {line}\n" for line in _servers(backend, lag))
        )
    return "".join(sections)


def _servers(backend: Backend, lag: int) -> Iterator[str]:
    check = ""
    if backend.check_port:
        yield f"option httpchk GET {backend.check_path}"
        yield "http-check expect status 200"
        check = f" check port {backend.check_port} inter {lag * 1000 // 3} fall 3 rise 1"
    for number, host in enumerate(backend.hosts):
        if backend.by_dns:
            yield (
                f"server-template pod 8 {host}:{backend.port}{check}"
                f" resolvers {_CHECKED if check else _DNS}"
                " init-addr none resolve-prefer ipv4"
            )
        else:
            yield f"server node{number} {host}:{backend.port}{check}"
