"""Where a text is not YAML, without showing the text: it may hold a token or a Secret."""

import yaml
from yaml.parser import ParserError
from yaml.scanner import ScannerError


def place(error: Exception) -> str:
    """Return line and column of an error, and its cause where that quotes no word of the text."""
    mark = getattr(error, "problem_mark", None)
    at = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "unknown place"
    if isinstance(error, ParserError | ScannerError) and error.problem:
        return f"{at}: {error.problem}"
    return at if isinstance(error, yaml.YAMLError) else type(error).__name__
