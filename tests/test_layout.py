"""The folder ``operator/`` is a source root; it must never become a package."""

import operator
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_operator_folder_holds_no_python_file_of_its_own() -> None:
    """A file there would make ``operator`` a package that hides the standard library's module."""
    assert list((ROOT / "operator").glob("*.py")) == []


def test_the_operator_module_is_the_standard_librarys() -> None:
    """``import operator`` must find the standard library with the repository on ``sys.path``."""
    assert operator.__file__ is not None
    assert Path(operator.__file__).parent == Path(sysconfig.get_path("stdlib"))


def test_every_package_says_what_belongs_in_it() -> None:
    """A package's docstring is the first file a newcomer opens."""
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "operator" / "lossless").rglob("__init__.py")
        if not path.read_text().startswith('"""')
    ]
    assert silent == []


def test_no_end_to_end_test_skips_on_its_own() -> None:
    """With ``LOSSLESS_E2E=required`` what cannot be shown fails: conftest decides it for all."""
    silent = [
        path.name
        for path in (ROOT / "e2e").glob("test_*.py")
        if any(word in path.read_text() for word in ("pytest.skip", "mark.skip", "importorskip"))
    ]
    assert silent == []
