"""Close drivers and counters: those to be accepted and those to be refused."""

from typing import Any, Final

from tests.support.specs import BadSpec, GoodSpec


def _close(**driver: Any) -> dict[str, Any]:
    return {"close": [driver]}


def _http2(**fields: Any) -> dict[str, Any]:
    return _close(nginx={"http2": fields})


def _reload(**fields: Any) -> dict[str, Any]:
    return _close(nginx={"reload": fields})


def _metrics(**counter: Any) -> dict[str, Any]:
    return {"metrics": [counter]}


def _header(name: Any, value: Any = "") -> dict[str, Any]:
    return _close(http={"port": 1, "headers": [{"name": name, "value": value}]})


def _gauge(**fields: Any) -> dict[str, Any]:
    return _metrics(prometheus={"port": 9090, "metric": "in_flight"} | fields)


GOOD_CLOSE_DRIVERS: Final = (
    GoodSpec("Envoy", _close(envoy={})),
    GoodSpec("Envoy elsewhere", _close(envoy={"adminPort": 19000})),
    GoodSpec("HAProxy by its socket", _close(haproxy={"socket": "/run/haproxy/admin.sock"})),
    GoodSpec("HAProxy by a port", _close(haproxy={"port": 9999, "variable": "proc.leave"})),
    GoodSpec(
        "a call to the application", _close(http={"port": 7001, "path": "/shutDownGracefully"})
    ),
    GoodSpec(
        "all of a call",
        _close(
            http={
                "port": 65535,
                "path": "/drain?now=1&why=a%20b",
                "method": "PUT",
                "headers": [{"name": "Content-Type", "value": "text/plain"}, {"name": "X-A"}],
                "body": "leave\n",
                "timeout": "100ms",
                "retries": 0,
            }
        ),
    ),
    GoodSpec("a patient call", _close(http={"port": 1, "timeout": "1m", "retries": 10})),
    GoodSpec("a status file on a volume", _close(nginx={"statusFile": "/status/on"})),
    GoodSpec(
        "odd but possible status files",
        {
            "close": [
                {"nginx": {"statusFile": "/run/.on"}},
                {"nginx": {"statusFile": "/run/..on/a b"}},
                {"nginx": {"statusFile": "/.../...on"}},
                {"nginx": {"statusFile": "/losslessness"}},
            ]
        },
    ),
    GoodSpec("a file", _close(file={"path": "/status/on"})),
    GoodSpec("our own file", _close(file={"path": "/lossless/serving"})),
    GoodSpec("a file to create", _close(file={"path": "/.s/..off", "action": "Create"})),
    GoodSpec("nginx with HTTP/2", _close(nginx={"http2": {}})),
    GoodSpec("nginx with HTTP/2, soon", _http2(reload="AfterPropagation")),
    GoodSpec("another nginx with HTTP/2", _http2(container="web-1", command=["kill", "-HUP", "1"])),
    GoodSpec(
        "a reload just in time",
        {**_http2(), "drain": {"clientIdleTimeout": "60s", "timeout": "61s"}},
    ),
    GoodSpec(
        "a reload in a short drain",
        {**_http2(reload="AfterPropagation"), "drain": {"timeout": "30s"}},
    ),
    GoodSpec("nginx by reloads", _reload()),
    GoodSpec("another nginx by reloads", _reload(container="web-1", command=["kill", "-HUP", "1"])),
    GoodSpec(
        "nginx by reloads, and a file for balancers",
        _close(nginx={"reload": {}, "statusFile": "/status/on"}),
    ),
    GoodSpec(
        "nginx by reloads in a short drain",
        {**_reload(), "drain": {"clientIdleTimeout": "60s", "timeout": "30s"}},
    ),
    GoodSpec("the middleware", _close(middleware={})),
    GoodSpec("the middleware with a file", _close(middleware={"statusFile": "/status/on"})),
    GoodSpec("two drivers", {"close": [{"nginx": {}}, {"http": {"port": 7001}}]}),
)

GOOD_COUNTERS: Final = (
    GoodSpec("nginx's counter", _metrics(nginxStatus={"port": 8080})),
    GoodSpec("nginx's counter elsewhere", _metrics(nginxStatus={"port": 8080, "path": "/s"})),
    GoodSpec("Envoy's counter", _metrics(envoyStats={})),
    GoodSpec("HAProxy's counter by its socket", _metrics(haproxyStats={"socket": "/h.sock"})),
    GoodSpec("HAProxy's counter by a port", _metrics(haproxyStats={"port": 9999})),
    GoodSpec("a gauge", _gauge()),
    GoodSpec(
        "all of a gauge",
        _gauge(path="/m", labels={"code": "", "kind": "http"}, zeroMeans="NoConnections"),
    ),
)

