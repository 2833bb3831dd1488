"""nginx's configuration is checked as the container has it mounted."""

from typing import Any

import pytest

from lossless.checks.finding import Severity
from tests.checks.manifests import Raw, changed
from tests.checks.nginx_pods import BARE, COVERED, MAIN, SERVER, behind_nginx
from tests.checks.test_checks import found

ITEMS = [{"key": "main", "path": "nginx.conf"}, {"key": "site", "path": "conf.d/site.conf"}]
BARE_HTTP = f"http {{ {BARE} }}"
CONFIG_MAP = {"configMap": {"name": "front", "items": ITEMS}}
PROJECTED = {"projected": {"sources": [{"configMap": {"name": "front", "items": ITEMS}}]}}


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(behind_nginx({"nginx.conf": f"http {{ {SERVER} }}"}), id="one file"),
        pytest.param(
            behind_nginx(
                {"main": COVERED, "site": SERVER}, {"configMap": {"name": "front", "items": ITEMS}}
            ),
            id="includes, by items",
        ),
        pytest.param(behind_nginx({"main": COVERED, "site": SERVER}, PROJECTED), id="projected"),
        pytest.param(
            behind_nginx(
                {"main": COVERED, "site": SERVER},
                mounts=[
                    {"mountPath": MAIN, "subPath": "main"},
                    {"mountPath": "/etc/nginx/conf.d/site.conf", "subPath": "site"},
                ],
            ),
            id="files one by one",
        ),
        pytest.param(
            behind_nginx({"site.conf": SERVER}, mounts=[{"mountPath": "/etc/nginx/conf.d"}]),
            id="conf.d, the rest in the image",
        ),
        pytest.param(
            behind_nginx(
                {"nginx.conf": BARE_HTTP, "mine.conf": f"http {{ {SERVER} }}"},
                command=["nginx", "-c", "/etc/nginx/mine.conf"],
            ),
            id="started with another file",
        ),
        pytest.param(
            behind_nginx({"nginx.conf": BARE_HTTP})
            | {"llr": changed("llr/spec/close", [{"file": {"path": "/lossless/serving"}}])["llr"]},
            id="clients are told by somebody else",
        ),
    ],
)
def test_nothing_is_found_in_a_configuration_that_is_covered(objects: dict[str, Raw]) -> None:
    """However it gets into the container, and where there is nothing to look at."""
    assert found(objects) == ()


@pytest.mark.parametrize(
    ("objects", "key"),
    [
        pytest.param(behind_nginx({"nginx.conf": BARE_HTTP}), "nginx.conf", id="main"),
        pytest.param(
            behind_nginx({"site.conf": BARE}, mounts=[{"mountPath": "/etc/nginx/conf.d"}]),
            "site.conf",
            id="conf.d",
        ),
        pytest.param(
            behind_nginx(
                {"x.conf": BARE_HTTP},
                mounts=[{"mountPath": "/opt"}],
                command=["sh", "-c", "exec nginx -g 'daemon off;' -c /opt/x.conf"],
            ),
            "x.conf",
            id="started by a shell",
        ),
        pytest.param(
            behind_nginx({"main": COVERED, "site": BARE}, CONFIG_MAP),
            "site",
            id="in an include",
        ),
    ],
)
def test_a_location_that_is_not_covered_is_found(objects: dict[str, Raw], key: str) -> None:
    """The object is the ConfigMap, its key and the line, the reason begins with the rule."""
    finding, other_way = found(objects)

    assert (finding.code, finding.severity) == ("LL801", Severity.ERROR)
    assert (other_way.code, other_way.severity) == ("LL801", Severity.NOTE)
    assert other_way.reason.startswith("fit-for-a-reload: ")
    assert finding.object == f"ConfigMap shop/front {key}:1"
    assert finding.reason.startswith("not-covered: ")


def test_a_finding_is_as_severe_as_its_rule() -> None:
    """HTTP/2 clients that nobody tells are a warning, and none once a reload tells them."""
    server = SERVER.replace("listen 8080;", "listen 8080; http2 on;")
    objects = behind_nginx({"nginx.conf": f"http {{ {server} }}"})

    (finding,) = found(objects)
    assert (finding.severity, finding.reason.split(":")[0]) == (Severity.WARNING, "http2")

    driver: dict[str, Any] = {"nginx": {"http2": {"reload": "AfterClientIdleTimeout"}}}
    objects["llr"]["spec"]["close"] = [driver]
    assert "http2" not in {one.reason.split(":")[0] for one in found(objects)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("http {", "never closed", id="no configuration"),
        pytest.param(
            "http { include sites/*; }", "there is no server block", id="the rest is elsewhere"
        ),
    ],
)
def test_what_cannot_be_checked_is_told(text: str, said: str) -> None:
    """As a note: what is in the image may be right."""
    (finding,) = found(behind_nginx({"nginx.conf": text}))

    assert (finding.code, finding.severity) == ("LL802", Severity.NOTE)
    assert said in finding.reason
