"""Worlds that do not touch each other, side by side: their waiting costs the time of one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """Do both at the same time; return what came of them when both have ended.

    Raises:
        Exception: what the first of them has raised that did.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="world") as pool:
        first, second = pool.submit(one), pool.submit(other)
    return first.result(), second.result()
