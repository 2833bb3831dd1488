"""Programs that tests need, and that a machine may lack."""

import os
from typing import NoReturn

import pytest


def cannot_run(reason: str) -> NoReturn:
    """Skip the test that asks, or fail it where the tools are required.

    Args:
        reason: what is missing, and how to get it.
    """
    if os.environ.get("LOSSLESS_REQUIRE_TOOLS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
