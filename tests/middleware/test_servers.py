"""What a client sees of a drain, under each server."""

from pathlib import Path

import pytest

from tests.middleware.http2 import http2_headers
from tests.middleware.servers import ServerProcess

ASGI = ["uvicorn-h11", "uvicorn-httptools", "hypercorn", "granian-asgi"]


@pytest.mark.parametrize(
    ("server", "app", "closes"),
    [
        *(pytest.param(server, "asgi_app", True, id=server) for server in ASGI),
        pytest.param(
            "gunicorn-asgi", "asgi_app", False, id="gunicorn-asgi-leaves-it-to-the-client"
        ),
        pytest.param("aiohttp", "", True, id="aiohttp"),
        pytest.param("granian-wsgi", "wsgi_app", True, id="granian-wsgi"),
        pytest.param("gevent", "wsgi_app", True, id="gevent"),
        pytest.param("cheroot", "wsgi_app", False, id="cheroot-leaves-it-to-the-client"),
    ],
)
def test_from_the_drain_on_every_answer_says_close_once(
    server: str, app: str, *, closes: bool, tmp_path: Path
) -> None:
    """On a connection that has been kept until then, and over a keep-alive of the app's own."""
    with ServerProcess(tmp_path, server, app) as served:
        with served.connect() as kept, served.connect() as stubborn:
            for _ in range(3):
                assert "connection: close" not in kept.ask()
            assert "connection: close" not in stubborn.ask("/stubborn")
            served.status_file.unlink()

            assert kept.ask() == ["connection: close"]
            assert stubborn.ask("/stubborn") == ["connection: close"]
            assert kept.is_closed_by_the_server() is closes
            assert stubborn.is_closed_by_the_server() is closes
        with served.connect() as late:
            assert late.ask() == ["connection: close"]


def test_a_server_that_starts_in_the_middle_of_a_drain_drains(tmp_path: Path) -> None:
    """As after its liveness probe: the directory is there, and the file is not."""
    served = ServerProcess(tmp_path, "uvicorn-h11")
    served.status_file.unlink()
    with served, served.connect() as client:
        assert client.ask() == ["connection: close"]
        assert served.log.count("has not been there since this process started") == 1


def test_without_an_agent_connections_are_kept(tmp_path: Path) -> None:
    """On a developer's machine there is neither the file nor its directory."""
    served = ServerProcess(tmp_path, "uvicorn-h11")
    served.status_file.unlink()
    served.status_file.parent.rmdir()
    with served, served.connect() as client:
        assert client.ask() == []
        assert client.ask() == []
        assert "lossless" not in served.log


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        pytest.param("gunicorn-gthread", "drops an app's Connection header", id="gunicorn-gthread"),
        pytest.param("waitress", "refuses an app's Connection header", id="waitress"),
    ],
)
def test_a_server_that_cannot_send_it_is_named_once_and_serves_on(
    server: str, complaint: str, tmp_path: Path
) -> None:
    """With the remedy; a request that fails would be worse than one that keeps its connection."""
    with ServerProcess(tmp_path, server, "wsgi_app") as served, served.connect() as client:
        client.ask()
        served.status_file.unlink()

        assert "connection: close" not in client.ask()
        assert "connection: close" not in client.ask()
        assert served.log.count(complaint) == 1
        assert "lossless nginx-snippet" in served.log


@pytest.mark.parametrize("server", ["gunicorn-sync", "wsgiref"])
def test_a_server_that_keeps_no_connection_needs_no_word(server: str, tmp_path: Path) -> None:
    """Python's own would stop at an assertion of its own if an app spoke about the connection."""
    with ServerProcess(tmp_path, server, "wsgi_app") as served:
        with served.connect() as client:
            client.ask()
            assert client.is_closed_by_the_server()
        served.status_file.unlink()
        with served.connect() as client:
            client.ask()
            assert client.is_closed_by_the_server()
        assert "Connection header" not in served.log


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/stream", id="a-stream"),
        pytest.param("/below/deep", id="a-sub-application"),
    ],
)
def test_in_aiohttp_it_reaches(path: str, tmp_path: Path) -> None:
    """What a middleware could not change any more, and what has an application of its own."""
    with ServerProcess(tmp_path, "aiohttp", "") as served, served.connect() as client:
        assert client.ask(path) == []
        served.status_file.unlink()

        assert client.ask(path) == ["connection: close"]
        assert client.is_closed_by_the_server()


@pytest.mark.parametrize("server", ["hypercorn", "granian-asgi"])
def test_over_http_2_nothing_is_added(server: str, tmp_path: Path) -> None:
    """The header would make the answer malformed there (RFC 9113 section 8.2.2)."""
    with ServerProcess(tmp_path, server) as served:
        served.status_file.unlink()

        headers = http2_headers(served.port)

    assert headers[":status"] == "200"
    assert "connection" not in headers
