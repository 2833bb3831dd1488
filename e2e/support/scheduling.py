"""How the stories of a run are handed to its workers."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Modules whose stories share a worker: those of hosts share what they have made, and two of those
#: of clients at a time, each with a dozen programs, would leave nobody else a core.
_TOGETHER: Final = ("e2e/test_hosts.py", "e2e/test_clients.py")


class OneByOne(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist ships no types
    """Gives the next story to whoever is free, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        """Keep the order: pytest-xdist would sort by the number of tests in a module."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in _TOGETHER else nodeid
