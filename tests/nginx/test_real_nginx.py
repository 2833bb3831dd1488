"""What the rules claim is what clients of a real nginx see."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossless.nginx.check import Expectations, check
from lossless.nginx.directives import read_configuration
from lossless.nginx.snippet import Wishes, snippet
from tests.nginx.configurations import CASES, DRAINING, REFUSED, TRIGGER, Case, Seen
from tests.nginx.real import NGINXES, Nginx, an_app


@pytest.fixture(scope="module", params=NGINXES)
def binary(request: pytest.FixtureRequest) -> str:
    """Return the path of each nginx there is."""
    return NGINXES[request.param]


@pytest.fixture(scope="module")
def app() -> Iterator[int]:
    """Return the port of an app."""
    with an_app() as port:
        yield port


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_in_a_drain_clients_see(case: Case, binary: str, app: int, tmp_path: Path) -> None:
    """Status and connection headers, as the table of configurations says."""
    nginx = Nginx(tmp_path, app, case.server)
    with nginx.running(binary):
        nginx.status_file.unlink()

        assert {request: nginx.ask(request) for request in case.seen} == case.seen


def test_on_the_way_to_a_uri_a_post_becomes_a_get(binary: str, app: int, tmp_path: Path) -> None:
    """Therefore ``target-is-a-uri`` is an error."""
    nginx = Nginx(
        tmp_path,
        app,
        "location / { error_page 418 = /d; if (!-f <status>) { return 418; } "
        "proxy_pass http://app; } "
        "location /d { internal; keepalive_timeout 0; "
        "if ($request_method = GET) { return 299; } return 298; }",
    )
    with nginx.running(binary):
        nginx.status_file.unlink()

        assert nginx.ask("POST /").status == 299


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in REFUSED])
def test_nginx_refuses(case: Case, binary: str, app: int, tmp_path: Path) -> None:
    """A configuration that cannot be started, or reloaded to, is an error."""
    assert not Nginx(tmp_path, app, case.server).is_accepted(binary)


@pytest.mark.parametrize(
    "locations",
    [
        pytest.param(("/",), id="one"),
        pytest.param(("/", "/api/", "= /login", "~ [.]php$", "^~ /a-b", "/a_b"), id="many"),
    ],
)
def test_the_snippet_works_as_it_is_printed(
    locations: tuple[str, ...], binary: str, app: int, tmp_path: Path
) -> None:
    """Nothing is found in it; it changes nothing while the pod serves, and closes in a drain."""
    status = tmp_path / "serving"
    text = snippet(Wishes("http://app", locations=locations, status_file=str(status)))
    nginx = Nginx(tmp_path, app, text)
    requests = ["GET /", "POST /api/x", "GET /login", "GET /a.php", "GET /a-b/", "GET /a_b"]

    configuration = read_configuration(str(nginx.configuration))
    assert check(configuration, Expectations(status_file=str(status))) == []
    with nginx.running(binary):
        assert {nginx.ask(one).connection for one in requests} == {("keep-alive",)}
        nginx.status_file.unlink()
        assert {nginx.ask(one).connection for one in requests} == {("close",)}
        assert {nginx.ask(one).status for one in requests} == {200}


def test_the_snippet_for_websockets_upgrades_in_a_drain_too(
    binary: str, app: int, tmp_path: Path
) -> None:
    """And says close to whoever does not ask for an upgrade."""
    status = tmp_path / "serving"
    text = snippet(Wishes("http://app", status_file=str(status), websocket=True))
    lines = text.splitlines()
    nginx = Nginx(
        tmp_path,
        app,
        "\n".join(line for line in lines if not line.startswith("map ")),
        http="\n".join(line for line in lines if line.startswith("map ")),
    )
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    with nginx.running(binary):
        assert nginx.ask("GET /", upgrade) == Seen(101, ("upgrade",))
        nginx.status_file.unlink()
        assert nginx.ask("GET /", upgrade) == Seen(101, ("upgrade",))
        assert nginx.ask("GET /") == Seen(200, ("close",))


SITE = f"""
server {{ listen 127.0.0.1:1;
location / {{ {TRIGGER} proxy_pass http://app; }}
location /api/ {{ proxy_pass http://app; }} include draining; }}"""


@pytest.mark.parametrize("with_stderr", [False, True], ids=["stdout", "stderr-before-it"])
def test_what_nginx_prints_is_checked_as_its_files_are(
    binary: str, app: int, tmp_path: Path, *, with_stderr: bool
) -> None:
    """What ``http`` says holds in the servers of other files; places are those of the files."""
    root = tmp_path / "etc"
    (root / "conf.d").mkdir(parents=True)
    nginx = Nginx(
        root,
        app,
        f"location / {{ {TRIGGER} proxy_pass http://app; }} {DRAINING}",
        http="error_page 418 = @draining; keepalive_timeout 15; include conf.d/*.conf;",
    )
    expected = Expectations(status_file=str(nginx.status_file))
    site = root / "conf.d/site.conf"
    site.write_text(SITE.replace("<status>", str(nginx.status_file)))
    (root / "draining").write_text(DRAINING)
    stdout, stderr = nginx.prints(binary)
    on_disk = check(read_configuration(str(nginx.configuration)), expected)
    shutil.rmtree(root)
    path = tmp_path / "printed"
    path.write_text(stderr * with_stderr + stdout)

    assert check(read_configuration(str(path)), expected) == on_disk
    assert [(one.rule, one.file, one.line) for one in on_disk] == [
        ("not-covered", str(site), 4),
        ("short-keepalive", str(nginx.configuration), 5),
    ]
