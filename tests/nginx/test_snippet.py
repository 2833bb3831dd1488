"""What ``lossless nginx-snippet`` prints, and what it refuses."""

from typing import Any

import pytest
import yaml

from lossless.__main__ import main
from lossless.model.close_drivers import parse_close
from lossless.model.names import STATUS_FILE
from lossless.nginx.snippet import Wishes, snippet


def test_each_location_gets_a_named_one_of_its_own() -> None:
    """A name comes from a path; two that would be the same are told apart."""
    text = snippet(Wishes("http://app", locations=("/", "/a-b/", "/a_b/", "= /x")))

    for name in ("@draining", "@draining_a_b", "@draining_a_b_2", "@draining_x"):
        assert text.count(f"error_page 418 = {name};") == 1
        assert text.count(f"location {name} {{") == 1


def test_websocket_headers_stand_in_both_of_a_pair() -> None:
    """A named location inherits none of them."""
    text = snippet(Wishes("http://app", websocket=True))

    assert text.count("proxy_set_header Upgrade $http_upgrade;") == 2
    assert text.count("map $http_upgrade $lossless_connection") == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(["--upstream=app"], "--upstream: 'app'", id="no-scheme"),
        pytest.param(["--upstream=http://app/x"], "without a path", id="a-path"),
        pytest.param(["--upstream=http://a;}"], "--upstream", id="an-end-of-the-directive"),
        pytest.param(["--status-file=serving"], "--status-file", id="relative"),
        pytest.param(["--status-file=/a b"], "--status-file", id="a-space"),
        pytest.param(["--location=@x"], "--location: '@x'", id="a-named-location"),
        pytest.param(["--location=/a {"], "--location", id="a-brace"),
        pytest.param(["--location=/", "--location=/"], "twice", id="the-same-twice"),
    ],
)
def test_what_nginx_would_not_take_is_refused(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option, its value, and what is right."""
    assert main(["nginx-snippet", *options]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status_file", "driver"),
    [
        pytest.param(
            STATUS_FILE, {"http2": {"reload": "AfterClientIdleTimeout"}}, id="our-status-file"
        ),
        pytest.param(
            "/status/on",
            {"statusFile": "/status/on", "http2": {"reload": "AfterClientIdleTimeout"}},
            id="another",
        ),
    ],
)
def test_http_2_is_a_matter_of_the_rollout(status_file: str, driver: dict[str, Any]) -> None:
    """What is printed for it is a close driver."""
    text = snippet(Wishes("http://app", status_file=status_file, http2=True))
    (line,) = [line for line in text.splitlines() if line.startswith("#   close:")]

    raw = yaml.safe_load(line.removeprefix("#"))["close"]
    assert raw == [{"nginx": driver}]
    assert parse_close(raw)
