"""Pages as Chromium shows them; ``LOSSLESS_PICTURES=FOLDER`` keeps the pictures."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lossless.plugin.pages.frame import DARK, LIGHT
from tests.pages.browser import Browser, Scheme, find_browser
from tests.pages.examples import HOSTILE, a_demo, a_history

pytestmark = pytest.mark.timeout(120)
PAGES = pytest.mark.parametrize("make", [a_history, a_demo], ids=["history", "demo"])
Maker = Callable[..., str]
_GROUNDS = {Scheme.LIGHT: LIGHT["ground"], Scheme.DARK: DARK["ground"]}


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Return Chromium."""
    return find_browser(tmp_path)


@PAGES
@pytest.mark.parametrize("width", [375, 1440])
def test_the_page_fits_the_screen(make: Maker, width: int, browser: Browser) -> None:
    """Only what is within scrolls sideways, whatever the names are."""
    for word in ("web", HOSTILE, "w" * 63):
        takes, has = browser.widths(make(word=word), width)
        assert takes == has == width


@PAGES
@pytest.mark.parametrize("scheme", list(Scheme), ids=lambda scheme: scheme.name.lower())
def test_the_page_follows_the_reader(
    make: Maker, scheme: Scheme, browser: Browser, request: pytest.FixtureRequest
) -> None:
    """Light or dark as the system is."""
    picture = browser.picture(make(), width=1440, height=2600, scheme=scheme)

    kept = os.environ.get("LOSSLESS_PICTURES")
    if kept:
        shutil.copy(picture, Path(kept, f"{request.node.callspec.id}.png"))
    assert _first_pixel(picture) == _GROUNDS[scheme]


def _first_pixel(picture: Path) -> str:
    """Return the colour at the top left of a PNG with 8 bits a channel, as ``#rrggbb``.

    The first pixel of the first line is stored as it is, whichever filter is used (PNG, 9.2).
    """
    raw = picture.read_bytes()
    at, data = 8, b""
    while at < len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        data += raw[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return f"#{zlib.decompress(data)[1:4].hex()}"
