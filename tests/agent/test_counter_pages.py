"""What proxies and applications tell of their requests, as they write it and as nobody would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.agent.haproxy import parse_statistics
from lossless.agent.prometheus_page import parse_gauge
from lossless.agent.proxy_pages import parse_envoy_stats, parse_stub_status
from lossless.agent.quantities import Quantity
from lossless.model.counters import Prometheus

#: Of nginx 1.22.1.
STUB_STATUS = (
    "Active connections: 3 \nserver accepts handled requests\n 5 5 4 \n"
    "Reading: 1 Writing: 2 Waiting: 7 \n"
)
#: Of Envoy 1.40.0.
ENVOY_STATS = (
    "http.admin.downstream_cx_active: 1\nhttp.admin.downstream_rq_active: 1\n"
    "http.ingress.downstream_cx_active: 4\nhttp.ingress.downstream_rq_active: 2\n"
    "http.ingress.v2.downstream_cx_active: 1\nhttp.ingress.v2.downstream_rq_active: 1\n"
)
#: Of HAProxy 2.6.12, but for the columns after the sixth.
HAPROXY_STATS = (
    "# pxname,svname,qcur,qmax,scur,smax,\n"
    "web,FRONTEND,,,3,4,\napp,BACKEND,1,1,2,2,\nraw,FRONTEND,,,1,1,\nrawb,BACKEND,0,0,1,1,\n"
)
GAUGE = Prometheus(9090, "in_flight")
CODED = Prometheus(9090, "in_flight", labels=(("code", 'a"\\b'), ("kind", "http")))


def test_nginx_does_not_count_the_question() -> None:
    """One of those that it writes to is the agent itself."""
    assert parse_stub_status(STUB_STATUS) == Quantity(2, "idle connections: 7")


def test_envoy_does_not_count_the_question() -> None:
    """It comes by the admin listener; all others are added up."""
    assert parse_envoy_stats(ENVOY_STATS) == Quantity(3, "connections: 5")


def test_haproxy_counts_streams_in_backends() -> None:
    """A frontend's number holds idle connections, too, so it only informs."""
    assert parse_statistics(HAPROXY_STATS) == Quantity(3, "connections: 4")


@pytest.mark.parametrize(
    ("page", "wanted", "value"),
    [
        pytest.param("in_flight 3\n", GAUGE, 3, id="plain"),
        pytest.param("in_flight 0", GAUGE, 0, id="zero"),
        pytest.param("in_flight\t2.5 1700000000000\n", GAUGE, 2.5, id="with-a-time"),
        pytest.param(
            "# HELP in_flight x\n# TYPE in_flight gauge\nin_flight 1", GAUGE, 1, id="typed"
        ),
        pytest.param('in_flight{a="1"} 1\nin_flight{a="2",} 1e1\r\n', GAUGE, 11, id="summed-up"),
        pytest.param("in_flight{} 1 # {} 0.5", GAUGE, 1, id="open-metrics"),
        pytest.param("in_flight_total 5\nin_flight 0\nxin_flight 7\n", GAUGE, 0, id="neighbours"),
        pytest.param(
            'in_flight{code="a\\"\\\\b",kind="http",more="}"} 2\nin_flight{code="200"} 9',
            CODED,
            2,
            id="by-labels",
        ),
    ],
)
def test_a_gauge_is_found(page: str, wanted: Prometheus, value: float) -> None:
    """All of its series that have the labels are added up."""
    assert parse_gauge(page, wanted).value == value


