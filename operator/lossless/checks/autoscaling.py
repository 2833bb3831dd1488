"""Questions about whoever changes the number of pods."""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.setup import Raw, Setup, named

#: Metrics of which the HPA takes the sum and not what each pod has.
_OF_NO_POD: Final = ("external", "object")
_VALUE: Final = "Value"


def counts_leaving_pods(setup: Setup) -> Iterator[Trouble]:
    """Ask whether an autoscaler multiplies by pods that drain.

    For a target of type Value it multiplies by all pods that are Running and Ready
    (pkg/controller/podautoscaler/replica_calculator.go, getReadyPodsCount), and ours are while they
    drain. For AverageValue it divides the sum, and for Resource and Pods it leaves out what is
    being deleted.
    """
    raw = setup.autoscaler
    if raw is not None and _multiplies(raw):
        yield Trouble(
            named(raw),
            "its metric has a target of type Value, for which an HPA multiplies by all pods that"
            " are Ready, and pods that drain are, for minutes: in a rollout it asks for more than"
            " it needs",
            "give the target by pod: type AverageValue (KEDA: metricType: AverageValue)",
        )


def _multiplies(raw: Raw) -> bool:
    spec = raw.get("spec") or {}
    if any(trigger.get("metricType") == _VALUE for trigger in spec.get("triggers") or ()):
        return True
    return any(
        ((metric.get(source) or {}).get("target") or {}).get("type") == _VALUE
        for metric in spec.get("metrics") or ()
        for source in _OF_NO_POD
    )
