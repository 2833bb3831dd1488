"""The image of the proof's pods: what it is made of, and its apps that need no proxy."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from e2e.support.install import make_proof_context
from tests.support.free_ports import free_port
from tests.support.waiting import PATIENCE, eventually_sync

#: What starts each of them, below ``e2e/proof/image``, on the port in ``PORT``.
APPS: Final = {
    "uvicorn": (
        *("-m", "uvicorn", "--app-dir", "{image}", "--host", "127.0.0.1", "--port", "{port}"),
        *("--lifespan", "off", "asgi_app:{variant}"),
    ),
    "aiohttp": ("{image}/aiohttp_app.py", "{variant}"),
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder from which the image is built."""
    folder = tmp_path_factory.mktemp("context")
    make_proof_context(folder)
    return folder


def test_all_that_is_copied_is_there(context: Path) -> None:
    """And nothing that a build would not want."""
    dockerfile = (context / "e2e/proof/image/Dockerfile").read_text()
    copied = re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)

    assert copied
    assert [one for one in copied if not (context / one).exists()] == []
    assert list(context.rglob("__pycache__")) == []


@contextmanager
def running(context: Path, app: str, variant: str, status_file: Path) -> Iterator[int]:
    """Run an app of the image by nothing but what is in it; yield its port."""
    port = free_port()
    filled = {"image": context / "e2e/proof/image", "port": port, "variant": variant}
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "PYTHONPATH": str(context / "operator"),
        "LOSSLESS_STATUS_FILE": str(status_file),
    }
    process = subprocess.Popen(  # noqa: S603 # an app of ours
        [sys.executable, *(word.format(**filled) for word in APPS[app])],
        env=environment,
        cwd=context,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually_sync(lambda: answered(port, "/healthz")[0], f"{app} serves")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answered(port: int, path: str, body: bytes = b"") -> tuple[bytes, str]:
    """Return body and ``Connection`` header of an answer; nothing if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with suppress(ConnectionError):
        connection.request("POST" if body else "GET", path, body=body or None)
        answer = connection.getresponse()
        read, said = answer.read(), answer.headers.get("Connection", "")
        connection.close()
        return read or b"nothing", said
    return b"", ""


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize(
    ("variant", "said"),
    [
        pytest.param("plain", "", id="plain"),
        pytest.param("lossless", "close", id="lossless"),
    ],
)
def test_the_apps_echo_and_say_close_in_a_drain(
    app: str, variant: str, said: str, context: Path, tmp_path: Path
) -> None:
    """Only where the docs' middleware is around them."""
    status_file = tmp_path / "serving"
    status_file.touch()
    with running(context, app, variant, status_file) as port:
        large = b"x" * 300_000
        assert answered(port, "/", large)[0] == large
        assert answered(port, "/slow?seconds=0.01", b"x") == (b"x", "")
        status_file.unlink()

        assert answered(port, "/", b"x") == (b"x", said)
