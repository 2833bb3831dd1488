"""The few kinds of panels that the dashboard is made of, all of one look."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

#: The variable by which a viewer chooses a Prometheus.
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN: Final = "green"
ORANGE: Final = "orange"
RED: Final = "red"
BLUE: Final = "blue"
#: Every panel of one name has one colour, wherever it is shown.
_COLOURS: Final[Mapping[str, str]] = {
    "Drained": GREEN,
    "TimedOut": ORANGE,
    "Lost": RED,
    "injected": GREEN,
    "not_ours": BLUE,
    "refused": ORANGE,
    "failed": RED,
    "ok": GREEN,
    "error": "dark-red",
    "Ready": GREEN,
    "Progressing": BLUE,
    "Paused": ORANGE,
    "Degraded": RED,
}
#: Legends whose values these names are.
_COLOURED: Final = frozenset({"{{phase}}", "{{result}}"})
_HEIGHT: Final = 8


def figure(  # noqa: PLR0913 # what a figure says, each thing by its name
    title: str,
    expression: str,
    text: str,
    steps: Mapping[float | None, str],
    *,
    unit: str = "none",
    nothing: str = "no data",
) -> stat.Panel:
    """Return one number.

    Args:
        title: of the panel.
        expression: in PromQL, one series.
        text: explains it, on hover.
        steps: colours from a value on; None: from the lowest.
        unit: Grafana's name of it.
        nothing: shown where there are no data.
    """
    colours = [Threshold(value=value, color=colour) for value, colour in steps.items()]
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .height(4)
        .span(3)
        .unit(unit)
        .no_value(nothing)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(colours))
        .with_target(_query("A", expression).instant())
    )


def course(  # noqa: PLR0913 # what a graph says, each thing by its name
    title: str,
    expressions: Mapping[str, str],
    text: str,
    *,
    unit: str = "short",
    width: int = 8,
    stacked: bool = False,
    bars: bool = False,
) -> timeseries.Panel:
    """Return a graph over time.

    Args:
        title: of the panel.
        expressions: in PromQL, by legend, which may name labels.
        text: explains it, on hover.
        unit: Grafana's name of it.
        width: of 24.
        stacked: the sum matters.
        bars: each point stands for an interval.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .height(_HEIGHT)
        .span(width)
        .unit(unit)
        .min(0)
        .draw_style(GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE)
        .fill_opacity(60 if bars else 20 if stacked else 0)
        .show_points(VisibilityMode.NEVER)
        .stacking(
            common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE)
        )
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)  # noqa: FBT003 # the library's way
        )
        .tooltip(
            common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
        )
    )
    for letter, (legend, expression) in zip("ABCDEFGH", expressions.items(), strict=False):
        panel.with_target(_query(letter, expression).range().legend_format(legend))
    if not _COLOURED.isdisjoint(expressions):
        for name, colour in _COLOURS.items():
            fixed = {"mode": "fixed", "fixedColor": colour}
            panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel


def rows(title: str, expression: str, text: str, columns: Mapping[str, str]) -> table.Panel:
    """Return a table, a row for each series.

    Args:
        title: of the panel.
        expression: in PromQL.
        text: explains it, on hover.
        columns: labels to be shown, in order, with their headings; ``Value`` is the value.
    """
    order = {name: index for index, name in enumerate(columns)}
    arrange = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": dict(columns),
    }
    return (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .height(_HEIGHT)
        .span(8)
        .with_target(_query("A", expression).instant().format(PromQueryFormat.TABLE))
        .show_header(True)  # noqa: FBT003 # the library's way
        .with_transformation(DataTransformerConfig(id_val="organize", options=arrange))
    )


def _query(letter: str, expression: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).datasource(SOURCE).expr(expression)