_DRIVER: Final = "must name exactly one close driver"
_COUNTER: Final = "must name exactly one counter"
_ENDPOINT: Final = "must name either socket (a path) or port (on 127.0.0.1)"
_NUMBER: Final = "must be a number from 1 to 65535"
_FILE: Final = "must be the absolute path of a file, without . or .. in it"
_OURS: Final = "/lossless is ours, and there only /lossless/serving can be named"
_URL: Final = "must begin with / and hold no space"


def _status_file(name: str, path: Any, says: str = _FILE, *, api_says: str = "") -> BadSpec:
    field = "spec.close[0].nginx.statusFile"
    return BadSpec(name, _close(nginx={"statusFile": path}), field, says, api_says=api_says)


BAD_CLOSE_DRIVERS: Final = (
    BadSpec("no driver", {"close": [{}]}, "spec.close[0]", _DRIVER),
    BadSpec(
        "two drivers in one",
        {"close": [{"nginx": {}, "envoy": {"adminPort": 9901}}]},
        "spec.close[0]",
        _DRIVER,
    ),
    BadSpec(
        "nine drivers",
        {"close": [{"nginx": {}}] * 9},
        "spec.close",
        "must have at most 8 items",
        api_says="must have at most 8 items",
    ),
    _status_file("a relative status file", "status/on"),
    _status_file("a status file that is a directory", "/status/"),
    _status_file("a status file by detours", "/status/../on"),
    _status_file("a status file behind a dot", "/status/./on"),
    _status_file("a status file that ends in dots", "/status/.."),
    _status_file("a status file with an end of line", "/status/on\n"),
    _status_file("no status file", ""),
    _status_file("another status file in our folder", "/lossless/on", _OURS),
    _status_file("our folder as status file", "/lossless", _OURS),
    _status_file("a status file that is a number", 1, api_says="must be of type string"),
    BadSpec(
        "a word for HTTP/2",
        _close(nginx={"http2": "Reload"}),
        "spec.close[0].nginx.http2",
        "must be an object, for example {reload: AfterPropagation}",
        api_says="must be of type object",
    ),
    BadSpec(
        "another time for the reload",
        _http2(reload="Now"),
        "spec.close[0].nginx.http2.reload",
        "must be AfterClientIdleTimeout or AfterPropagation",
        api_says='supported values: "AfterClientIdleTimeout", "AfterPropagation"',
    ),
    BadSpec(
        "a container that cannot be",
        _http2(container="Web_1"),
        "spec.close[0].nginx.http2.container",
        "must be the name of a container",
    ),
    BadSpec(
        "a reload by nothing",
        _http2(command=[]),
        "spec.close[0].nginx.http2.command",
        "must be a list of 1 to 16 words",
        api_says="should have at least 1 items",
    ),
    BadSpec(
        "a reload in one text",
        _http2(command="nginx -s reload"),
        "spec.close[0].nginx.http2.command",
        "must be a list of 1 to 16 words",
        api_says="must be of type array",
    ),
    BadSpec(
        "a reload with an end of line",
        _http2(command=["sh", "-c", "a\nb"]),
        "spec.close[0].nginx.http2.command[2]",
        "must be a text without control characters",
    ),
    BadSpec(
        "a word for the reloads",
        _close(nginx={"reload": "AfterPropagation"}),
        "spec.close[0].nginx.reload",
        "must be an object, for example {} or {container: web}",
        api_says="must be of type object",
    ),
    BadSpec(
        "two reloads of one nginx",
        _close(nginx={"reload": {}, "http2": {}}),
        "spec.close[0].nginx.http2",
        "is told by reload as well, which tells all clients; remove http2",
    ),
    BadSpec(
        "reloads in a container that cannot be",
        _reload(container="Web_1"),
        "spec.close[0].nginx.reload.container",
        "must be the name of a container",
    ),
    BadSpec(
        "reloads by nothing",
        _reload(command=[]),
        "spec.close[0].nginx.reload.command",
        "must be a list of 1 to 16 words",
        api_says="should have at least 1 items",
    ),
    BadSpec(
        "reloads with an end of line",
        _reload(command=["sh", "-c", "a\nb"]),
        "spec.close[0].nginx.reload.command[2]",
        "must be a text without control characters",
    ),
    BadSpec(
        "a reload after the drain's end",
        {**_http2(), "drain": {"clientIdleTimeout": "60s", "timeout": "1m"}},
        "spec.drain.timeout",
        ", after which nginx would be reloaded, so",
    ),
    BadSpec(
        "a relative status file of the middleware",
        _close(middleware={"statusFile": "on"}),
        "spec.close[0].middleware.statusFile",
        _FILE,
    ),
    BadSpec(
        "our folder for a socket",
        _close(haproxy={"socket": "/lossless/h.sock"}),
        "spec.close[0].haproxy.socket",
        _OURS,
    ),
    BadSpec(
        "a file that lets containers go",
        _close(file={"path": "/lossless/released.app", "action": "Create"}),
        "spec.close[0].file.path",
        _OURS,
    ),
    BadSpec(
        "Envoy without a port",
        _close(envoy={"adminPort": 0}),
        "spec.close[0].envoy.adminPort",
        _NUMBER,
        api_says="should be greater than or equal to 1",
    ),
    BadSpec("HAProxy nowhere", _close(haproxy={}), "spec.close[0].haproxy", _ENDPOINT),
    BadSpec(
        "HAProxy twice",
        _close(haproxy={"socket": "/h.sock", "port": 9999}),
        "spec.close[0].haproxy",
        _ENDPOINT,
    ),
    BadSpec(
        "a relative socket",
        _close(haproxy={"socket": "run/h.sock"}),
        "spec.close[0].haproxy.socket",
        _FILE,
    ),
    BadSpec(
        "a socket with too long a path",
        _close(haproxy={"socket": "/" + 107 * "s"}),
        "spec.close[0].haproxy.socket",
        "is longer than a socket's path can be",
        api_says="Too long: may not be more than 107 bytes",
    ),
    BadSpec(
        "a variable of a session",
        _close(haproxy={"port": 9999, "variable": "sess.drain"}),
        "spec.close[0].haproxy.variable",
        "must be a process-wide variable of HAProxy, for example proc.drain",
    ),
    BadSpec(
        "a variable that is a command",
        _close(haproxy={"port": 9999, "variable": "proc.x bool(true); shutdown"}),
        "spec.close[0].haproxy.variable",
        "must be a process-wide variable of HAProxy, for example proc.drain",
    ),
    BadSpec(
        "a call to no port",
        _close(http={"path": "/leave"}),
        "spec.close[0].http.port",
        _NUMBER,
        api_says="Required value",
    ),
    BadSpec(
        "a call to a whole URL",
        _close(http={"port": 7001, "path": "http://127.0.0.1/leave"}),
        "spec.close[0].http.path",
        _URL,
    ),
    BadSpec(
        "a path with a space",
        _close(http={"port": 7001, "path": "/leave now"}),
        "spec.close[0].http.path",
        _URL,
    ),
    BadSpec(
        "a method of no HTTP",
        _close(http={"port": 7001, "method": "Post"}),
        "spec.close[0].http.method",
        "must be POST, GET, PUT, PATCH or DELETE",
        api_says='supported values: "POST", "GET", "PUT", "PATCH", "DELETE"',
    ),
    BadSpec(
        "a secret in a header",
        _header("authorization", "Bearer 1"),
        "spec.close[0].http.headers[0].name",
        "a pod's spec is no place for a secret",
    ),
    BadSpec(
        "a cookie", _header("Cookie", "a=b"), "spec.close[0].http.headers[0].name", "no place for"
    ),
    BadSpec(
        "the agent's own header",
        _header("Content-Length", "0"),
        "spec.close[0].http.headers[0].name",
        "is set by the agent; remove it",
    ),
    BadSpec(
        "a header with a colon",
        _header("X: y"),
        "spec.close[0].http.headers[0].name",
        "must be the name of an HTTP header",
    ),
    BadSpec(
        "a header in two lines",
        _header("X", "a\r\nHost: b"),
        "spec.close[0].http.headers[0].value",
        "must be visible ASCII, at most 1024 characters",
    ),
    BadSpec(
        "a header without a name",
        _close(http={"port": 1, "headers": [{"value": "x"}]}),
        "spec.close[0].http.headers[0].name",
        "must be a non-empty string",
        api_says="Required value",
    ),
    BadSpec(
        "too many headers",
        _close(http={"port": 1, "headers": [{"name": "X"}] * 17}),
        "spec.close[0].http.headers",
        "must be a list of at most 16 headers",
        api_says="must have at most 16 items",
    ),
    BadSpec(
        "a body too long",
        _close(http={"port": 1, "body": 4097 * "x"}),
        "spec.close[0].http.body",
        "must be a text of at most 4096 bytes",
        api_says="Too long: may not be more than 4096 bytes",
    ),
    BadSpec(
        "a call that never ends",
        _close(http={"port": 1, "timeout": "61s"}),
        "spec.close[0].http.timeout",
        "must be from 0.1s to 1m",
    ),
    BadSpec(
        "a call's time in words",
        _close(http={"port": 1, "timeout": "soon"}),
        "spec.close[0].http.timeout",
        "is not a duration",
    ),
    BadSpec(
        "a call again and again",
        _close(http={"port": 1, "retries": 11}),
        "spec.close[0].http.retries",
        "must be a number from 0 to 10",
        api_says="should be less than or equal to 10",
    ),
    BadSpec("no file", _close(file={}), "spec.close[0].file.path", _FILE, api_says="Required"),
    BadSpec("a relative file", _close(file={"path": "on"}), "spec.close[0].file.path", _FILE),
    BadSpec("a way up", _close(file={"path": "/a/../b"}), "spec.close[0].file.path", _FILE),
    BadSpec(
        "another action",
        _close(file={"path": "/on", "action": "Truncate"}),
        "spec.close[0].file.action",
        "must be Remove or Create",
        api_says='supported values: "Remove", "Create"',
    ),
)

