"""HAProxy tells its clients to leave, and still accepts those who want to speak WebSocket."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.testbed import ROOT
from lossless.agent.closing import Closing
from lossless.model.close_drivers import HaproxyClose
from lossless.model.report import DriverState
from tests.nginx.configurations import Seen
from tests.nginx.real import an_app, asked
from tests.support.free_ports import free_port, listens
from tests.support.required import cannot_run
from tests.support.waiting import PATIENCE, eventually_sync

_CONFIGURATION = (ROOT / "e2e/proof/image/haproxy.cfg").read_text()
_RULE = re.compile(r"^ *(http-after-response .*proc\.drain.*)$", re.MULTILINE)
_WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Have the proof's HAProxy run, its ports others; yield these by the proof's."""
    if shutil.which("haproxy", path="/usr/sbin") is None:
        cannot_run("not installed: haproxy; see e2e/balancers/debian-packages.txt")
    with an_app() as app:
        found = {"8080": free_port(), "8081": app, "8083": app, "9999": free_port()}
        file = tmp_path / "haproxy.cfg"
        file.write_text(re.sub(r":(8\d{3}|9999)\b", lambda m: f":{found[m[1]]}", _CONFIGURATION))
        process = subprocess.Popen(  # noqa: S603 # as the proof runs it
            ["/usr/sbin/haproxy", "-W", "-db", "-f", file], stderr=subprocess.DEVNULL
        )
        try:
            eventually_sync(lambda: listens(found["8080"]), "HAProxy listens")
            yield found
        finally:
            process.terminate()
            process.wait(PATIENCE)


async def test_clients_are_told_to_leave_and_a_websocket_is_accepted(
    ports: dict[str, int],
) -> None:
    """A 101 with another ``Connection`` than Upgrade is none (RFC 6455, section 4.1)."""
    port = ports["8080"]
    assert asked(port, "GET /") == Seen(200, ())
    assert asked(port, "GET /ws", _WEBSOCKET) == Seen(101, ("upgrade",))

    closing = Closing((HaproxyClose(port=ports["9999"]),), log=lambda *_a, **_f: None)
    await closing.run()

    assert [one.state for one in closing.states] == [DriverState.DONE]
    assert asked(port, "GET /") == Seen(200, ("close",))
    assert asked(port, "GET /ws", _WEBSOCKET) == Seen(101, ("upgrade",))


def test_the_rule_is_the_one_in_the_documentation() -> None:
    """Also that of ``kubectl explain``."""
    (rule,) = _RULE.findall(_CONFIGURATION)
    assert _RULE.findall((ROOT / "docs/close-drivers.md").read_text()) == [rule]
    explained = " ".join((ROOT / "crds/losslessrollouts.yaml").read_text().split())
    assert rule in explained
