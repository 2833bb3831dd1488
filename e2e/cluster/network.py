"""The cluster's network: every host in a network namespace, a bridge in one more.

The bridge is in a namespace of its own, not on the machine: bridged packets pass the iptables of
the namespace they are bridged in, and a machine's firewall (Docker's, ufw's) drops what it does not
know. So the machine has nothing but one end of a veth pair, and no rule is ever added to it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import bridge_netfilter, mounts
from e2e.cluster.command import run, succeeds
from e2e.cluster.topology import SERVICE_CIDR, Client

if TYPE_CHECKING:
    from e2e.cluster.topology import Node, Topology

HUB = "lossless-hub"
BRIDGE = "br0"
MACHINE_LINK = "lossless0"
NETNS_DIR = Path("/run/netns")
PREFIX = "lossless-"


def namespace_file(namespace: str) -> Path:
    """Where `ip netns` binds a namespace."""
    return NETNS_DIR / namespace


def existing_namespaces() -> list[str]:
    """Our namespaces that exist now, of this or of an earlier cluster."""
    if not NETNS_DIR.is_dir():
        return []
    return sorted(entry.name for entry in NETNS_DIR.iterdir() if entry.name.startswith(PREFIX))


def machine_routes() -> list[str]:
    """Destinations that the machine routes now, our own link left out."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    return [
        route["dst"]
        for route in routes
        if route.get("dev") != MACHINE_LINK and route.get("type") not in {"local", "broadcast"}
    ]


def hub_commands(topology: Topology) -> list[str]:
    """`ip` commands, run on the machine, that make the hub and the machine's link into it."""
    return [
        f"netns add {HUB}",
        f"link add {MACHINE_LINK} type veth peer name machine netns {HUB}",
        f"addr add {topology.machine_address}/24 dev {MACHINE_LINK}",
        f"link set {MACHINE_LINK} up",
        *(f"netns add {host.namespace}" for host in topology.hosts),
    ]


def bridge_commands(topology: Topology) -> list[str]:
    """`ip` commands, run in the hub, that make the bridge and plug every host into it."""
    commands = [
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"link set {BRIDGE} up",
        f"link set machine master {BRIDGE} up",
    ]
    for host in topology.hosts:
        commands += [
            f"link add {host.name} type veth peer name eth0 netns {host.namespace}",
            f"link set {host.name} master {BRIDGE} up",
        ]
    return commands


def host_commands(topology: Topology, host: Node | Client) -> list[str]:
    """`ip` commands, run in a host's namespace: its address, and its way to pods and services.

    A client enters Services through its node and pods through the pod's own node; nodes reach each
    other's pods directly. There is no way to the Internet.

    Everything else ends on our bridge, where nobody answers to ARP for it. By way of the machine,
    one that forwards would send it on by its uplink, as it would what kube-proxy has no rule for: a
    Service that is gone. A node cannot do without: kube-proxy translates what the node itself sends
    in OUTPUT, and the kernel asks for a route before that.
    """
    commands = [
        "link set lo up",
        f"addr add {host.address}/24 dev eth0",
        "link set eth0 up",
        "route add default dev eth0",
    ]
    commands += [
        f"route add {node.pod_cidr} via {node.address}"
        for node in topology.nodes
        if node.address != host.address
    ]
    if isinstance(host, Client):
        commands.append(f"route add {SERVICE_CIDR} via {host.via.address}")
    return commands


NODE_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/eth0/rp_filter": "0",
    # A client's packets come in and go out through the same link: tell it of no shortcut that
    # would bypass the node that it is meant to go through.
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/eth0/send_redirects": "0",
}

NO_SUCH_SERVICE = f"""
table ip lossless {{
  chain forward {{
    type filter hook forward priority filter + 10
    ip daddr {SERVICE_CIDR} meta l4proto tcp reject with tcp reset
    ip daddr {SERVICE_CIDR} reject
  }}
  chain output {{
    type filter hook output priority filter + 10
    ip daddr {SERVICE_CIDR} meta l4proto tcp reject with tcp reset
    ip daddr {SERVICE_CIDR} reject
  }}
}}
"""
"""A node's answer to packets for Services that kube-proxy has not translated.

iptables commits table by table, filter before nat: when a Service gets its first endpoint, the
answer "no endpoints" goes a moment before the translation comes. A SYN of that moment would leave
the node as it is, and conntrack would remember for two minutes not to translate what comes from the
same port: a client that uses the port again cannot reach the Service, as long as it may be there.

What is rejected here is not remembered. In its nftables mode kube-proxy itself drops what goes to
addresses of no Service (KEP-3866). TCP is reset, because of ICMP errors the kernel sends one a
second only (icmp(7)), and who hears nothing waits.
"""

NODE_BRIDGE_SYSCTL = "net/bridge/bridge-nf-call-iptables"
"""Without it a Service's answers to a pod of the same node bypass the translation back."""


def in_namespace(namespace: str) -> list[str]:
    """The command prefix that enters a network namespace.

    Not `ip netns exec`: that remounts /sys, which hides the cgroups.
    """
    return ["nsenter", f"--net={namespace_file(namespace)}", "--"]


def create(topology: Topology) -> None:
    """Make the whole network; nothing of it may exist yet."""
    bridge_netfilter.load()
    _batch(hub_commands(topology))
    _batch(bridge_commands(topology), HUB)
    for host in topology.hosts:
        _batch(host_commands(topology, host), host.namespace)
    for node in topology.nodes:
        script = "\n".join(
            f"echo {value} > /proc/sys/{knob}" for knob, value in NODE_SYSCTLS.items()
        )
        run([*in_namespace(node.namespace), "sh", "-e"], stdin=script)
        run([*in_namespace(node.namespace), "nft", "--file", "-"], stdin=NO_SUCH_SERVICE)
        knob = f"/proc/sys/{NODE_BRIDGE_SYSCTL}"
        run(
            [*in_namespace(node.namespace), "sh", "-ec", f"echo 1 > {knob}"],
            remedy="The kernel has no br_netfilter module; install the one of the running kernel.",
        )


def set_connected(node: Node, *, connected: bool) -> None:
    """Pull a node's network cable, or plug it in again."""
    run(["ip", "-n", HUB, "link", "set", node.name, "up" if connected else "down"])


def destroy() -> None:
    """Delete every namespace and link of ours; harmless when there is none."""
    for namespace in existing_namespaces():
        run(["ip", "netns", "delete", namespace])
    if Path(f"/sys/class/net/{MACHINE_LINK}").exists():
        # Deleting the hub takes the link with it, but a moment later.
        succeeds(["ip", "link", "delete", MACHINE_LINK])
    if NETNS_DIR.is_dir() and not any(NETNS_DIR.iterdir()):
        # `ip netns add` has mounted the folder on itself.
        while mounts.is_mounted(NETNS_DIR) and succeeds(["umount", NETNS_DIR]):
            pass
        with suppress(OSError):  # somebody else's again
            NETNS_DIR.rmdir()


def _batch(commands: list[str], namespace: str | None = None) -> None:
    within = ["-n", namespace] if namespace else []
    run(["ip", *within, "-batch", "-"], stdin="\n".join(commands) + "\n")
