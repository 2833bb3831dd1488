"""The one error that the tool shows to people without a traceback."""

from __future__ import annotations


class ClusterError(Exception):
    """Something the tool cannot do: what, and what the reader can do about it.

    Args:
        problem: One sentence that names the thing and the value that is wrong.
        remedy: What to run or change; empty when nothing can be advised.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}\n  {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy
