"""A reload with ``keepalive_min_timeout`` loses nothing, whatever the locations do.

Real nginx, clients that never repeat a request, and beside each claim the same without telling.
"""

import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from lossless.injection.file_hold import LOG, file_hold
from lossless.injection.nginx_reload import Reloading
from lossless.model import names
from lossless.model.close_drivers import NginxClose
from lossless.model.nginx_reload import ReloadClose
from lossless.model.phases import Phase
from tests.agent.builders import a_config
from tests.agent.processes import AgentProcess
from tests.nginx.fastcgi import a_fastcgi
from tests.nginx.impatient import Asking, Course, asking
from tests.nginx.real import NGINXES, Nginx, an_app
from tests.nginx.test_http2 import GOAWAY, HEADERS, Http2, say_hello
from tests.support.free_ports import free_port
from tests.support.waiting import PATIENCE, eventually, eventually_sync

NGINX: Final = NGINXES["wheel"]
#: Seconds; clients, app and FastCGI share one interpreter, and the machine may be busy.
_LONG: Final = 60.0
#: What a worker says that a reload has made an old one.
_OVER: Final = "gracefully shutting down"
KEEP: Final = "keepalive_min_timeout 75s;"
#: What people have, each location written once. ``<php>`` is a FastCGI application.
SHOP: Final = """
location / { try_files $uri $uri/ /index.html; }
location /assets/ { alias <files>/; expires 1y; }
location ~ [.]php$ { fastcgi_pass <php>; PARAMETERS }
location = /check { internal; fastcgi_pass <php>; fastcgi_pass_request_body off; PARAMETERS }
location /account/ {
    auth_request /check; error_page 401 = @signin;
    rewrite ^ /inside.php break; fastcgi_pass <php>; PARAMETERS
}
location @signin { return 302 /login?next=$request_uri; }
location = /download { fastcgi_pass <php>; PARAMETERS }
location /inside/ { internal; alias <files>/; }
location /old/ { rewrite ^/old/(.*)$ /$1.php last; }
location /moved/ { return 301 /new/; }
location /api/ { proxy_pass http://app; }
""".replace(
    "PARAMETERS",
    "fastcgi_param REQUEST_METHOD $request_method; fastcgi_param DOCUMENT_URI $uri; "
    "fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param HTTP_COOKIE $http_cookie;",
)
CLIENTS: Final = (
    Asking("static", "GET /assets/index.html", body="static\n"),
    Asking("spa", "GET /cart/items/7", body="static\n"),
    Asking("spa-again-and-slower", "GET /", body="static\n", pause=0.2),
    Asking("php", "GET /x.php", body="GET /x.php 0\n"),
    Asking("php-post", "POST /x.php", body="POST /x.php 9\n", content="some=body"),
    Asking("signed-in", "GET /account/7", body="GET /inside.php 0\n", headers=["Cookie: in=1"]),
    Asking("signed-out", "GET /account/7", status=302),
    Asking("x-accel-redirect", "GET /download", body="static\n"),
    Asking("rewritten", "GET /old/7", body="GET /7.php 0\n"),
    Asking("redirected", "GET /moved/", status=301),
    Asking("proxied", "POST /api/", content="x"),
    Asking("not-found", "GET /assets/x", status=404, pause=0.05),
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Nginx]:
    """Yield a server with everything in it that people have."""
    with an_app() as app, a_fastcgi() as php:
        server = SHOP.replace("<php>", f"127.0.0.1:{php}")
        nginx = Nginx(tmp_path, app, server, http=f"{KEEP} default_type text/plain;")
        with nginx.running(NGINX):
            yield nginx


def busy(courses: list[Course], number: int) -> bool:
    """Return whether every client has had so many answers more or less lately."""
    return all(one.answered >= number for one in courses)


def lost(courses: list[Course]) -> dict[str, Counter[str]]:
    """Return what was lost, by client."""
    return {one.asking.name: one.lost for one in courses if one.lost}


async def test_a_reload_tells_every_connection_once_and_loses_nothing(shop: Nginx) -> None:
    """Static files, an SPA, FastCGI, access checks, redirects and rewrites of all kinds."""
    async with asking(shop.port, CLIENTS) as courses:
        await eventually(lambda: busy(courses, 5), "all are busy", _LONG)
        before = {one.asking.name: one.told for one in courses}
        shop.reload()
        await eventually(lambda: all(one.told for one in courses), "all have been told", _LONG)
        seen = [one.answered for one in courses]
        await eventually(
            lambda: all(one.answered > n + 5 for one, n in zip(courses, seen, strict=True)),
            "all have gone on",
            _LONG,
        )

    assert lost(courses) == {}
    assert set(before.values()) == {0}
    assert {one.asking.name: one.told for one in courses} == dict.fromkeys(before, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda one: one.name)
