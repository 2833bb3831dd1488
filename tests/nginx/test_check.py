"""What is found in a configuration."""

import json
from pathlib import Path

import pytest

from lossless.__main__ import main
from lossless.nginx.check import Expectations, check
from lossless.nginx.directives import UnreadableError, read_configuration
from lossless.nginx.report import as_text
from tests.nginx.configurations import CASES, DRAINING, REFUSED, TO, Case
from tests.nginx.real import Nginx

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in (*CASES, *REFUSED)])
def test_in_this_server_is_found(case: Case, tmp_path: Path) -> None:
    """Each finding once, by file and line, and no other."""
    nginx = Nginx(tmp_path, 1, case.server)

    findings = check(
        read_configuration(str(nginx.configuration)),
        Expectations(status_file=str(nginx.status_file)),
    )

    assert tuple(f"{one.severity} {one.rule}" for one in findings) == case.found
    assert all(one.what and one.why and one.remedy for one in findings)


COVERED = f"location / {{ {TO} proxy_pass http://app; }} {DRAINING}".replace("<status>", "/s")


@pytest.mark.parametrize(
    ("http", "server", "reloads", "found"),
    [
        pytest.param("", "listen 80 http2;", False, ["http2"], id="http2-of-listen"),
        pytest.param("http2 on;", "listen 80;", False, ["http2"], id="http2-of-http"),
        pytest.param("http2 on;", "listen 80; http2 off;", False, [], id="http2-off"),
        pytest.param("", "listen 80 quic;", True, ["http3"], id="http3"),
        pytest.param(
            "", "listen 80; http2 on;", True, ["reload-closes-idle"], id="reload-without-minimum"
        ),
        pytest.param(
            "keepalive_min_timeout 30s;",
            "http2 on;",
            True,
            ["reload-closes-idle"],
            id="minimum-too-short",
        ),
        pytest.param("keepalive_min_timeout 75s;", "http2 on;", True, [], id="reload"),
        pytest.param(
            "keepalive_min_timeout 75s;",
            "http2 on; keepalive_timeout 0;",
            True,
            ["one-request-each"],
            id="goaway-with-the-first-request",
        ),
    ],
)
def test_of_http_2_is_found(
    http: str, server: str, found: list[str], *, reloads: bool, tmp_path: Path
) -> None:
    """Close frames do not reach it; whether nginx is reloaded, the caller says."""
    path = tmp_path / "nginx.conf"
    path.write_text(f"http {{ {http} server {{ {server} {COVERED} }} }}")

    findings = check(
        read_configuration(str(path)), Expectations(status_file="/s", http2_reload=reloads)
    )

    assert [one.rule for one in findings] == found


def test_a_limit_on_old_workers_cuts_streams(tmp_path: Path) -> None:
    """It stands in the main context, and matters to a reload only."""
    path = tmp_path / "nginx.conf"
    path.write_text(
        "worker_shutdown_timeout 10s; http { keepalive_min_timeout 75s; "
        f"server {{ http2 on; {COVERED} }} }}"
    )
    expected = Expectations(status_file="/s", http2_reload=True)

    assert [one.rule for one in check(read_configuration(str(path)), expected)] == [
        "reload-cuts-streams"
    ]


