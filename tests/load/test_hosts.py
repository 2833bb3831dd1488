"""What three rolling publishes on hosts prove, and what they do not."""

from collections.abc import Mapping

import pytest

from e2e.hosts.story import AT_LEAST, Result, verdict
from e2e.load.report import Latency, LoadReport


def a_result(
    way: str, seconds: float, kinds: Mapping[str, int], requests: int = AT_LEAST
) -> Result:
    """Return what a rollout has given."""
    return Result(way, seconds, LoadReport(0.0, seconds, requests, kinds, Latency(), {}))


NAIVE = a_result("naive", 1.0, {"HTTP 502": 7})
SLEEPS = a_result("sleeps", 60.0, {})
OURS = a_result("lossless", 16.0, {})


@pytest.mark.parametrize(
    ("results", "good", "words"),
    [
        pytest.param(
            (NAIVE, SLEEPS, OURS),
            True,
            "As promised: naive lost 7; lossless lost none; it took 16 s, the sleeps 60 s.",
            id="as-promised",
        ),
        pytest.param(
            (NAIVE, OURS), True, "As promised: naive lost 7; lossless lost none.", id="two"
        ),
        *(
            pytest.param(
                rows,
                False,
                "Nothing is proved: that takes both the naive and the lossless row.",
                id=f"only-{'-and-'.join(row.way for row in rows)}",
            )
            for rows in ((NAIVE,), (OURS,), (SLEEPS, OURS))
        ),
        pytest.param(
            (NAIVE, a_result("lossless", 16.0, {}, AT_LEAST - 1)),
            False,
            f"Nothing is proved: fewer than {AT_LEAST} requests: lossless {AT_LEAST - 1}.",
            id="too-few",
        ),
        pytest.param(
            (a_result("naive", 1.0, {}), OURS),
            False,
            "Not as promised: naive lost nothing, so this load proves nothing.",
            id="no-control",
        ),
        pytest.param(
            (NAIVE, a_result("lossless", 16.0, {"reset": 1})),
            False,
            "Not as promised: lossless lost 1.",
            id="one-lost",
        ),
        pytest.param(
            (NAIVE, SLEEPS, a_result("lossless", 61.0, {})),
            False,
            "Not as promised: it took 61 s, the sleeps 60 s.",
            id="slower",
        ),
    ],
)
def test_verdicts(results: tuple[Result, ...], words: str, *, good: bool) -> None:
    """Nothing is proved without a control that loses, and nothing said of rows that did not run."""
    assert verdict(results) == (good, words)