async def test_the_same_nginx_that_is_just_stopped_loses_requests(
    number: signal.Signals, shop: Nginx
) -> None:
    """The control: both are what a container's end is for nginx, without telling before."""
    async with asking(shop.port, CLIENTS) as courses:
        await eventually(lambda: busy(courses, 5), "all are busy", _LONG)
        shop.signal(number)
        await eventually(lambda: any(one.lost for one in courses), "something is lost", _LONG)

    assert lost(courses)


@pytest.mark.parametrize(
    ("http", "kept"), [pytest.param(KEEP, True, id="kept"), pytest.param("", False, id="default")]
)
async def test_what_is_idle_in_the_moment_of_a_reload(
    http: str, *, kept: bool, tmp_path: Path
) -> None:
    """Told with its next answer; without the directive closed, and that answer is lost."""
    clients = [Asking(str(n), "GET /", pause=0.3) for n in range(8)]
    nginx = Nginx(tmp_path, free_port(), "location / { }", http=http)
    with nginx.running(NGINX):
        async with asking(nginx.port, clients) as courses:
            await eventually(lambda: busy(courses, 1), "all are there", _LONG)
            nginx.reload()
            await eventually(
                lambda: all(one.told or one.lost for one in courses), "all know", _LONG
            )

    if kept:
        assert lost(courses) == {}
        assert {one.told for one in courses} == {1}
    else:
        assert lost(courses)


def test_an_answer_that_was_begun_before_the_reload(tmp_path: Path) -> None:
    """It has said keep-alive: its connection stays for one more request, which is told."""
    nginx = Nginx(tmp_path, free_port(), "location /big { limit_rate 1m; }", http=KEEP)
    (tmp_path / "files" / "big").write_bytes(b"x" * 1_500_000)
    with nginx.running(NGINX), socket.create_connection(("127.0.0.1", nginx.port)) as link:
        link.settimeout(PATIENCE)
        link.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        head, _, rest = link.recv(65536).partition(b"\r\n\r\n")
        nginx.reload()
        eventually_sync(lambda: _OVER in nginx.errors())
        received = len(rest)
        while received < 1_500_000:
            received += len(link.recv(65536))
        assert b"Connection: keep-alive" in head
        link.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"Connection: close" in link.recv(65536)
        assert link.recv(1) == b""


@pytest.mark.parametrize(
    ("http", "idle", "closed"),
    [
        pytest.param("keepalive_min_timeout 2s;", 0.0, 2.0, id="so-long-after-its-last-answer"),
        pytest.param("keepalive_min_timeout 1s;", 1.5, 1.5, id="idle-for-longer-at-once"),
        pytest.param("keepalive_timeout 2s; " + KEEP, 0.0, 2.0, id="no-longer-than-its-own-time"),
    ],
)
def test_when_idle_connections_end(http: str, idle: float, closed: float, tmp_path: Path) -> None:
    """With both times alike, no reload closes a connection before nginx would have without it."""
    nginx = Nginx(tmp_path, free_port(), "location / { }", http=http)
    with nginx.running(NGINX), socket.create_connection(("127.0.0.1", nginx.port)) as link:
        link.settimeout(PATIENCE)
        link.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"keep-alive" in link.recv(65536)
        answered = time.monotonic()
        eventually_sync(lambda: time.monotonic() >= answered + idle)
        nginx.reload()
        assert link.recv(1) == b""

        assert closed - 0.1 <= time.monotonic() - answered < closed + 5


@pytest.mark.parametrize(
    ("http", "refused"),
    [pytest.param(KEEP, True, id="kept"), pytest.param("", False, id="default")],
)
def test_idle_connections_that_are_kept_are_not_given_to_newcomers(
    http: str, *, refused: bool, tmp_path: Path
) -> None:
    """What it costs where worker_connections run out: somebody is cut either way, but others."""
    nginx = Nginx(tmp_path, free_port(), "location / { }", http=http)
    early: list[bytes] = []
    newcomers: list[bytes] = []
    with nginx.running(NGINX), contextlib.ExitStack() as stack:
        links = []
        for _ in range(90):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port)))
            link.settimeout(PATIENCE)
            links.append(link)
            newcomers.append(_answer(link))
        early += [_answer(link) for link in links[:20]]

    assert all(early) is refused
    assert all(newcomers) is not refused


def _answer(link: socket.socket) -> bytes:
    """Return the answer to one more request; nothing if there is none."""
    try:
        return say_hello(link, "HEAD")
    except OSError:
        return b""


def _counts_more(nginx: Nginx, before: int) -> bool:
    return nginx.errors().count(_OVER) > before


