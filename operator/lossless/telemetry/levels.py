"""How much is logged; apart from the logging, which needs a package that not every install has."""

from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")
