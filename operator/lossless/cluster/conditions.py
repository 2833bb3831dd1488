"""Conditions of an object as they came (``metav1.Condition``, ``v1.PodCondition``)."""

from collections.abc import Mapping
from typing import Any

from lossless.cluster.timestamps import parse_time


def is_true(condition: Mapping[str, Any] | None) -> bool:
    """Return whether a condition is there and True."""
    return condition is not None and condition.get("status") == "True"


def since(condition: Mapping[str, Any] | None) -> float:
    """Return the last transition of a condition in seconds of the epoch; 0 if it is not there."""
    return 0.0 if condition is None else parse_time(condition.get("lastTransitionTime"))