@contextlib.contextmanager
def an_echo() -> Iterator[int]:
    """Serve one connection that speaks after an upgrade; yield the port."""

    def serve(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link:
            while not link.recv(65536).endswith(b"\r\n\r\n"):
                pass
            link.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\n\r\n"
            )
            while said := link.recv(65536):
                link.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("limit", "lives"), [pytest.param("", True, id="none"), pytest.param("1s", False, id="short")]
)
def test_a_websocket_outlives_reloads(limit: str, *, lives: bool, tmp_path: Path) -> None:
    """Unless worker_shutdown_timeout cuts it; a second reload makes no difference."""
    upgrade = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    upgrade += "proxy_set_header Connection upgrade; proxy_pass http://app;"
    with an_echo() as app:
        nginx = Nginx(tmp_path, app, f"location / {{ {upgrade} }}", http=KEEP)
        if limit:
            text = nginx.configuration.read_text()
            nginx.configuration.write_text(f"worker_shutdown_timeout {limit};\n{text}")
        with nginx.running(NGINX), socket.create_connection(("127.0.0.1", nginx.port)) as link:
            link.settimeout(PATIENCE)
            link.sendall(
                b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
            assert b" 101 " in link.recv(65536)
            for _ in range(2):
                before = nginx.errors().count(_OVER)
                nginx.reload()
                eventually_sync(partial(_counts_more, nginx, before))
            if lives:
                link.sendall(b"still here")
                assert link.recv(65536) == b"still here"
            else:
                assert link.recv(65536) == b""


def test_http_2_clients_are_told_by_the_same_reload(tmp_path: Path) -> None:
    """And whoever comes after it by the next."""
    nginx = Nginx(tmp_path, free_port(), "http2 on; location / { }", http=KEEP)
    with nginx.running(NGINX), Http2(nginx.port) as first:
        first.ask()
        assert first.next(HEADERS, GOAWAY) == (HEADERS, 1)
        nginx.reload()
        assert first.next(HEADERS, GOAWAY) == (GOAWAY, 1)
        with Http2(nginx.port) as second:
            second.ask()
            assert second.next(HEADERS, GOAWAY) == (HEADERS, 1)
            nginx.reload()
            assert second.next(HEADERS, GOAWAY) == (GOAWAY, 1)


def test_no_http_2_request_is_left_without_a_word(tmp_path: Path) -> None:
    """Each is answered, or GOAWAY says that it was not processed (RFC 9113 section 6.8)."""
    nginx = Nginx(tmp_path, free_port(), "http2 on; location / { }", http=KEEP)
    seen: Counter[str] = Counter()
    stop = threading.Event()
    with nginx.running(NGINX):
        clients = [
            threading.Thread(target=_ask_http2, args=(nginx.port, seen, stop)) for _ in range(4)
        ]
        for client in clients:
            client.start()
        try:
            for number in range(1, 4):
                eventually_sync(partial(_answered_more, seen, seen["answered"] + 20))
                nginx.reload()
                eventually_sync(partial(_counts_more, nginx, number - 1))
            eventually_sync(partial(_answered_more, seen, seen["answered"] + 20))
        finally:
            stop.set()
            for client in clients:
                client.join(PATIENCE)

    assert seen["left alone"] == 0
    # All but the last connection of each client, which may have been between two in a reload.
    assert seen["connections"] - len(clients) <= seen["told"] <= seen["connections"]
    assert seen["told"] >= len(clients)
    assert seen["refused"] <= seen["told"]


def _answered_more(seen: Counter[str], number: int) -> bool:
    return seen["answered"] > number


def _ask_http2(port: int, seen: Counter[str], stop: threading.Event) -> None:
    """Ask one request after the other, on one connection until it is told to leave."""
    while not stop.is_set():
        with Http2(port) as client:
            seen["connections"] += 1
            stream, told = -1, False
            while not told and not stop.is_set():
                stream += 2
                client.ask()
                try:
                    kind, last = client.next(HEADERS, GOAWAY)
                    if kind == GOAWAY:
                        told, refused = True, last < stream
                        seen["told"] += 1
                        seen["refused"] += refused
                        if refused:
                            continue
                        client.next(HEADERS)
                    seen["answered"] += 1
                except (EOFError, OSError):
                    seen["left alone"] += 1
                    break


def test_the_drain_of_a_pod_from_its_hook_to_its_release(tmp_path: Path) -> None:
    """Agent, hook and nginx as in a pod: who was there, who comes at once, who comes late.

    On its node's network, where clients of loopback count.
    """
    nginx = Nginx(tmp_path, free_port(), "location / { try_files $uri /index.html; }", http=KEEP)
    config = replace(
        a_config(ports=(nginx.port,), propagation=3.0, quiet=0.5, agent_port=free_port()),
        host_network=True,
        hold_key="k",
        close=(NginxClose(reload=ReloadClose()),),
        file_holds=("nginx",),
    )
    with nginx.running(NGINX), AgentProcess(tmp_path / "pod", config) as agent:
        with contextlib.ExitStack() as stack:
            early = stack.enter_context(_connected(nginx.port))
            held = _hook(nginx, agent.root)
            assert agent.drain().startswith("ok started")
            eventually_sync(
                lambda: nginx.errors().count("SIGHUP) received") == 1, "the first reload"
            )
            eventually_sync(lambda: nginx.errors().count(_OVER) == 1)
            late = stack.enter_context(_connected(nginx.port))
            assert b"Connection: close" in say_hello(early, "HEAD")
            assert b"Connection: keep-alive" in say_hello(late, "HEAD")
            eventually_sync(
                lambda: nginx.errors().count("SIGHUP) received") == 2, "the second reload"
            )
            eventually_sync(lambda: nginx.errors().count(_OVER) == 2)
            latest = stack.enter_context(_connected(nginx.port))
            assert b"Connection: close" in say_hello(late, "HEAD")
            assert held.poll() is None
            eventually_sync(
                lambda: nginx.errors().count("SIGHUP) received") == 3, "the third reload"
            )
            eventually_sync(lambda: nginx.errors().count(_OVER) == 3)
            assert b"Connection: close" in say_hello(latest, "HEAD")
        report = agent.result()
        assert held.wait(PATIENCE) == 0

    assert (report.phase, report.reason) == (Phase.DRAINED, "no connection left")
    assert nginx.errors().count("SIGHUP) received") == 3
    assert not (tmp_path / "pod" / names.STATUS_FILE[1:]).exists()


def test_a_drain_that_nobody_joins_has_one_reload(tmp_path: Path) -> None:
    """Each may leave a generation of workers behind."""
    nginx = Nginx(tmp_path, free_port(), "location / { }", http=KEEP)
    config = replace(
        a_config(ports=(nginx.port,), propagation=2.0, quiet=0.5, agent_port=free_port()),
        host_network=True,
        hold_key="k",
        close=(NginxClose(reload=ReloadClose()),),
        file_holds=("nginx",),
    )
    with nginx.running(NGINX), AgentProcess(tmp_path / "pod", config) as agent:
        with _connected(nginx.port) as early:
            held = _hook(nginx, agent.root)
            agent.drain()
            eventually_sync(lambda: nginx.errors().count(_OVER) == 1)
            begun = time.monotonic()
            eventually_sync(lambda: time.monotonic() > begun + 3.0, "propagation is long over")
            assert b"Connection: close" in say_hello(early, "HEAD")
        agent.result()
        held.wait(PATIENCE)

    assert nginx.errors().count("SIGHUP) received") == 1


@pytest.mark.parametrize("binary", NGINXES.values(), ids=NGINXES)
def test_the_hook_leaves_an_nginx_alone_that_would_close_idle_connections(
    binary: str, tmp_path: Path
) -> None:
    """Too old for the directive, or without it: nobody is cut, and the container's log says why."""
    nginx = Nginx(tmp_path, free_port(), "location / { }")
    with nginx.running(binary), _connected(nginx.port) as idle:
        (tmp_path / "lossless").mkdir()
        (tmp_path / "lossless" / "draining").touch()
        held = _hook(nginx, tmp_path, binary)
        eventually_sync(lambda: _said(tmp_path))
        assert b"keep-alive" in say_hello(idle, "HEAD")
        (tmp_path / "lossless" / "released.nginx").touch()
        held.wait(PATIENCE)

    assert "nginx was not reloaded, clients stay: no keepalive_min_timeout in" in _said(tmp_path)
    assert nginx.errors().count("SIGHUP) received") == 0


def _said(root: Path) -> str:
    log = root / "log"
    return log.read_text() if log.exists() else ""


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    """Yield a connection on which a file has been asked for by its head alone."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        assert b"keep-alive" in say_hello(link, "HEAD")
        yield link


def _hook(nginx: Nginx, pod: Path, binary: str = NGINX) -> subprocess.Popen[bytes]:
    """Run the hook of nginx's container as the kubelet does."""
    root = nginx.configuration.parent
    command = (binary, "-p", str(root), "-c", str(nginx.configuration), "-s", "reload")
    reloading = Reloading("spec.close[0].nginx.reload", command, after=0, again=True)
    hook = file_hold("nginx", (), program="/bin/sh", limit=60, reloading=reloading)
    program, option, script, *rest = hook["exec"]["command"]
    script = script.replace("/lossless/", f"{pod}/lossless/").replace(LOG, str(root / "log"))
    return subprocess.Popen([program, option, script, *rest])  # noqa: S603 # our own command
