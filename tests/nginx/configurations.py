"""One server for each thing that can be said about a configuration, and what clients see of it.

Each is checked by us (``test_check.py``) and, where nginx is on the machine, run for real
(``test_real_nginx.py``): what a rule claims is what is seen. ``<status>`` is the status file,
``<files>`` a directory with ``index.html`` and ``htpasswd``, ``<dead>`` an address where nobody
listens.
"""

from dataclasses import dataclass
from typing import Final

TRIGGER: Final = "if (!-f <status>) { return 418; }"
TO: Final = f"error_page 418 = @draining; {TRIGGER}"
DRAINING: Final = "location @draining { keepalive_timeout 0; proxy_pass http://app; }"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer: its status and its ``Connection`` headers, in order."""

    status: int
    connection: tuple[str, ...] = ("close",)


@dataclass(frozen=True, slots=True)
class Case:
    """A server, what is found in it, and what a client sees in a drain."""

    name: str
    server: str
    found: tuple[str, ...]
    """``severity rule`` of every finding, in order."""
    seen: dict[str, Seen]
    """By request: a method and a path."""


KEPT: Final = Seen(200, ("keep-alive",))

CASES: Final = (
    Case("covered", f"location / {{ {TO} proxy_pass http://app; }} {DRAINING}", (), {
        "GET /": Seen(200), "POST /": Seen(200),
    }),
    Case(
        "covered-from-the-server",
        f"{TO} location / {{ proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /": Seen(200)},
    ),
    Case(
        "covered-from-the-server-over-an-own-error-page",
        f"{TO} location / {{ error_page 404 /x; proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /": Seen(200)},
    ),
    Case(
        "covered-inside-the-if",
        "location / { if (!-f <status>) { error_page 418 = @draining; return 418; } "
        f"proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /": Seen(200)},
    ),
    Case(
        "covered-with-another-code",
        "location / { error_page 503 = @draining; if (!-f <status>) { return 503; } "
        f"proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /": Seen(200)},
    ),
    Case(
        "static-files-covered",
        f"location / {{ {TO} }} location @draining {{ keepalive_timeout 0; }}",
        (),
        {"GET /index.html": Seen(200), "GET /nothing": Seen(404)},
    ),
    Case(
        "not-covered",
        "location / { proxy_pass http://app; }",
        ("error not-covered",),
        {"GET /": KEPT},
    ),
    Case(
        "static-files-not-covered",
        f"location / {{ {TO} proxy_pass http://app; }} location /static {{ return 200 s; }} "
        f"{DRAINING}",
        ("warning not-covered",),
        {"GET /": Seen(200), "GET /static": KEPT},
    ),
    Case(
        "a-redirect-of-the-server",
        "return 301 https://elsewhere/;",
        ("warning not-covered",),
        {"GET /": Seen(301, ("keep-alive",))},
    ),
    Case(
        "a-redirect-of-the-server-says-keep-alive-and-closes",
        "keepalive_timeout 0; return 301 https://elsewhere/;",
        ("warning not-covered",),
        {"GET /": Seen(301, ("keep-alive",))},
    ),
    Case(
        "a-redirect-of-a-location-that-keeps-nothing",
        "location / { keepalive_timeout 0; return 301 https://elsewhere/; }",
        (),
        {"GET /": Seen(301)},
    ),
    Case(
        "a-nested-location-inherits-no-if",
        f"location / {{ {TO} proxy_pass http://app; location /in {{ proxy_pass http://app; }} }} "
        f"{DRAINING}",
        ("error not-covered",),
        {"GET /": Seen(200), "GET /in": KEPT},
    ),
    Case(
        "answered-before-the-if",
        f"location / {{ return 200 x; {TO} }} {DRAINING}",
        ("warning not-covered",),
        {"GET /": KEPT},
    ),
    Case(
        "rewritten-before-the-if",
        f"location /api/ {{ error_page 418 = @api; rewrite ^/api/(.*)$ /$1 break; {TRIGGER} "
        "proxy_pass http://app; } location @api { keepalive_timeout 0; "
        "rewrite ^/api/(.*)$ /$1 break; proxy_pass http://app; }",
        ("error not-reached",),
        {"GET /api/x": KEPT},
    ),
    Case(
        "rewritten-behind-the-if",
        f"location /api/ {{ error_page 418 = @api; {TRIGGER} rewrite ^/api/(.*)$ /$1 break; "
        "proxy_pass http://app; } location @api { keepalive_timeout 0; "
        "rewrite ^/api/(.*)$ /$1 break; proxy_pass http://app; }",
        (),
        {"GET /api/x": Seen(200)},
    ),
    Case(
        "rewritten-before-the-if-without-a-flag",
        f"location / {{ rewrite ^/a$ /b; {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; rewrite ^/a$ /b; proxy_pass http://app; }",
        (),
        {"GET /a": Seen(200)},
    ),
    Case(
        "a-break-before-the-if",
        f"location / {{ break; {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; break; proxy_pass http://app; }",
        ("error not-reached",),
        {"GET /": KEPT},
    ),
    Case(
        "static-files-and-a-break-before-the-if",
        f"location / {{ break; {TO} }} location @draining {{ keepalive_timeout 0; break; }}",
        ("warning not-reached",),
        {"GET /index.html": KEPT},
    ),
    Case(
        "some-requests-break-before-the-if",
        f"location / {{ if ($arg_a) {{ break; }} {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; if ($arg_a) { break; } proxy_pass http://app; }",
        ("error not-reached",),
        {"GET /?a=1": KEPT, "GET /": Seen(200)},
    ),
    Case(
        "redirected-before-the-if",
        f"location / {{ rewrite ^/a$ /b permanent; {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; rewrite ^/a$ /b permanent; "
        "proxy_pass http://app; }",
        ("warning not-reached",),
        {"GET /a": Seen(301, ("keep-alive",)), "GET /": Seen(200)},
    ),
    Case(
        "redirected-to-an-address-before-the-if",
        "location / { rewrite ^/a$ $scheme://elsewhere/ break; rewrite ^/b$ https://elsewhere/; "
        f"{TO} proxy_pass http://app; }} location @draining {{ keepalive_timeout 0; "
        "rewrite ^/a$ $scheme://elsewhere/ break; rewrite ^/b$ https://elsewhere/; "
        "proxy_pass http://app; }",
        ("warning not-reached", "warning not-reached"),
        {"GET /a": Seen(302, ("keep-alive",)), "GET /b": Seen(302, ("keep-alive",))},
    ),
    Case(
        "rewritten-before-the-if-of-a-location-that-keeps-nothing",
        f"location / {{ keepalive_timeout 0; rewrite ^/a$ /b break; rewrite ^/b$ /c permanent; "
        f"{TO} proxy_pass http://app; }} location @draining {{ keepalive_timeout 0; "
        "rewrite ^/a$ /b break; rewrite ^/b$ /c permanent; proxy_pass http://app; }",
        (),
        {"GET /a": Seen(200), "GET /b": Seen(301)},
    ),
    Case(
        "another-location-before-the-if",
        f"location /api/ {{ rewrite ^/api/(.*)$ /$1 last; {TO} proxy_pass http://app; }} "
        f"location / {{ {TO} proxy_pass http://app; }} location @draining {{ "
        "keepalive_timeout 0; rewrite ^/api/(.*)$ /$1 last; proxy_pass http://app; }",
        (),
        {"GET /api/x": Seen(200)},
    ),
    Case(
        "the-server-rewrites-before-the-locations-if",
        "rewrite ^/a$ /x last; rewrite ^/b$ /x break; break; "
        f"location / {{ {TO} proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /a": Seen(200), "GET /b": Seen(200), "GET /": Seen(200)},
    ),
    Case(
        "the-server-rewrites-before-its-if",
        f"rewrite ^/a$ /x last; rewrite ^/b$ /x break; {TO} "
        f"location / {{ proxy_pass http://app; }} {DRAINING}",
        ("error not-reached", "error not-reached"),
        {"GET /a": KEPT, "GET /b": KEPT, "GET /": Seen(200)},
    ),
    Case(
        "the-server-rewrites-before-its-if-and-the-locations",
        f"rewrite ^/a$ /x last; {TO} location / {{ {TO} proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /a": Seen(200), "GET /": Seen(200)},
    ),
    Case(
        "the-servers-break-leaves-the-error-page-to-the-location",
        f"break; {TO} location / {{ error_page 404 /x; {TRIGGER} proxy_pass http://app; }} "
        f"{DRAINING}",
        ("error no-error-page",),
        {"GET /": Seen(418, ("keep-alive",))},
    ),
    Case(
        "the-server-breaks-before-its-if",
        f"break; {TO} location / {{ proxy_pass http://app; }} {DRAINING}",
        ("error not-reached",),
        {"GET /": KEPT},
    ),
    Case(
        "the-server-redirects-before-the-locations-if",
        "keepalive_timeout 0; rewrite ^/a$ /b permanent; "
        f"location / {{ keepalive_timeout 75; {TO} proxy_pass http://app; }} {DRAINING}",
        ("warning not-reached",),
        {"GET /a": Seen(301, ("keep-alive",)), "GET /": Seen(200)},
    ),
    Case(
        "the-server-rewrites-behind-its-if",
        f"{TO} rewrite ^/a$ /missing last; location / {{ proxy_pass http://app; }} {DRAINING}",
        ("warning not-repeated",),
        {"GET /a": Seen(200)},
    ),
    Case(
        "the-server-rewrites-and-the-locations-if-acts-on-that",
        f"rewrite ^/a$ /missing last; location / {{ {TO} proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /a": Seen(404)},
    ),
    Case(
        "the-server-answers-behind-its-if",
        f"{TO} return 301 https://elsewhere/; location @draining {{ keepalive_timeout 0; }}",
        ("error answers-otherwise",),
        {"GET /index.html": Seen(200)},
    ),
    Case(
        "the-server-answers-behind-its-if-and-so-does-the-named-location",
        f"{TO} return 301 https://elsewhere/; "
        "location @draining { keepalive_timeout 0; return 301 https://elsewhere/; }",
        (),
        {"GET /": Seen(301)},
    ),
    Case(
        "the-locations-rewrite-behind-the-servers-if",
        f"{TO} location / {{ rewrite ^/a$ /b break; proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; rewrite ^/a$ /b break; proxy_pass http://app; }",
        (),
        {"GET /a": Seen(200)},
    ),
    Case(
        "a-break-before-the-if-of-the-named-location",
        f"error_page 418 = @draining; location / {{ {TRIGGER} proxy_pass http://app; }} "
        f"location @draining {{ break; {TRIGGER} keepalive_timeout 0; proxy_pass http://app; }}",
        (),
        {"GET /": Seen(200)},
    ),
    Case(
        "an-own-error-page-hides-the-servers",
        "error_page 418 = @draining; "
        f"location / {{ error_page 404 /x; {TRIGGER} proxy_pass http://app; }} {DRAINING}",
        ("error no-error-page",),
        {"GET /": Seen(418, ("keep-alive",))},
    ),
    Case(
        "the-servers-if-does-not-see-a-locations-error-page",
        f"{TRIGGER} location / {{ error_page 418 = @draining; proxy_pass http://app; }} "
        f"{DRAINING}",
        ("error no-error-page",),
        {"GET /": Seen(418, ("keep-alive",))},
    ),
    Case(
        "no-equals-sign",
        f"location / {{ error_page 418 @draining; {TRIGGER} proxy_pass http://app; }} "
        f"{DRAINING}",
        ("error status-replaced",),
        {"GET /": Seen(418)},
    ),
    Case(
        "an-equals-sign-with-a-status",
        f"location / {{ error_page 418 =202 @draining; {TRIGGER} proxy_pass http://app; }} "
        f"{DRAINING}",
        ("error status-replaced",),
        {"GET /": Seen(202)},
    ),
    Case(
        "a-target-that-is-no-named-location",
        f"location / {{ error_page 418 = /d; {TRIGGER} proxy_pass http://app; }} "
        "location /d { internal; keepalive_timeout 0; proxy_pass http://app; }",
        ("error target-is-a-uri",),
        {"GET /": Seen(200)},
    ),
    Case(
        "no-named-location",
        f"location / {{ {TO} proxy_pass http://app; }}",
        ("error no-named-location",),
        {"GET /": Seen(500)},
    ),
    Case(
        "no-close",
        f"location / {{ {TO} proxy_pass http://app; }} "
        "location @draining { proxy_pass http://app; }",
        ("error no-close",),
        {"GET /": KEPT},
    ),
    Case(
        "drain-in-a-circle",
        f"error_page 418 = @draining; location / {{ {TRIGGER} proxy_pass http://app; }} "
        f"location @draining {{ {TRIGGER} keepalive_timeout 0; proxy_pass http://app; }}",
        ("error drain-in-a-circle",),
        {"GET /": Seen(418)},
    ),
    Case(
        "drain-in-a-circle-for-ever",
        "recursive_error_pages on; error_page 418 = @draining; "
        f"location / {{ {TRIGGER} proxy_pass http://app; }} "
        f"location @draining {{ {TRIGGER} keepalive_timeout 0; proxy_pass http://app; }}",
        ("error drain-in-a-circle",),
        {"GET /": Seen(500)},
    ),
    Case(
        "another-file",
        "location / { error_page 418 = @draining; if (!-f <files>/index.html) { return 418; } "
        f"proxy_pass http://app; }} {DRAINING}",
        ("error status-file",),
        {"GET /": KEPT},
    ),
    Case(
        "the-wrong-way-round",
        "location / { error_page 418 = @draining; if (-f <status>) { return 418; } "
        f"proxy_pass http://app; }} {DRAINING}",
        ("error status-file",),
        {"GET /": KEPT},
    ),
    Case(
        "a-password-not-asked-for",
        "location / { auth_basic private; auth_basic_user_file <files>/htpasswd; "
        f"{TO} proxy_pass http://app; }} {DRAINING}",
        ("error access-not-repeated", "error access-not-repeated"),
        {"GET /": Seen(200)},
    ),
    Case(
        "a-password-of-the-server",
        "auth_basic private; auth_basic_user_file <files>/htpasswd; "
        f"location / {{ {TO} proxy_pass http://app; }} {DRAINING}",
        (),
        {"GET /": Seen(401)},
    ),
    Case(
        "a-path-that-is-replaced",
        f"location /api/ {{ {TO} proxy_pass http://app/missing/; }} {DRAINING}",
        ("error answers-otherwise",),
        {"GET /api/x": Seen(200)},
    ),
    Case(
        "a-path-that-a-rewrite-replaces",
        f"location /api/ {{ {TO} proxy_pass http://app/missing/; }} "
        "location @draining { keepalive_timeout 0; rewrite ^/api/(.*) /missing/$1 break; "
        "proxy_pass http://app; }",
        (),
        {"GET /api/x": Seen(404)},
    ),
    Case(
        "another-upstream",
        f"location / {{ {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; proxy_pass http://<dead>; }",
        ("error answers-otherwise",),
        {"GET /": Seen(502)},
    ),
    Case(
        "a-header-not-repeated",
        f"location / {{ {TO} proxy_set_header Host a; proxy_pass http://app; }} {DRAINING}",
        ("warning not-repeated",),
        {"GET /": Seen(200)},
    ),
    Case(
        "two-headers",
        "location / { add_header Connection close; proxy_pass http://app; }",
        ("error not-covered", "warning connection-header"),
        {"GET /": Seen(200, ("keep-alive", "close"))},
    ),
    Case(
        "a-short-idle-time",
        f"keepalive_timeout 90; location / {{ keepalive_timeout 15; {TO} proxy_pass http://app; }} "
        f"{DRAINING}",
        ("warning short-keepalive",),
        {"GET /": Seen(200)},
    ),
    Case(
        "few-requests-on-a-connection",
        f"keepalive_requests 10; location / {{ {TO} proxy_pass http://app; }} {DRAINING}",
        ("note few-requests",),
        {"GET /": Seen(200)},
    ),
    Case(
        "an-error-page-of-the-users",
        "error_page 502 /index.html; "
        f"location / {{ error_page 502 /index.html; {TO} proxy_pass http://<dead>; }} "
        "location @draining { keepalive_timeout 0; proxy_pass http://<dead>; }",
        ("note error-pages-unused",),
        {"GET /": Seen(502)},
    ),
)  # fmt: skip

#: What nginx refuses at its start, and what is found in it.
REFUSED: Final = (
    Case(
        "a-path-in-a-named-location",
        f"location / {{ {TO} proxy_pass http://app; }} "
        "location @draining { keepalive_timeout 0; proxy_pass http://app/; }",
        ("error uri-in-named-location",),
        {},
    ),
)
