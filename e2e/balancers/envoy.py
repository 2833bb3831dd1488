"""Envoy's configuration: one listener on loopback for each route."""

import json
from collections.abc import Mapping
from typing import Any

from e2e.balancers.routes import Backend
from e2e.cluster.topology import DNS_SERVICE_IP

_HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_CARES = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"


def config(ports: Mapping[Backend, int], *, lag: int) -> str:
    """Return the configuration, as JSON, which is YAML.

    It never repeats a request: a route without ``retry_policy`` has no retries.

    Args:
        ports: on which to listen for each backend.
        lag: seconds for which DNS is not asked again; a health check fails only after three
            times a third of it. An address that DNS no longer gives stays for as long as its
            check succeeds (``ignore_health_on_host_removal`` is off by default).
    """
    document = {
        "static_resources": {
            "listeners": [_listener(backend, port) for backend, port in ports.items()],
            "clusters": [_cluster(backend, lag) for backend in ports],
        }
    }
    return json.dumps(document, indent=1)


def _listener(backend: Backend, port: int) -> dict[str, Any]:
    return {
        "name": backend.word,
        "address": _address("127.0.0.1", port),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "http",
                        "typed_config": {
                            "@type": f"{_HTTP}.HttpConnectionManager",
                            "stat_prefix": backend.word,
                            "http_filters": [
                                {"name": "router", "typed_config": {"@type": _ROUTER}}
                            ],
                            "route_config": {
                                "virtual_hosts": [
                                    {
                                        "name": "all",
                                        "domains": ["*"],
                                        "routes": [
                                            {
                                                "match": {"prefix": "/"},
                                                "route": {
                                                    "cluster": backend.word,
                                                    "timeout": "60s",
                                                },
                                            }
                                        ],
                                    }
                                ]
                            },
                        },
                    }
                ]
            }
        ],
    }


def _cluster(backend: Backend, lag: int) -> dict[str, Any]:
    check = {"health_check_config": {"port_value": backend.check_port}}
    ends = [
        {
            "endpoint": {
                "address": _address(host, backend.port),
                **(check if backend.check_port else {}),
            }
        }
        for host in backend.hosts
    ]
    cluster: dict[str, Any] = {
        "name": backend.word,
        "type": "STRICT_DNS" if backend.by_dns else "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": backend.word, "endpoints": [{"lb_endpoints": ends}]},
        # All unhealthy: no traffic, instead of traffic to all of them.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
    if backend.by_dns:
        cluster |= {
            "dns_refresh_rate": "1s" if backend.check_port else f"{lag}s",
            "dns_lookup_family": "V4_ONLY",
            "typed_dns_resolver_config": {
                "name": "cares",
                "typed_config": {
                    "@type": _CARES,
                    "resolvers": [_address(DNS_SERVICE_IP, 53)],
                    "dns_resolver_options": {"use_tcp_for_dns_lookups": False},
                },
            },
        }
    if backend.check_port:
        cluster["health_checks"] = [
            {
                "timeout": "2s",
                "interval": f"{lag / 3:.3f}s",
                # A host without traffic is looked at as often as one with it.
                "no_traffic_interval": f"{lag / 3:.3f}s",
                "unhealthy_threshold": 3,
                "healthy_threshold": 1,
                "http_health_check": {"path": backend.check_path},
            }
        ]
    return cluster


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
