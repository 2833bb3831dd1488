"""HAProxy's configuration is checked as the container has it mounted."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from e2e.support.testbed import ROOT
from lossless.checks.finding import Severity
from lossless.checks.haproxy_sections import read_sections
from tests.checks.haproxy_pods import (
    APP,
    BARE,
    COVERED,
    DEFAULTS,
    FOLDER,
    GLOBAL,
    RULE,
    WEB,
    behind_haproxy,
)
from tests.checks.manifests import Raw
from tests.checks.test_checks import found

SOCKET = "/run/haproxy/admin.sock"
AT_SOCKET: dict[str, Any] = {"socket": SOCKET}
#: On a volume of the pod, without which another check would have its say.
SOCKET_VOLUME: dict[str, Any] = {
    "volumes": [
        {"name": "front", "configMap": {"name": "front"}},
        {"name": "run", "emptyDir": {}},
    ]
}
MOUNTS: list[Raw] = [{"mountPath": FOLDER}, {"name": "run", "mountPath": "/run/haproxy"}]
BY_ACL = WEB.replace(
    RULE,
    """acl draining var(proc.drain) -m bool
    acl upgraded status 101
    http-response add-header connection "close" if draining !upgraded""",
)


def with_socket(socket: str, **more: Any) -> dict[str, Raw]:
    """Return a set-up in which HAProxy is asked at a socket; ``pod`` holds more of the pod."""
    text = COVERED.replace("ipv4@127.0.0.1:9999 level admin", socket)
    pod = SOCKET_VOLUME | more.pop("pod", {})
    return behind_haproxy(text, driver=AT_SOCKET, mounts=MOUNTS, pod=pod, **more)


#: Lines of words that mean something, right or wrong, and of any others.
WORDS = some.sampled_from(
    [
        *("global", "defaults", "frontend", "backend", "listen", "from", "web", "app", "%[x]"),
        *("mode", "http", "tcp", "bind", ":8080", "/x", "alpn", "h2", "stats", "socket", "666"),
        *("level", "admin", "acl", "draining", "if", "!", "'", '"', "#", "\\"),
        *("default_backend", "use_backend", "server"),
        *("http-after-response", "set-header", "Connection", "close", "var(proc.drain)"),
    ]
)
LINES = some.lists(some.lists(WORDS, max_size=6).map(" ".join) | some.text(), max_size=20)


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(behind_haproxy(COVERED), id="as documented"),
        pytest.param(
            behind_haproxy((ROOT / "e2e/proof/image/haproxy.cfg").read_text()), id="the proof's"
        ),
        pytest.param(
            behind_haproxy(COVERED, mounts=[{"mountPath": "/etc/haproxy"}]), id="where Debian looks"
        ),
        pytest.param(
            behind_haproxy(
                COVERED, mounts=[{"mountPath": "/opt"}], args=["-f", "/opt/haproxy.cfg"]
            ),
            id="a file of one's own",
        ),
        pytest.param(
            behind_haproxy(COVERED, mounts=[{"mountPath": "/opt"}], args=["-f", "/opt/"]),
            id="a folder",
        ),
        pytest.param(behind_haproxy(GLOBAL + DEFAULTS + BY_ACL + APP), id="by names of ACLs"),
        pytest.param(
            behind_haproxy(GLOBAL + DEFAULTS + BARE + APP + f"  {RULE}"), id="in the backend"
        ),
        pytest.param(
            behind_haproxy(
                GLOBAL
                + DEFAULTS
                + BARE.replace("default_backend app", "use_backend %[path,word(1,/)]")
                + f"{APP}  {RULE}"
            ),
            id="in each backend of those one of which is chosen late",
        ),
        pytest.param(
            behind_haproxy(
                f"{GLOBAL}defaults told\n mode http\n {RULE}\n{DEFAULTS}"
                + BARE.replace("web", "web from told")
                + APP
            ),
            id="in the defaults that are named",
        ),
        pytest.param(
            behind_haproxy(f"{COVERED}frontend tls\n bind :8443\n mode tcp\n default_backend app"),
            id="TCP beside HTTP",
        ),
        pytest.param(
            behind_haproxy(f"{COVERED}listen stats\n bind :8404\n stats enable\n stats uri /"),
            id="a page for statistics",
        ),
        pytest.param(
            behind_haproxy(
                f"{COVERED}frontend own\n bind 127.0.0.1:8090,unix@/run/x\n default_backend app"
            ),
            id="a port that does not count",
        ),
        pytest.param(
            behind_haproxy(GLOBAL.replace("9999", "$PORT") + DEFAULTS + WEB + APP),
            id="an address of the environment",
        ),
        pytest.param(with_socket(f"{SOCKET} mode 666 level admin"), id="a socket open to all"),
        pytest.param(with_socket(f"unix@{SOCKET} user nobody level admin"), id="the agent's"),
        pytest.param(
            with_socket(f"{SOCKET} level admin", securityContext={"runAsUser": 65534}),
            id="HAProxy is the agent's user",
        ),
        pytest.param(
            with_socket(
                f"{SOCKET} mode 660 level admin", pod={"securityContext": {"fsGroup": 2000}}
            ),
            id="a socket open to the pod's group",
        ),
        pytest.param(
            behind_haproxy(COVERED, command=["haproxy", "-W", "-f", f"{FOLDER}/haproxy.cfg"]),
            id="with a master",
        ),
        pytest.param(
            behind_haproxy(
                COVERED.replace("global", "global\n  master-worker"), command=["/usr/sbin/haproxy"]
            ),
            id="with a master by the configuration",
        ),
        pytest.param(
            behind_haproxy(COVERED, command=["tini", "--", "haproxy"]), id="not as process 1"
        ),
        pytest.param(
            behind_haproxy(COVERED, command=["haproxy"], pod={"shareProcessNamespace": True}),
            id="the pause container is process 1",
        ),
        pytest.param(behind_haproxy("# nothing\n"), id="nothing in it"),
        *(
            pytest.param(
                behind_haproxy(text.replace("mode http", f"mode http\n    {option}")), id=option
            )
            for text, option in (
                (GLOBAL + DEFAULTS + BARE + APP, "option httpclose"),
                (GLOBAL + DEFAULTS + BARE + APP, "option forceclose"),
                (GLOBAL + DEFAULTS + BARE + APP, "http-response set-header Connection close"),
            )
        ),
        pytest.param(
            behind_haproxy(GLOBAL + DEFAULTS + BARE + f"{APP}    option httpclose"),
            id="the backend closes always",
        ),
    ],
)
def test_nothing_is_found_in_a_configuration_that_is_right(objects: dict[str, Raw]) -> None:
    """However it gets into the container, and where there is nothing to look at."""
    assert found(objects) == ()


@pytest.mark.parametrize(
    ("objects", "code", "at", "said"),
    [
        pytest.param(
            behind_haproxy(GLOBAL + DEFAULTS + BARE + APP),
            *("LL803", "haproxy.cfg:8", f"add: {RULE}"),
            id="no rule",
        ),
        pytest.param(
            behind_haproxy(COVERED, driver={"port": 9999, "variable": "proc.go"}),
            *("LL803", "haproxy.cfg:8", "no rule of this frontend looks at proc.go"),
            id="a rule for another variable",
        ),
        pytest.param(
            behind_haproxy(COVERED.replace("http-after", "# http-after")),
            *("LL803", "haproxy.cfg:8", "never told"),
            id="a rule that is a comment",
        ),
        pytest.param(
            behind_haproxy(
                GLOBAL
                + DEFAULTS
                + BARE
                + f"{APP}  {RULE}"
                + APP.replace("app", "b")
                + WEB.replace("web", "two").replace(RULE, "use_backend b if TRUE")
            ),
            *("LL803", "haproxy.cfg:19", "no rule of this frontend"),
            id="a rule in one backend of two",
        ),
        pytest.param(
            behind_haproxy(GLOBAL + "listen web\n bind *:8080\n mode http\n server a 127.0.0.1:1"),
            *("LL803", "haproxy.cfg:4", "no rule of this listen"),
            id="a listen",
        ),
        pytest.param(
            behind_haproxy(GLOBAL + WEB + APP),
            *("LL803", "haproxy.cfg:5", "if it is HTTP: say mode http"),
            id="no mode",
        ),
        pytest.param(
            behind_haproxy(
                GLOBAL
                + DEFAULTS.replace("mode http", "mode http\n    option httpclose")
                + BARE.replace("bind", "no option httpclose\n    bind")
                + f"{APP}    no option httpclose"
            ),
            *("LL803", "haproxy.cfg:9", f"add: {RULE}"),
            id="an option that is undone",
        ),
        pytest.param(
            behind_haproxy(COVERED.replace(" !{ status 101 }", "")),
            *("LL804", "haproxy.cfg:10", "end the rule with: !{ status 101 }"),
            id="the rule before 101 was left out",
        ),
        pytest.param(
            behind_haproxy(
                GLOBAL + f"{DEFAULTS} {RULE}".replace(" !{ status 101 }", "") + BARE + APP + WEB
            ),
            *("LL804", "haproxy.cfg:7", "Upgrade"),
            id="in the defaults, told once",
        ),
        pytest.param(
            behind_haproxy(COVERED, driver={"port": 9998}),
            *("LL805", "haproxy.cfg:2", "HAProxy's runtime API is at ipv4@127.0.0.1:9999"),
            id="another port",
        ),
        pytest.param(
            behind_haproxy(DEFAULTS + WEB + APP),
            *("LL805", "haproxy.cfg:2", "HAProxy's runtime API is nowhere"),
            id="no socket",
        ),
        pytest.param(
            behind_haproxy(COVERED.replace(" level admin", "")),
            *("LL805", "haproxy.cfg:3", "add to the line: level admin"),
            id="no level",
        ),
        pytest.param(
            with_socket(f"{SOCKET} mode 660 level admin"),
            *("LL805", "haproxy.cfg:3", "not open to uid 65534"),
            id="a socket for HAProxy's group",
        ),
        pytest.param(
            with_socket(f"{SOCKET} mode rw level admin"),
            *("LL805", "haproxy.cfg:3", "mode 666"),
            id="no mode of files",
        ),
        pytest.param(
            behind_haproxy(COVERED, command=["haproxy", "-f"], args=[f"{FOLDER}/haproxy.cfg"]),
            *("LL806", "Deployment shop/web container haproxy", "start it with -W"),
            id="process 1 without a master",
        ),
        pytest.param(
            behind_haproxy(COVERED, command=["/bin/sh", "-ec", "sleep 1; exec haproxy -db"]),
            *("LL806", "Deployment shop/web container haproxy", "SIGTERM"),
            id="process 1 by a shell",
        ),
        pytest.param(
            behind_haproxy(COVERED.replace("bind :8080", "bind :8080 ssl crt /x alpn h2,http/1.1")),
            *("LL807", "haproxy.cfg:9", "clients that choose HTTP/2 here"),
            id="HTTP/2 by ALPN",
        ),
        pytest.param(
            behind_haproxy(COVERED.replace("bind :8080", "bind :8080 proto h2")),
            *("LL807", "haproxy.cfg:9", "GOAWAY"),
            id="HTTP/2 alone",
        ),
    ],
)
def test_what_is_wrong_is_found(objects: dict[str, Raw], code: str, at: str, said: str) -> None:
    """Once, with the line."""
    (finding,) = found(objects)

    assert finding.code == code
    assert finding.object.endswith(at)
    assert said in f"{finding.reason}; {finding.remedy}"
    assert finding.severity is (Severity.ERROR if code in {"LL803", "LL805"} else Severity.WARNING)


@given(LINES.map("\n".join))
@example("global\n\x1f")
def test_every_text_can_be_asked_about(text: str) -> None:
    """Whatever it finds, it names a line that is there, and no line of it is lost."""
    lines = text.split("\n")
    sections = read_sections({"a": text})
    read = [line for section in sections for line in (section.head, *section.body)]
    assert len({line.number for line in read}) == len(read) <= len(lines)
    # Blank is what separates words there; str.strip() takes other control characters, too.
    assert all(line.words and lines[line.number - 1].strip(" \t\r") for line in read)

    for finding in found(behind_haproxy(text)):
        where = finding.object.rpartition("haproxy.cfg:")[2]
        assert 1 <= int(where) <= len(lines)


def test_the_rule_that_is_advised_is_the_documented_one() -> None:
    """What people copy is what was measured."""
    documented = re.findall(r"http-after-response .*", (ROOT / "docs/close-drivers.md").read_text())
    assert RULE in documented


def test_a_tcp_proxy_is_not_told_to_speak_http() -> None:
    """Whoever has chosen mode tcp has a reason; the driver does nothing there, and that is said."""
    text = GLOBAL + DEFAULTS.replace("http", "tcp") + BARE + APP
    (finding,) = found(behind_haproxy(text))

    assert (finding.code, finding.severity) == ("LL803", Severity.WARNING)
    assert "this frontend is in mode tcp, as it says" in finding.reason
    assert not finding.remedy.startswith("say mode http")