BAD_COUNTERS: Final = (
    BadSpec("no counter", {"metrics": [{}]}, "spec.metrics[0]", _COUNTER),
    BadSpec(
        "two counters in one",
        _metrics(envoyStats={}, nginxStatus={"port": 8080}),
        "spec.metrics[0]",
        _COUNTER,
    ),
    BadSpec(
        "nine counters",
        {"metrics": [{"envoyStats": {}}] * 9},
        "spec.metrics",
        "must have at most 8 items",
        api_says="must have at most 8 items",
    ),
    BadSpec(
        "nginx's counter at no port",
        _metrics(nginxStatus={}),
        "spec.metrics[0].nginxStatus.port",
        _NUMBER,
        api_says="Required value",
    ),
    BadSpec(
        "nginx's counter at a relative path",
        _metrics(nginxStatus={"port": 8080, "path": "status"}),
        "spec.metrics[0].nginxStatus.path",
        _URL,
    ),
    BadSpec(
        "Envoy's counter beyond all ports",
        _metrics(envoyStats={"port": 65536}),
        "spec.metrics[0].envoyStats.port",
        _NUMBER,
        api_says="should be less than or equal to 65535",
    ),
    BadSpec(
        "HAProxy's counter nowhere",
        _metrics(haproxyStats={}),
        "spec.metrics[0].haproxyStats",
        _ENDPOINT,
    ),
    BadSpec(
        "HAProxy's counter at a relative path",
        _metrics(haproxyStats={"socket": "h.sock"}),
        "spec.metrics[0].haproxyStats.socket",
        _FILE,
    ),
    BadSpec(
        "our folder for a counter's socket",
        _metrics(haproxyStats={"socket": "/lossless/h.sock"}),
        "spec.metrics[0].haproxyStats.socket",
        _OURS,
    ),
    BadSpec(
        "no gauge",
        _metrics(prometheus={"port": 9090}),
        "spec.metrics[0].prometheus.metric",
        "must be the name of a metric",
        api_says="Required value",
    ),
    BadSpec(
        "a gauge with a query",
        _gauge(metric="sum(in_flight)"),
        "spec.metrics[0].prometheus.metric",
        "must be the name of a metric",
    ),
    BadSpec(
        "what only grows",
        _gauge(metric="requests_total"),
        "spec.metrics[0].prometheus.metric",
        "only ever grows, so it never says that nothing is left; name a gauge",
    ),
    BadSpec(
        "a gauge's page without a slash",
        _gauge(path="metrics"),
        "spec.metrics[0].prometheus.path",
        _URL,
    ),
    BadSpec(
        "a label that is none",
        _gauge(labels={"a-b": "c"}),
        "spec.metrics[0].prometheus.labels",
        "must be names of labels",
    ),
    BadSpec(
        "a label that is a number",
        _gauge(labels={"code": 200}),
        "spec.metrics[0].prometheus.labels.code",
        "must be a text of at most 256 characters",
        api_says="must be of type string",
    ),
    BadSpec(
        "too many labels",
        _gauge(labels={f"l{number}": "" for number in range(9)}),
        "spec.metrics[0].prometheus.labels",
        "must have at most 8 labels",
        api_says="must have at most 8 items",
    ),
    BadSpec(
        "another zero",
        _gauge(zeroMeans="Nothing"),
        "spec.metrics[0].prometheus.zeroMeans",
        "must be NoRequests or NoConnections",
        api_says='supported values: "NoRequests", "NoConnections"',
    ),
)
