"""Each alert fires when it should, with its texts, and only then: asked of promtool."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from monitoring.files import ALERTS
from monitoring.rules import Alert, read_alerts

ALL: Final = {alert.name: alert for alert in read_alerts(ALERTS)}
WEB: Final = {"namespace": "shop", "rollout": "web"}
_OF_WEB: Final = '{namespace="shop", rollout="web"}'
_DAY: Final = 86400


@dataclass(frozen=True)
class Case:
    """What Prometheus has scraped every minute, and what it says after ``minutes``."""

    name: str
    series: dict[str, str]
    """In promtool's notation: ``0+1x3`` is 0, 1, 2, 3."""
    minutes: int
    fires: tuple[dict[str, str], ...] = ()
    """The labels of each alert, without name and severity."""
    value: str = ""
    """As the texts show it."""
    id: str = field(kw_only=True)


def _drains(result: str) -> str:
    return f'lossless_drains_total{{namespace="shop", rollout="web", result="{result}"}}'


def _looks(result: str) -> str:
    return f'lossless_reconcile_seconds_count{{result="{result}"}}'


def _buckets(name: str, fast: str, slow: str) -> dict[str, str]:
    """Return a histogram, most of whose values are fast or slow."""
    return {
        f'{name}_bucket{{le="0.1"}}': fast,
        f'{name}_bucket{{le="1"}}': fast,
        f'{name}_bucket{{le="10"}}': slow,
        f'{name}_bucket{{le="+Inf"}}': slow,
    }


def _webhook_leader(sign: str, leader: str) -> dict[str, str]:
    return {
        "lossless_webhook_leader_fresh": sign,
        "lossless_controller_leader": leader,
        "lossless_webhook_rollouts_watch_silence_seconds": "5x30",
    }


_HELD: Final = f"lossless_held_gates{_OF_WEB}"
_PAUSED: Final = f"lossless_rollout_paused{_OF_WEB}"
_EXPIRY: Final = "lossless_webhook_certificate_expiry_timestamp_seconds"

