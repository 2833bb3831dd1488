"""Where a page may be written."""

import io
import os
from pathlib import Path

import pytest

from lossless.plugin.exits import RefusedError
from lossless.plugin.pages.destination import check_destination, write_page


def test_a_file_is_written_over(tmp_path: Path) -> None:
    """As with every ``-o FILE``: the newest page is wanted."""
    file = tmp_path / "page.html"
    for text in ("a long page", "→"):
        write_page(text, str(file), io.StringIO())

    assert file.read_text(encoding="utf-8") == "→"


def test_standard_output() -> None:
    """A hyphen is no file."""
    out = io.StringIO()
    write_page("page", "-", out)

    assert out.getvalue() == "page"
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("", "is a folder: name a file, such as report.html"),
        ("{}", "is a folder: name a file, such as {}/report.html"),
        ("{}/no/page.html", "there is no folder {}/no: create it first"),
    ],
    ids=["empty", "folder", "no folder"],
)
def test_what_is_refused(where: str, says: str, tmp_path: Path) -> None:
    """Before anything is done, with what to do instead."""
    with pytest.raises(RefusedError) as refused:
        check_destination(where.format(tmp_path))

    assert says.format(tmp_path) in str(refused.value)


def test_a_device_that_is_full() -> None:
    """The system's word for it, and what to do."""
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full")
    with pytest.raises(RefusedError, match="/dev/full cannot be written: no space left"):
        write_page("page", "/dev/full", io.StringIO())
