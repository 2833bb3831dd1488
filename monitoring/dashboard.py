"""The Grafana dashboard: is it well, what do rollouts do, and who is at fault if not."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.panels import GREEN, ORANGE, RED, SOURCE, course, figure, rows

UID: Final = "lossless"
#: What a viewer has chosen; metrics of the controller carry both labels.
_CHOSEN: Final = '{namespace=~"$namespace", rollout=~"$rollout"}'
#: Webhook and controller, by their own saying: a job's name is whatever a Prometheus calls it.
_OURS: Final = 'on (instance, job) group_left (component) lossless_build_info{component!="agent"}'

Panel = stat.Panel | timeseries.Panel | table.Panel


def dashboard() -> str:
    """Return the dashboard's JSON, as Grafana imports it."""
    made = (
        build.Dashboard("Lossless")
        .uid(UID)
        .description("Rollouts that lose no request: what they do, and whether Lossless is well.")
        .tags(["lossless", "kubernetes"])
        .editable()
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            build.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
        .with_variable(_variable("namespace", "label_values(lossless_rollout_phase, namespace)"))
        .with_variable(
            _variable(
                "rollout",
                'label_values(lossless_rollout_phase{namespace=~"$namespace"}, rollout)',
            )
        )
    )
    number = 0
    for title, panels in _rows():
        number += 1
        made.with_row(build.Row(title).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def expressions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the title of each panel of a dashboard with each of its PromQL expressions."""
    panel: dict[str, Any]
    for panel in json.loads(text)["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def plain(expression: str, interval: str = "1m", shown: str = "1h") -> str:
    """Return an expression as Grafana would send it with nothing chosen.

    Args:
        expression: of a panel.
        interval: at least four scrapes (Grafana's ``$__rate_interval``).
        shown: the time shown.
    """
    chosen = {
        "$__rate_interval": interval,
        "$__range": shown,
        "$namespace": ".*",
        "$rollout": ".*",
    }
    for name, value in chosen.items():
        expression = expression.replace(name, value)
    return expression


def _variable(name: str, query: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(name)
        .hide(VariableHide.DONT_HIDE)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)  # noqa: FBT003 # the library's way
        .include_all(True)  # noqa: FBT003 # the library's way
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _rows() -> tuple[tuple[str, Sequence[Panel]], ...]:
    return (
        ("Is it well?", _well()),
        ("Rollouts", _rollouts()),
        ("Drains", _drains()),
        ("Protection", _protection()),
        ("Webhook", _webhook()),
        ("Controller", _controller()),
        ("Agents (where they are scraped)", _agents()),
    )


def _well() -> Sequence[Panel]:
    return (
        figure(
            "Leader",
            "max(lossless_controller_leader)",
            "1: a controller opens gates and paces rollouts. 0: none does.",
            {None: RED, 1: GREEN},
            nothing="none scraped",
        ),
        figure(
            "Webhooks",
            'count(lossless_build_info{component="webhook"})',
            "Replicas that are scraped. With none, new pods start unprotected.",
            {None: RED, 1: ORANGE, 2: GREEN},
            nothing="none scraped",
        ),
        figure(
            "Protected",
            f"sum(lossless_rollout_ready{_CHOSEN}) / count(lossless_rollout_ready{_CHOSEN})",
            "Share of LosslessRollouts whose condition Ready is True.",
            {None: ORANGE, 1: GREEN},
            unit="percentunit",
        ),
        figure(
            "Bare pods",
            f"sum(lossless_unprotected_pods{_CHOSEN})",
            "Pods that would stop without a full drain, for whatever reason; see Protection.",
            {None: GREEN, 1: ORANGE},
        ),
        figure(
            "Suspended",
            f"sum(lossless_injection_suspended{_CHOSEN})",
            "LosslessRollouts whose new pods start without an agent, because agents kept others"
            " from starting.",
            {None: GREEN, 1: RED},
        ),
        figure(
            "Timed out",
            f"sum(increase(lossless_drains_total{_with('result', 'TimedOut')}[$__range]))",
            "Drains that ended with clients left, in the time shown.",
            {None: GREEN, 0.5: ORANGE},
        ),
        figure(
            "Lost",
            f"sum(increase(lossless_drains_total{_with('result', 'Lost')}[$__range]))",
            "Pods that went before their drains had ended, in the time shown.",
            {None: GREEN, 0.5: RED},
        ),
        figure(
            "Certificate",
            "min(lossless_webhook_certificate_expiry_timestamp_seconds) - time()",
            "Until the webhook's certificate ends. It renews its own when a third of its life is"
            " left.",
            {None: RED, 7 * 86400: ORANGE, 30 * 86400: GREEN},
            unit="s",
        ),
    )


def _rollouts() -> Sequence[Panel]:
    return (
        course(
            "LosslessRollouts by phase",
            {"{{phase}}": f"sum by (phase) (lossless_rollout_phase{_CHOSEN}) > 0"},
            "Progressing: a rollout is under way. Draining: pods stop outside a rollout.",
            stacked=True,
        ),
        course(
            "New pods of rollouts under way",
            {
                "{{namespace}}/{{rollout}}": (
                    f"max by (namespace, rollout) (lossless_rollout_updated_replicas{_CHOSEN}"
                    f" / (lossless_rollout_replicas{_CHOSEN} > 0))"
                    f" and on (namespace, rollout) lossless_rollout_phase"
                    '{phase=~"Progressing|Paused"} == 1'
                )
            },
            "Share of the pods that are of the new revision.",
            unit="percentunit",
        ),
        rows(
            "Not Ready now",
            "max by (namespace, rollout, phase)"
            f" (lossless_rollout_phase{_with('phase!', 'Ready')} == 1)",
            "Every LosslessRollout that does something, or that asks for something to be done.",
            {"namespace": "namespace", "rollout": "LosslessRollout", "phase": "phase"},
        ),
        course(
            "Pods that drain",
            {
                "{{namespace}}/{{rollout}}": (
                    f"max by (namespace, rollout) (lossless_draining_pods{_CHOSEN}) > 0"
                )
            },
            "Asked to stop, and not done.",
        ),
        course(
            "Pods that are held",
            {
                "{{namespace}}/{{rollout}}": (
                    f"max by (namespace, rollout) (lossless_held_gates{_CHOSEN}) > 0"
                )
            },
            "New pods whose gates wait for a drain to end.",
        ),
        course(
            "Connections left on pods that drain",
            {"{{state}}": f"sum by (state) (lossless_draining_connections{_CHOSEN})"},
            "active: a request is, or may be, in flight. Not known: no line.",
            stacked=True,
        ),
    )


def _drains() -> Sequence[Panel]:
    def slower_than(share: float) -> str:
        return (
            f"histogram_quantile({share}, sum by (le)"
            ' (rate(lossless_drain_seconds_bucket{result="Drained"}[$__rate_interval])))'
        )

    return (
        course(
            "Drains that ended",
            {
                "{{result}}": (
                    f"sum by (result) (increase(lossless_drains_total{_CHOSEN}[$__rate_interval]))"
                )
            },
            "Drained: with proof that nobody was left. TimedOut: clients were left. Lost: the pod"
            " went before.",
            bars=True,
            stacked=True,
        ),
        course(
            "Seconds that drains took",
            {"p50": slower_than(0.5), "p90": slower_than(0.9), "p99": slower_than(0.99)},
            "Of those that ended Drained, in the whole cluster.",
            unit="s",
        ),
        course(
            "Mean seconds by result",
            {
                "{{result}}": (
                    "sum by (result) (rate(lossless_drain_seconds_sum[$__rate_interval]))"
                    " / sum by (result) (rate(lossless_drain_seconds_count[$__rate_interval]))"
                )
            },
            "In the whole cluster. TimedOut is spec.drain.timeout.",
            unit="s",
        ),
    )


def _protection() -> Sequence[Panel]:
    return (
        course(
            "Pods without full protection",
            {"{{reason}}": f"sum by (reason) (lossless_unprotected_pods{_CHOSEN})"},
            "older: until their next release. declined: by their label. missed: the webhook was"
            " not there. containers: some do not wait for the drain.",
            stacked=True,
        ),
        course(
            "Injection suspended",
            {
                "{{namespace}}/{{rollout}}": (
                    f"max by (namespace, rollout) (lossless_injection_suspended{_CHOSEN}) > 0"
                )
            },
            "1 while new pods start without an agent.",
        ),
        course(
            "Stuck pods made anew",
            {
                "{{namespace}}/{{rollout}}": (
                    "sum by (namespace, rollout)"
                    f" (increase(lossless_stuck_pods_replaced_total{_CHOSEN}[$__rate_interval]))"
                    " > 0"
                )
            },
            "Evicted because their agents kept them from starting.",
            bars=True,
        ),
    )


def _webhook() -> Sequence[Panel]:
    return (
        course(
            "Reviews a second",
            {
                "{{result}}": (
                    "sum by (result) (rate(lossless_webhook_reviews_total[$__rate_interval]))"
                )
            },
            "injected, not_ours: as it should be. refused, suspended, failed: the pod is bare.",
            unit="reqps",
            stacked=True,
        ),
        _latency(
            "Seconds of a review",
            "lossless_webhook_review_seconds",
            "The API server gives up after 3 s.",
        ),
        course(
            "Silence",
            {"longest": "max(lossless_webhook_rollouts_watch_silence_seconds)"},
            "Since a webhook last heard of LosslessRollouts. A bookmark comes about once a minute.",
            unit="s",
        ),
    )


def _controller() -> Sequence[Panel]:
    return (
        course(
            "Looks a second",
            {
                "{{result}}": (
                    "sum by (result) (rate(lossless_reconcile_seconds_count[$__rate_interval]))"
                )
            },
            "failed: the API server did not let it. error: a fault of Lossless.",
            unit="ops",
            stacked=True,
        ),
        _latency("Seconds of a look", "lossless_reconcile_seconds", "Gather, decide, apply."),
        _latency(
            "Seconds from an event to its gate",
            "lossless_event_to_gate_seconds",
            "What the controller adds to a rollout, at each pod.",
        ),
        course(
            "Queue",
            {"waiting": "max(lossless_queue_length)"},
            "LosslessRollouts that wait for a look.",
        ),
        course(
            "CPU",
            {
                "{{component}} {{instance}}": (
                    f"rate(process_cpu_seconds_total[$__rate_interval]) * {_OURS}"
                )
            },
            "Cores, of controllers and webhooks.",
        ),
        course(
            "Memory",
            {"{{component}} {{instance}}": f"process_resident_memory_bytes * {_OURS}"},
            "Resident, of controllers and webhooks.",
            unit="bytes",
        ),
    )


def _agents() -> Sequence[Panel]:
    chosen = '{namespace=~"$namespace"}'
    return (
        course(
            "Agents by phase",
            {"{{phase}}": f"sum by (phase) (lossless_agent_phase{chosen}) > 0"},
            "As the pods themselves say. Needs metrics.podMonitor.agents.",
            stacked=True,
        ),
        course(
            "Connections by what they do",
            {"{{state}}": f"sum by (state) (lossless_agent_connections{chosen})"},
            "Inbound, from outside the pods, serving and draining.",
            stacked=True,
        ),
        course(
            "Agents that cannot count",
            {"{{namespace}}": f"count by (namespace) (lossless_agent_readable{chosen} == 0)"},
            "Their pods would drain until the timeout.",
        ),
    )


def _latency(title: str, name: str, text: str) -> timeseries.Panel:
    return course(
        title,
        {
            f"p{share * 100:g}": (
                f"histogram_quantile({share}, sum by (le) (rate({name}_bucket[$__rate_interval])))"
            )
            for share in (0.5, 0.99)
        },
        text,
        unit="s",
    )


def _with(label: str, value: str) -> str:
    return f'{{namespace=~"$namespace", rollout=~"$rollout", {label}="{value}"}}'
