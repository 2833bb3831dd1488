"""``python -m tools.affected``: the unit tests that a change can touch, a path on each line.

A Python file touches the tests that import it, directly or through others. Any other file, such
as a template of the chart, touches the tests that name it or a folder that it is in.
"""

import argparse
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import grimp

ROOT: Final = Path(__file__).parents[1]
#: Where packages are, and what is below: the product, its tests and what those import.
_SOURCES: Final[Mapping[str, str]] = {
    "lossless": "operator/",
    **dict.fromkeys(("tests", "e2e", "tools", "monitoring"), ""),
}
_TESTS: Final = "tests."


def affected(
    changed: Iterable[str], modules: Mapping[str, str], importers: Callable[[str], Iterable[str]]
) -> list[str]:
    """Return the test modules that a change can touch.

    Args:
        changed: paths from the root of the repository.
        modules: the text of each module, by its dotted name.
        importers: gives the modules that import one, directly or through others.
    """
    touched: set[str] = set()
    for path in changed:
        module = module_of(path)
        if module is not None:
            touched |= {module} & modules.keys()
        else:
            touched |= {name for name, text in modules.items() if _names(text, path)}
    found = touched.union(*(importers(module) for module in touched))
    return sorted(name for name in found if _is_test(name))


def module_of(path: str) -> str | None:
    """Return the dotted name of a Python file of ours; None for any other file."""
    for package, folder in _SOURCES.items():
        if path.startswith(f"{folder}{package}/") and path.endswith(".py"):
            dotted = path.removeprefix(folder).removesuffix(".py").replace("/", ".")
            return dotted.removesuffix(".__init__")
    return None


def _names(text: str, path: str) -> bool:
    """Return whether a module names a file, or a folder that it is in, as a whole word."""
    parts = PurePosixPath(path).parts
    return any(re.search(rf"(?<![\w.-]){re.escape(part)}(?![\w-])", text) for part in parts)


def _is_test(module: str) -> bool:
    return module.startswith(_TESTS) and module.rpartition(".")[2].startswith("test_")


def _changed(since: str) -> list[str]:
    """Return what differs from a commit, new files that git does not know included."""
    found: list[str] = []
    for command in (
        ("diff", "--name-only", "--no-renames", since),
        ("ls-files", "--others", "--exclude-standard"),
    ):
        done = subprocess.run(
            ("git", *command),  # noqa: S607 # where it lives differs by distribution
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found += done.stdout.splitlines()
    return found


def main() -> None:
    """Print the paths; nothing if no test can be touched."""
    parser = argparse.ArgumentParser(prog="python -m tools.affected", description=__doc__)
    parser.add_argument("--since", default="HEAD", help="a commit (default: %(default)s)")
    since = parser.parse_args().since
    graph = grimp.build_graph(*_SOURCES, cache_dir=None)
    files = {name: ROOT / _path(name) for name in graph.modules}
    texts = {name: file.read_text() for name, file in files.items() if file.exists()}
    for test in affected(_changed(since), texts, graph.find_downstream_modules):
        print(_path(test))


def _path(module: str) -> str:
    folder = _SOURCES[module.partition(".")[0]]
    inside = folder + module.replace(".", "/")
    package = f"{inside}/__init__.py"
    return package if (ROOT / package).exists() else f"{inside}.py"


if __name__ == "__main__":
    main()
