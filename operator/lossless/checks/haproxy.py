"""Questions about HAProxy's configuration, where a ConfigMap of the pod holds it.

What it does in a drain was measured with 2.6: rules of a frontend, of its defaults and of a backend
all tell the clients; a variable is set at level admin alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Severity, Trouble
from lossless.checks.haproxy_running import Haproxy, haproxies
from lossless.checks.haproxy_sections import Line, Section
from lossless.checks.setup import Setup
from lossless.model.close_drivers import HaproxyClose
from lossless.model.names import AGENT_UID

_RULES: Final = frozenset({"http-after-response", "http-response"})
_ACTIONS: Final = frozenset({"set-header", "add-header"})
_MASTER: Final = re.compile(r"\s-Ws?(?=\s|$)")
#: What may stand before an address.
_FAMILY: Final = re.compile(r"^(?:unix|ipv4|ipv6)@")
_OCTAL: Final = re.compile(r"[0-7]+")
_WRITE_OTHERS: Final = 0o002
_WRITE_GROUP: Final = 0o020


def tells_nobody(setup: Setup) -> Iterator[Trouble]:
    """Ask whether every frontend that clients come by looks at the variable."""
    for haproxy in haproxies(setup):
        rule = (
            "http-after-response set-header Connection close"
            f" if {{ var({haproxy.driver.variable}) -m bool }} !{{ status 101 }}"
        )
        by_http = [section for section in haproxy.entrances if section.speaks_http]
        for section in by_http or haproxy.entrances:
            if not section.speaks_http:
                yield _in_mode_tcp(haproxy, section, rule)
            elif not _is_told(section, haproxy):
                yield Trouble(
                    haproxy.at(section.head),
                    f"no rule of this {section.kind} looks at {haproxy.driver.variable}, which is"
                    " set when a drain starts, so its clients are never told to leave",
                    f"add: {rule}",
                )


def _in_mode_tcp(haproxy: Haproxy, section: Section, rule: str) -> Trouble:
    """Return what to do about a section that looks into nothing: it may well be meant so."""
    if section.names_mode:
        return Trouble(
            haproxy.at(section.head),
            f"this {section.kind} is in mode tcp, as it says: HAProxy forwards bytes, and can tell"
            " no client to leave, so the driver does nothing here",
            "let what runs behind it tell its clients, or give the connections a time to live; if"
            " it is plain HTTP that is forwarded, mode http can do it",
            Severity.WARNING,
        )
    return Trouble(
        haproxy.at(section.head),
        f"this {section.kind} is in mode tcp, which is HAProxy's default and in which it looks into"
        " nothing that it forwards, so its clients are never told to leave",
        f"if it is HTTP: say mode http, and: {rule}",
    )


def breaks_websockets(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a handshake that comes in a drain keeps its ``Connection: Upgrade``."""
    for haproxy in haproxies(setup):
        rules = {
            line: condition
            for section in haproxy.sections
            for line, condition in _rules(section, haproxy.driver)
        }
        for line, condition in rules.items():
            if "101" not in condition:
                yield Trouble(
                    haproxy.at(line),
                    "in a drain the answer to a WebSocket handshake loses its Connection: Upgrade,"
                    " so that clients refuse it (RFC 6455, section 4.1)",
                    "end the rule with: !{ status 101 }",
                )


