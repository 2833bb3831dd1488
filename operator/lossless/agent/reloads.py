"""Asks the hook of nginx's container for reloads in a drain (``model.drain.reload_rule``).

By files in the shared volume, which the hook looks for: ``reload.2``, ``reload.3`` and so on. The
first reload needs none, since it is at the drain's start. Whether nginx has done it, only the log
of its container tells.
"""

import os.path

from lossless.agent import files
from lossless.agent.log import Log
from lossless.model.drain.drain_rule import Sample
from lossless.model.drain.reload_rule import Asked, is_due
from lossless.model.policy import DrainPolicy


class Reloads:
    """The reloads of one drain."""

    def __init__(self, policy: DrainPolicy, path: str, *, log: Log) -> None:
        """Ask by files at ``path``.

        Args:
            policy: of the drain.
            path: to which a dot and a number are added.
            log: told of each that is asked for.
        """
        self._policy = policy
        self._path = path
        self._log = log
        self._asked: Asked | None = None

    def look(self, sample: Sample, started: float, now: float) -> str:
        """Ask for a reload if one is due; return what went wrong, or nothing.

        Args:
            sample: the latest of a drain.
            started: when that started.
            now: on the same clock.
        """
        if self._asked is None:
            # When an agent before this one has asked is not known: at worst, once too often.
            number = 1
            while os.path.lexists(f"{self._path}.{number + 1}"):
                number += 1
            self._asked = Asked(number, started)
        if not is_due(sample, self._policy, started, self._asked, now):
            return ""
        number = self._asked.number + 1
        problem = files.show(f"{self._path}.{number}")
        if not problem:
            self._asked = Asked(number, now)
            self._log("reload asked for", number=number, connections=sample.counting(self._policy))
        return problem
