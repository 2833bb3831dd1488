"""How this machine's pip reaches packages, written down for a pip inside an image build.

A network may have an index, a proxy and a certificate authority of its own, which pip knows from
its configuration files and its environment. A build must use them, the image must not keep them.
"""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
"""Debian's bundle, which is also where the base image has its own."""

_NOT_FOR_BUILDS = {"require-virtualenv", "user", "target", "prefix", "cache-dir", "log"}
"""Settings that are about this machine's folders."""


def configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """Pip's own configuration files, the ones that win last."""
    home = Path(environ.get("HOME", "/root"))
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    if environ.get("PIP_CONFIG_FILE"):
        files.append(Path(environ["PIP_CONFIG_FILE"]))
    return files


def gather(files: Iterable[Path], environ: Mapping[str, str]) -> dict[str, str]:
    """Pip's global settings: from the files in their order, then from PIP_ variables.

    A file that cannot be read or parsed is passed over, as pip itself would complain about it.
    """
    settings: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file)
        except configparser.Error:
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= dict(parser[section])
    for variable, value in environ.items():
        if variable.startswith("PIP_") and variable != "PIP_CONFIG_FILE" and value:
            settings[variable.removeprefix("PIP_").lower().replace("_", "-")] = value
    return {name: value for name, value in settings.items() if name not in _NOT_FOR_BUILDS}


def local_folders(settings: Mapping[str, str]) -> list[Path]:
    """Folders of this machine that `find-links` names; a build needs them in the same place."""
    words = settings.get("find-links", "").split()
    return [Path(word) for word in words if Path(word).is_absolute() and Path(word).is_dir()]


def render(settings: Mapping[str, str]) -> str:
    """A pip.conf; certificates are those of `CA_BUNDLE`, wherever the machine keeps them."""
    rows = {**settings, "cert": str(CA_BUNDLE), "disable-pip-version-check": "true"}
    folders = local_folders(settings)
    links = [word for word in settings.get("find-links", "").split() if "://" in word]
    rows["find-links"] = " ".join([*links, *map(str, folders)])
    if not rows["find-links"]:
        del rows["find-links"]
    return "[global]\n" + "".join(
        f"{name} = {' '.join(value.split())}\n" for name, value in sorted(rows.items())
    )