@pytest.mark.parametrize(
    ("page", "wanted", "message"),
    [
        pytest.param("", GAUGE, "in_flight is not on the page", id="empty"),
        pytest.param("in_flight_total 0\n", GAUGE, "not on the page", id="another"),
        pytest.param("in_flight NaN\n", GAUGE, "in_flight is nan, which is no count", id="nan"),
        pytest.param("in_flight -1\n", GAUGE, "is -1.0, which is no count", id="negative"),
        pytest.param("in_flight +Inf\n", GAUGE, "is inf, which is no count", id="infinite"),
        pytest.param("# TYPE in_flight counter\nin_flight 0", GAUGE, "a counter", id="counter"),
        pytest.param("# TYPE in_flight summary\nin_flight 0", GAUGE, "a summary", id="summary"),
        pytest.param('in_flight{a="1} 0\n', GAUGE, "not a line of a", id="an-open-quote"),
        pytest.param('in_flight{a="1"\n', GAUGE, "not a line of a", id="an-open-brace"),
        pytest.param("in_flight zero\n", GAUGE, "not a line of a", id="words"),
        pytest.param("in_flight \n", GAUGE, "not a line of a", id="no-value"),
        pytest.param('in_flight{code="1"} 0\n', CODED, "no series of in_flight", id="no-labels"),
    ],
)
def test_a_gauge_that_says_nothing_is_never_zero(
    page: str, wanted: Prometheus, message: str
) -> None:
    """What is absent, no number, or no gauge is an error with its cause."""
    with pytest.raises(ValueError, match=message):
        parse_gauge(page, wanted)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("", id="empty"),
        pytest.param("<html>404</html>", id="html"),
        pytest.param(STUB_STATUS.replace("Writing: 2", "Writing: -2"), id="negative"),
        pytest.param(
            STUB_STATUS.replace("Reading: 1 Writing: 2", "Reading: 0 Writing: 0"), id="not-itself"
        ),
    ],
)
def test_what_is_no_stub_status(page: str) -> None:
    """A page that does not even count the question is wrong, too."""
    with pytest.raises(ValueError, match="stub_status page"):
        parse_stub_status(page)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no HTTP listener", id="empty"),
        pytest.param(ENVOY_STATS.split("http.ingress", maxsplit=1)[0], "no HTTP", id="only-admin"),
        pytest.param(ENVOY_STATS + "http.a.downstream_rq_active: x\n", "not a line", id="words"),
        pytest.param('{"stats":[]}', "not a line", id="json"),
    ],
)
def test_what_are_no_envoy_statistics(text: str, message: str) -> None:
    """An Envoy without a listener has not said that it has no requests."""
    with pytest.raises(ValueError, match=message):
        parse_envoy_stats(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "not HAProxy's statistics", id="empty"),
        pytest.param("Permission denied", "not HAProxy's statistics", id="refused"),
        pytest.param("# pxname,svname,qcur\n", "not HAProxy's statistics", id="without-scur"),
        pytest.param(HAPROXY_STATS.splitlines()[0], "no backend", id="no-backend"),
        pytest.param(HAPROXY_STATS + "app,BACKEND,1,1,-2,2,\n", "not a line", id="negative"),
        pytest.param(HAPROXY_STATS + "app,BACKEND\n", "not a line", id="cut-off"),
    ],
)
def test_what_are_no_haproxy_statistics(text: str, message: str) -> None:
    """Nor has a HAProxy that refused to tell."""
    with pytest.raises(ValueError, match=message):
        parse_statistics(text)


def _mangled(page: str) -> st.SearchStrategy[str]:
    """Return pages of which a part was replaced, and pages made of the same characters."""
    cuts = st.tuples(st.integers(0, len(page)), st.integers(0, len(page)), st.text(max_size=8)).map(
        lambda cut: page[: cut[0]] + cut[2] + page[max(cut[:2]) :]
    )
    return cuts | st.text(alphabet=sorted(set(page)), max_size=60) | st.text(max_size=60)


@given(_mangled(STUB_STATUS))
def test_any_stub_status_is_a_count_or_a_value_error(page: str) -> None:
    """No page makes the parser fail in another way, or count below zero."""
    try:
        assert parse_stub_status(page).value >= 0
    except ValueError:
        return


@given(_mangled(ENVOY_STATS))
def test_any_envoy_statistics_are_a_count_or_a_value_error(text: str) -> None:
    """The same."""
    try:
        assert parse_envoy_stats(text).value >= 0
    except ValueError:
        return


@given(_mangled(HAPROXY_STATS))
def test_any_haproxy_statistics_are_a_count_or_a_value_error(text: str) -> None:
    """The same."""
    try:
        assert parse_statistics(text).value >= 0
    except ValueError:
        return


@given(
    _mangled('# TYPE in_flight gauge\nin_flight{code="a\\"\\\\b",kind="http"} 2 17\nin_flight 1\n'),
    st.sampled_from([GAUGE, CODED]),
)
def test_any_page_is_a_count_or_a_value_error(page: str, wanted: Prometheus) -> None:
    """The same; a page without the metric is never zero."""
    try:
        found = parse_gauge(page, wanted)
    except ValueError:
        return
    assert found.value >= 0
    assert "in_flight" in page