def cannot_be_asked(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the agent can set a variable at the runtime API that the driver names."""
    for haproxy in haproxies(setup):
        driver = haproxy.driver
        sockets = {
            line.after("socket"): line for line in haproxy.globals if line.begins("stats", "socket")
        }
        line = next((line for at, line in sockets.items() if _is_of(driver, at)), None)
        if line is None:
            if any("$" in at for at in sockets):
                continue  # the environment may say that it is this one
            place = (
                f"{driver.socket} mode 666" if driver.socket else f"ipv4@127.0.0.1:{driver.port}"
            )
            yield Trouble(
                haproxy.at(haproxy.sections[0].head),
                f"close names {driver.name}, but HAProxy's runtime API is"
                f" {'at ' + ', '.join(sockets) if sockets else 'nowhere'}",
                f"say in the section global: stats socket {place} level admin",
            )
        elif line.after("level") != "admin":
            yield Trouble(
                haproxy.at(line),
                "the socket is not of level admin, without which HAProxy sets no variable (its own"
                " default is operator)",
                "add to the line: level admin",
            )
        elif driver.socket and not _is_open(line, haproxy):
            yield Trouble(
                haproxy.at(line),
                f"the socket is not open to uid {AGENT_UID}, as which the agent runs",
                "add to the line: mode 666; only containers that mount its volume reach it",
            )


def ignores_sigterm(setup: Setup) -> Iterator[Trouble]:
    """Ask whether HAProxy stops when it is told to, as process 1 of its container."""
    for haproxy in haproxies(setup):
        program = haproxy.started.partition(" ")[0].rpartition("/")[2]
        has_master = _MASTER.search(haproxy.started) or any(
            line.begins("master-worker") for line in haproxy.globals
        )
        if program == "haproxy" and not (has_master or setup.pod_spec.get("shareProcessNamespace")):
            yield Trouble(
                f"{setup.target} container {haproxy.container_name}",
                "HAProxy without a master process takes no notice of SIGTERM as process 1 of its"
                " container: a pod that has drained stays until its grace period ends",
                "start it with -W, or say master-worker in its section global",
            )


def http2_hears_nothing(setup: Setup) -> Iterator[Trouble]:
    """Ask whether clients may come by HTTP/2, in which HAProxy says no goodbye."""
    for haproxy in haproxies(setup):
        for line in (line for section in haproxy.entrances for line in section.body):
            offered = {*line.after("alpn").split(","), line.after("proto")}
            if line.begins("bind") and "h2" in offered:
                yield Trouble(
                    haproxy.at(line),
                    "clients that choose HTTP/2 here are not told to leave in a drain: HAProxy"
                    " drops the header and sends no GOAWAY",
                    "offer HTTP/1.1 alone, or end idle connections by timeout client and timeout"
                    " http-keep-alive",
                )


def _is_told(section: Section, haproxy: Haproxy) -> bool:
    """Whether a rule of it, or of each backend that it may lead to, tells its clients to leave."""
    backends = {one.name: one for one in haproxy.kinds("backend")}
    chosen_late = any("%[" in name for name in section.backends)
    behind = [backends.get(name) for name in (backends if chosen_late else section.backends)]

    def tells(one: Section | None) -> bool:
        return one is not None and (
            one.closes_always or any(True for _ in _rules(one, haproxy.driver))
        )

    return tells(section) or (bool(behind) and all(map(tells, behind)))


def _rules(section: Section, driver: HaproxyClose) -> Iterator[tuple[Line, str]]:
    """Yield the rules that tell clients to leave in a drain, with what they depend on."""
    acls = defaultdict[str, list[str]](list)
    for line in section.lines:
        if line.begins("acl"):
            acls[line.after("acl")] += line.words[2:]
    for line in section.lines:
        match line.words:
            case (kind, action, header, "close", *rest) if (
                kind in _RULES and action in _ACTIONS and header.lower() == "connection"
            ):
                named = [word for name in rest for word in acls.get(name.lstrip("!"), ())]
                condition = " ".join((*rest, *named))
                if f"var({driver.variable})" in condition:
                    yield line, condition


def _is_of(driver: HaproxyClose, address: str) -> bool:
    """Whether a driver asks at an address of ``stats socket``."""
    bare = _FAMILY.sub("", address)
    return bare == driver.socket if driver.socket else bare.endswith(f":{driver.port}")


def _is_open(line: Line, haproxy: Haproxy) -> bool:
    """Whether the agent may connect to a socket: who may write to its file may (unix(7))."""
    pod = haproxy.setup.pod_spec.get("securityContext") or {}
    own = haproxy.container.get("securityContext") or {}
    users = {str(own.get("runAsUser", pod.get("runAsUser"))), line.after("uid")}
    if str(AGENT_UID) in users or line.after("user") == "nobody":
        return True
    octal = line.after("mode")
    mode = int(octal, 8) if _OCTAL.fullmatch(octal) else 0
    # With fsGroup the folders of volumes hand their group on, and the agent is in it, too.
    return bool(mode & _WRITE_OTHERS) or bool(mode & _WRITE_GROUP and "fsGroup" in pod)
