"""A browser without a window: pictures of a page, and what of it does not fit."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from tests.support.required import cannot_run

#: Chromium asks its maker for accounts, extensions and updates of its own accord; a page that is
#: whole asks for nothing. The last one holds for what the others have forgotten: no name resolves.
_NO_NETWORK: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class Scheme(IntEnum):
    """What the reader prefers, in Chromium's numbers (blink PreferredColorScheme)."""

    DARK = 0
    LIGHT = 1


@dataclass(frozen=True, slots=True)
class Browser:
    """Headless Chromium with a profile of its own."""

    program: str
    folder: Path

    def picture(self, page: str, *, width: int, height: int, scheme: Scheme) -> Path:
        """Return a PNG of the top of a page.

        Args:
            page: its HTML.
            width: of the window in CSS pixels; Chromium makes none below 500.
            height: of the picture.
            scheme: light or dark.
        """
        file = self._written("page.html", page)
        picture = self.folder / f"{width}-{scheme.name.lower()}.png"
        self._run(
            f"--window-size={width},{height}",
            f"--blink-settings=preferredColorScheme={scheme.value}",
            f"--screenshot={picture}",
            file.as_uri(),
        )
        return picture

    def widths(self, page: str, width: int) -> tuple[int, int]:
        """Return what a page takes and what it has, in CSS pixels, on a screen of this width.

        A script outside of the page asks, for the page itself may run none.
        """
        self._written("framed.html", page)
        asks = (
            "const root = frame.contentDocument.documentElement;"
            "document.title = root.scrollWidth + ' ' + root.clientWidth;"
        )
        outer = (
            f'<iframe id="frame" src="framed.html" style="width:{width}px;height:800px;border:0">'
            f"</iframe><script>onload = () => {{ {asks} }}</script>"
        )
        file = self._written("outer.html", outer)
        document = self._run("--allow-file-access-from-files", "--dump-dom", file.as_uri())
        title = document.partition("<title>")[2].partition("</title>")[0]
        takes, has = map(int, title.split())
        return takes, has

    def _written(self, name: str, page: str) -> Path:
        file = self.folder / name
        file.write_text(page, encoding="utf-8")
        return file

    def _run(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 # Chromium, on files of our own
            [
                self.program,
                *("--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
                *_NO_NETWORK,
                # Chromium refuses its sandbox to root; it opens nothing but our own files.
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                f"--user-data-dir={self.folder / 'profile'}",
                *arguments,
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout


def find_browser(folder: Path) -> Browser:
    """Return Chromium; without it the test is skipped, or fails where tools are required."""
    program = shutil.which("chromium")
    if program is None:
        cannot_run("no chromium on PATH; run: apt-get install chromium")
    return Browser(program, folder)