CASES: Final = (
    Case("LosslessDrainLost", {_drains("Lost"): "0 0 1x10"}, 5, (WEB,), id="one lost"),
    Case(
        "LosslessDrainLost",
        {_drains("Lost"): "0 0 1x10", _drains("Lost").replace("{", '{pod="b", '): "0x12"},
        5,
        (WEB,),
        id="told by one of two controllers",
    ),
    Case(
        "LosslessDrainLost",
        {_drains("Lost"): "1x10", _drains("Drained"): "0+1x10"},
        5,
        id="none since",
    ),
    Case("LosslessDrainLost", {_drains("Lost"): "0 1x50"}, 45, id="long ago"),
    Case("LosslessDrainTimedOut", {_drains("TimedOut"): "0 0 1x10"}, 5, (WEB,), id="one"),
    Case("LosslessDrainTimedOut", {_drains("Drained"): "0+1x10"}, 5, id="all drained"),
    Case("LosslessRolloutPaused", {_PAUSED: "1x40"}, 35, (WEB,), id="for long"),
    Case("LosslessRolloutPaused", {_PAUSED: "1x40"}, 25, id="for a while"),
    Case("LosslessRolloutPaused", {_PAUSED: "1x20 0x40"}, 40, id="resumed"),
    Case(
        "LosslessRolloutStuck",
        {_HELD: "1x70", _PAUSED: "0x70", _drains("Drained"): "4x70"},
        65,
        (WEB,),
        id="nothing moves",
    ),
    Case(
        "LosslessRolloutStuck",
        {_HELD: "1x70", _PAUSED: "0x70", _drains("Drained"): "0+1x70"},
        65,
        id="one after the other drains",
    ),
    Case(
        "LosslessRolloutStuck",
        {_HELD: "1x70", _PAUSED: "1x70", _drains("Drained"): "4x70"},
        65,
        id="paused, which has its own alert",
    ),
    Case("LosslessNotReady", {f"lossless_rollout_ready{_OF_WEB}": "0x80"}, 65, (WEB,), id="no"),
    Case("LosslessNotReady", {f"lossless_rollout_ready{_OF_WEB}": "0x30 1x50"}, 65, id="now"),
    Case(
        "LosslessPodsUnprotected",
        {
            f'lossless_unprotected_pods{{namespace="shop", rollout="web", reason="{one}"}}': "1x20"
            for one in ("missed", "containers", "older", "declined")
        },
        18,
        (WEB,),
        "2",
        id="missed, and a container",
    ),
    Case(
        "LosslessPodsUnprotected",
        {
            f'lossless_unprotected_pods{{namespace="shop", rollout="web", reason="{one}"}}': "3x20"
            for one in ("older", "declined")
        },
        18,
        id="older, or as they want it",
    ),
    Case(
        "LosslessInjectionSuspended",
        {f"lossless_injection_suspended{_OF_WEB}": "0 1x10"},
        5,
        (WEB,),
        id="suspended",
    ),
    Case(
        "LosslessInjectionSuspended",
        {f"lossless_injection_suspended{_OF_WEB}": "1 1 0x10"},
        5,
        id="tried again",
    ),
    Case(
        "LosslessAgentBlind",
        {
            'lossless_agent_readable{namespace="shop", pod="a"}': "0x10",
            'lossless_agent_readable{namespace="shop", pod="b"}': "1x10",
        },
        8,
        ({"namespace": "shop"},),
        "1",
        id="one of two",
    ),
    Case(
        "LosslessAgentBlind",
        {'lossless_agent_readable{namespace="shop", pod="a"}': "0 0 1x10"},
        8,
        id="for a moment",
    ),
    Case(
        "LosslessNoLeader",
        {f'lossless_controller_leader{{pod="{one}"}}': "0x10" for one in "ab"},
        5,
        ({},),
        id="both stand by",
    ),
    Case("LosslessNoLeader", {"up": "1x10"}, 5, ({},), id="none is scraped"),
    Case(
        "LosslessNoLeader",
        {
            'lossless_controller_leader{pod="a"}': "1 1 0x10",
            'lossless_controller_leader{pod="b"}': "0 0 0 1x10",
        },
        5,
        id="handed over",
    ),
    Case(
        "LosslessReconcileFailing",
        {_looks("ok"): "0+6x30", _looks("failed"): "0+2x30", _looks("error"): "0x30"},
        25,
        ({},),
        "25%",
        id="a quarter",
    ),
    Case(
        "LosslessReconcileFailing",
        {_looks("ok"): "0+60x30", _looks("failed"): "0+1x30", _looks("error"): "0x30"},
        25,
        id="now and then",
    ),
    Case("LosslessReconcileFailing", {_looks("ok"): "7x30"}, 25, id="nothing to do"),
    Case(
        "LosslessGatesOpenLate",
        _buckets("lossless_event_to_gate_seconds", "0+1x30", "0+2x30"),
        25,
        ({},),
        id="half of them",
    ),
    Case(
        "LosslessGatesOpenLate",
        _buckets("lossless_event_to_gate_seconds", "0+2x30", "0+2x30"),
        25,
        id="none",
    ),
    Case("LosslessWebhookDown", {"up": "1x10"}, 8, ({"component": "webhook"},), id="none"),
    Case(
        "LosslessWebhookDown",
        {'lossless_build_info{component="webhook", version="1"}': "1x10"},
        8,
        id="one",
    ),
    Case(
        "LosslessReviewsFailing",
        {
            'lossless_webhook_reviews_total{result="refused"}': "0 0 1x10",
            'lossless_webhook_reviews_total{result="failed"}': "0x12",
            'lossless_webhook_reviews_total{result="injected"}': "0+1x12",
            "lossless_webhook_malformed_reviews_total": "0 0 1x10",
        },
        8,
        ({"result": "refused"}, {"result": "malformed"}),
        id="one refused, one malformed",
    ),
    Case(
        "LosslessReviewsFailing",
        {
            'lossless_webhook_reviews_total{result="refused"}': "3x12",
            'lossless_webhook_reviews_total{result="injected"}': "0+1x12",
            'lossless_webhook_reviews_total{result="not_ours"}': "0+1x12",
            "lossless_webhook_malformed_reviews_total": "1x12",
        },
        8,
        id="not lately",
    ),
    Case(
        "LosslessReviewsSlow",
        _buckets("lossless_webhook_review_seconds", "0+1x30", "0+2x30"),
        25,
        ({},),
        id="half of them",
    ),
    Case(
        "LosslessReviewsSlow",
        _buckets("lossless_webhook_review_seconds", "0+2x30", "0+2x30"),
        25,
        id="none",
    ),
    Case(
        "LosslessWebhookOutOfTouch",
        {'lossless_webhook_rollouts_watch_silence_seconds{pod="a"}': "0+60x30"},
        20,
        ({},),
        id="silent",
    ),
    Case(
        "LosslessWebhookOutOfTouch", _webhook_leader("0x30", "1x30"), 20, ({},), id="no sign of it"
    ),
    Case(
        "LosslessWebhookOutOfTouch",
        _webhook_leader("0x30", "0x30"),
        20,
        id="there is no leader, which has its own alert",
    ),
    Case("LosslessWebhookOutOfTouch", _webhook_leader("1x30", "1x30"), 20, id="well"),
    Case("LosslessCertificateExpires", {_EXPIRY: f"{6 * _DAY}x30"}, 20, ({},), id="in 6 days"),
    Case("LosslessCertificateExpires", {_EXPIRY: "0x30"}, 20, ({},), id="there is none"),
    Case("LosslessCertificateExpires", {_EXPIRY: f"{40 * _DAY}x30"}, 20, id="in 40 days"),
    Case("LosslessCertificateExpires", {_EXPIRY: f"0 0 {365 * _DAY}x30"}, 20, id="at the start"),
)


