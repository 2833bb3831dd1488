"""Which way nginx's configuration is fit for, and what in it works against a reload."""

from typing import Any

import pytest

from lossless.checks.finding import Finding, Severity
from tests.checks.manifests import Raw
from tests.checks.nginx_pods import BARE, COVERED, behind_nginx, conf, reloaded
from tests.checks.test_checks import found

KEPT = "keepalive_min_timeout 75s;"
NEW, OLD = "nginx:1.28-alpine", "nginx:1.22"
IN_CONF_D: dict[str, Any] = {"mounts": [{"mountPath": "/etc/nginx/conf.d"}]}


def rules(findings: tuple[Finding, ...]) -> list[tuple[str, Severity, str]]:
    """Return code, severity and rule of each finding."""
    return [(one.code, one.severity, one.reason.partition(":")[0]) for one in findings]


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(reloaded(conf(f"{KEPT} {BARE}")), id="any-locations"),
        pytest.param(reloaded(conf(f"{KEPT} {BARE}"), image=NEW), id="and-a-version"),
        pytest.param(
            reloaded({"site.conf": BARE, "keep.conf": KEPT}, **IN_CONF_D), id="a-file-of-one-line"
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} {BARE}", "worker_shutdown_timeout 6m;")), id="a-long-shutdown"
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} {BARE}", "pid /dev/null;"), {"command": ["kill", "-HUP", "1"]}),
            id="no-pid-file-and-no-need",
        ),
        pytest.param(reloaded(conf(f"{KEPT} {BARE} stream {{ }}")), id="a-stream-beside-it"),
    ],
)
def test_a_configuration_that_a_reload_fits(objects: dict[str, Raw]) -> None:
    """With nothing in its locations; the directive itself tells that nginx is new enough."""
    assert found(objects) == ()


ERROR = Severity.ERROR


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param(
            reloaded(conf(BARE)), [("LL811", ERROR, "reload-closes-idle")], id="closes-idle"
        ),
        pytest.param(
            reloaded(conf(f"keepalive_min_timeout 30s; {BARE}")),
            [("LL811", ERROR, "reload-closes-idle")],
            id="sooner-than-clients",
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} {BARE}", "worker_shutdown_timeout 10s;")),
            [("LL811", ERROR, "reload-cuts")],
            id="cuts",
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} {BARE}", "pid /dev/null;")),
            [("LL811", ERROR, "no-pid-file")],
            id="no-pid-file",
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} {BARE}", "master_process off;")),
            [("LL811", ERROR, "no-master")],
            id="no-master",
        ),
        pytest.param(
            reloaded(conf(f"{KEPT} server {{ listen 443 quic; }}")),
            [("LL811", Severity.WARNING, "http3")],
            id="http3",
        ),
        pytest.param(
            reloaded({"nginx.conf": "http {"}),
            [("LL802", Severity.NOTE, "/etc/nginx/nginx.conf")],
            id="no-configuration",
        ),
    ],
)
def test_what_works_against_a_reload(
    objects: dict[str, Raw], expected: list[tuple[str, Severity, str]]
) -> None:
    """At its line of the ConfigMap."""
    findings = tuple(one for one in found(objects) if one.code != "LL812")
    assert rules(findings) == expected
    assert findings[0].object.startswith("ConfigMap shop/front nginx.conf")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        pytest.param(NEW, "has nginx 1.28, which can keep", id="new-enough"),
        pytest.param("nginx", "does not tell whether its nginx is 1.27.4 or newer", id="unknown"),
    ],
)
def test_what_nobody_shows_is_a_note(image: str, said: str) -> None:
    """The rest of the configuration is in the image."""
    (note,) = found(reloaded({"site.conf": BARE}, image=image, **IN_CONF_D))

    assert (note.code, note.severity) == ("LL812", Severity.NOTE)
    assert said in note.reason
    assert "nginx-check --reload" in note.remedy


@pytest.mark.parametrize(
    ("container", "said"),
    [
        pytest.param({"image": OLD}, "is older than nginx 1.27.4", id="too-old"),
        pytest.param({"image": "cgr.dev/chainguard/nginx"}, "has no shell by its name", id="bare"),
    ],
)
def test_what_admission_says_is_an_error(container: Raw, said: str) -> None:
    """In the same words; nothing of what the reload would have done is said beside it."""
    (finding,) = found(reloaded(conf(f"{KEPT} {BARE}"), **container))

    assert (finding.code, finding.severity) == ("LL310", ERROR)
    assert said in finding.reason


@pytest.mark.parametrize(
    ("data", "container", "said"),
    [
        pytest.param(
            conf(BARE),
            {"image": NEW},
            "its nginx is new enough, and its configuration gets one line",
            id="new",
        ),
        pytest.param(
            conf(BARE),
            {},
            "if its nginx is 1.27.4 or newer, which image registry.example/nginx:1 does not tell",
            id="unknown",
        ),
        pytest.param(
            conf(f"{KEPT} {BARE}"),
            {},
            "its nginx is new enough, and its configuration has keepalive_min_timeout",
            id="by-the-directive",
        ),
        pytest.param(conf(BARE), {"image": OLD}, "", id="old"),
        pytest.param({"main": COVERED}, {"image": NEW}, "", id="no-error-of-the-status-file"),
    ],
)
def test_which_way_a_configuration_is_fit_for(
    data: dict[str, str], container: Raw, said: str
) -> None:
    """Where the status file does not fit, and a reload would."""
    notes = [
        one for one in found(behind_nginx(data, **container)) if "fit-for-a-reload" in one.reason
    ]

    assert [one.severity for one in notes] == ([Severity.NOTE] if said else [])
    for note in notes:
        assert said in note.reason