def test_what_is_included_is_checked_where_it_stands(tmp_path: Path) -> None:
    """By patterns relative to the main file; the finding names the included file."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").write_text(
        "\n\nserver { location / { proxy_pass http://a; } }"
    )
    (tmp_path / "conf.d" / "b.conf").write_text(f"server {{ {COVERED} }}")
    path = tmp_path / "nginx.conf"
    path.write_text("http { include conf.d/*.conf; include conf.d/*.none; }")

    (one,) = check(read_configuration(str(path)), Expectations(status_file="/s"))

    assert (one.rule, one.file, one.line) == ("not-covered", str(tmp_path / "conf.d/a.conf"), 3)


def test_an_include_that_is_not_there_is_said(tmp_path: Path) -> None:
    """What was not read was not checked."""
    path = tmp_path / "nginx.conf"
    path.write_text(f"http {{ include mime.types; server {{ {COVERED} }} }}")

    (one,) = check(read_configuration(str(path)), Expectations(status_file="/s"))

    assert (one.rule, one.line) == ("include-missing", 1)


def test_a_status_page_needs_no_close_frame(tmp_path: Path) -> None:
    """The agent asks it, or a scraper; no client does."""
    path = tmp_path / "nginx.conf"
    path.write_text(f"http {{ server {{ location /status {{ stub_status; }} {COVERED} }} }}")

    assert check(read_configuration(str(path)), Expectations(status_file="/s")) == []


def test_a_file_of_conf_d_can_be_checked_by_itself(tmp_path: Path) -> None:
    """It begins with a server."""
    path = tmp_path / "web.conf"
    path.write_text("server { location / { grpc_pass grpc://a; } }")

    assert [one.rule for one in check(read_configuration(str(path)), Expectations())] == [
        "not-covered"
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "no server block", id="empty"),
        pytest.param("events { } http { }", "no server block", id="no-server"),
        pytest.param("http {\n server { ", ':2: the block of "server"', id="open-block"),
        pytest.param("http { }\n}", ':2: unexpected "}"', id="one-brace-too-many"),
        pytest.param("a b\n", ':1: "a" does not end', id="no-semicolon"),
        pytest.param("a { b }", ':1: "b" does not end', id="no-semicolon-in-a-block"),
        pytest.param("\n;", ':2: unexpected ";"', id="nothing-before-the-semicolon"),
        pytest.param("a 'b;\n\n", ":1: a quote", id="open-quote"),
        pytest.param("a 'b'c;", ":1: unexpected 'c'", id="word-after-a-quote"),
        pytest.param("x_by_lua_block { {", ":1: a block of Lua", id="open-lua"),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(
    text: str, complaint: str, tmp_path: Path
) -> None:
    """As nginx would refuse it; "nothing found" would be the worst of answers."""
    path = tmp_path / "nginx.conf"
    path.write_text(text)

    with pytest.raises(UnreadableError) as raised:
        check(read_configuration(str(path)), Expectations())
    assert str(raised.value).startswith(str(path))
    assert complaint in str(raised.value)


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    """With the question that finds it."""
    path = tmp_path / "nginx.conf"
    path.write_text("include nginx.conf;")

    with pytest.raises(UnreadableError, match="a file includes itself"):
        read_configuration(str(path))


def test_the_samples_own_configuration_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that the demo and the e2e tests run."""
    sample = ROOT / "e2e/sample/image/nginx"

    assert main(["nginx-check", str(sample / "lossless.conf")]) == 0
    assert capsys.readouterr().out == "Nothing found\n"
    assert main(["nginx-check", str(sample / "plain.conf")]) == 1


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        pytest.param("location / { proxy_pass http://a; }", [], 1, id="an-error"),
        pytest.param("location / { return 200 a; }", [], 1, id="a-warning"),
        pytest.param("location / { return 200 a; }", ["--fail-on=error"], 0, id="only-errors"),
        pytest.param(f"keepalive_requests 1; {COVERED}", [], 0, id="a-note"),
        pytest.param(f"keepalive_requests 1; {COVERED}", ["--fail-on=note"], 1, id="even-notes"),
        pytest.param(COVERED, ["--client-idle-timeout=2m"], 0, id="no-opinion-on-the-default"),
        pytest.param("}", [], 2, id="unreadable"),
        pytest.param(COVERED, ["--client-idle-timeout=soon"], 2, id="a-wrong-option"),
    ],
)
def test_the_exit_code_says_how_bad_it_is(
    text: str, options: list[str], code: int, tmp_path: Path
) -> None:
    """For a build that stops at errors, or at warnings too."""
    path = tmp_path / "nginx.conf"
    path.write_text(f"http {{ server {{ {text} }} }}")

    assert main(["nginx-check", str(path), "--status-file=/s", *options]) == code


KEPT = "keepalive_min_timeout 75s; server { location / { return 200 a; } }"


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        pytest.param(f"http {{ {KEPT} }}", "Nothing found", 0, id="kept"),
        pytest.param("http { server { } }", "error: reload-closes-idle", 1, id="closed"),
        pytest.param(
            f"http {{ {KEPT} server {{ location /a {{ keepalive_min_timeout 5s; }} }} }}",
            "do:  keepalive_min_timeout 75s; in http, for all servers",
            1,
            id="closed-in-a-location",
        ),
        pytest.param(
            f"worker_shutdown_timeout 4m59s; http {{ {KEPT} }}", "error: reload-cuts", 1, id="cuts"
        ),
        pytest.param("pid /dev/null; http { " + KEPT + " }", "error: no-pid-file", 1, id="no-pid"),
        pytest.param(
            f"http {{ keepalive_timeout 20s; {KEPT} }}", "warning: short-keepalive", 1, id="short"
        ),
        pytest.param("events { }", "", 2, id="no-server"),
    ],
)
def test_what_a_reload_needs(
    text: str, said: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of its locations; what keeps connections, cuts them, or hides the master."""
    path = tmp_path / "nginx.conf"
    path.write_text(text)

    assert main(["nginx-check", "--reload", str(path)]) == code
    assert said in capsys.readouterr().out


def test_a_file_that_is_not_there_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and its name."""
    assert main(["nginx-check", "/nonexistent"]) == 2
    assert capsys.readouterr().err == (
        "lossless nginx-check: /nonexistent: cannot be read: No such file or directory;"
        " name a file that can, or read it as root\n"
    )


def test_programs_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every part of a finding by its name."""
    path = tmp_path / "nginx.conf"
    path.write_text("http { server { location / { proxy_pass http://a; } } }")
    main(["nginx-check", str(path), "--output=json"])

    (one,) = json.loads(capsys.readouterr().out)["findings"]

    assert set(one) == {"severity", "rule", "file", "line", "what", "why", "remedy"}
    assert one["severity"] == "error"


def test_people_get_80_columns(tmp_path: Path) -> None:
    """However long a sentence is; a path is left whole."""
    for case in CASES:
        directory = tmp_path / case.name
        directory.mkdir()
        findings = check(
            read_configuration(str(Nginx(directory, 1, case.server).configuration)), Expectations()
        )
        for line in as_text(findings).splitlines():
            assert len(line) <= 80 or str(tmp_path) in line