def _expected(alert: Alert, case: Case) -> list[dict[str, Any]]:
    return [
        {
            "exp_labels": labels | {"severity": alert.severity},
            "exp_annotations": alert.texts(labels, case.value),
        }
        for labels in case.fires
    ]


def _promtool(
    promtool: str, folder: Path, tests: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    path = folder / "tests.yaml"
    path.write_text(yaml.safe_dump(tests))
    return subprocess.run(  # noqa: S603 # promtool, and a file of ours
        [promtool, "test", "rules", str(path)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def _tests(case: Case, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rule_files": [str(ALERTS)],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series, "values": values} for series, values in case.series.items()
                ],
                "alert_rule_test": [
                    {
                        "eval_time": f"{case.minutes}m",
                        "alertname": case.name,
                        "exp_alerts": expected,
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.name}-{c.id}") for c in CASES])
def test_it_fires_or_not(promtool: str, tmp_path: Path, case: Case) -> None:
    """With exactly these labels and texts."""
    done = _promtool(promtool, tmp_path, _tests(case, _expected(ALL[case.name], case)))

    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_say_so(promtool: str, tmp_path: Path) -> None:
    """The control: a case that fires, expected not to."""
    done = _promtool(promtool, tmp_path, _tests(CASES[0], []))

    assert done.returncode == 1
    assert "LosslessDrainLost" in done.stdout + done.stderr


def test_every_alert_is_seen_firing_and_silent() -> None:
    """Both, or it may always fire, or never."""
    assert {case.name for case in CASES if case.fires} == ALL.keys()
    assert {case.name for case in CASES if not case.fires} == ALL.keys()


def test_the_file_is_one_that_prometheus_reads(promtool: str) -> None:
    """As it stands, for those without the Prometheus Operator."""
    done = subprocess.run(  # noqa: S603 # promtool, and a file of ours
        [promtool, "check", "rules", "--lint-fatal", str(ALERTS)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
