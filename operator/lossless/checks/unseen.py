"""What could not be looked at, so that nobody takes silence for "all is well"."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.mounted import command_line, proxies
from lossless.checks.setup import Raw, Setup
from lossless.model.close_drivers import CloseDriver, EnvoyClose, HaproxyClose, NginxClose

#: Where each proxy reads what it does from, if a ConfigMap shows it; a file that ``-c`` or ``-f``
#: names does, too.
_FILES: Final[Mapping[type, re.Pattern[str]]] = {
    NginxClose: re.compile(r"/etc/nginx/(nginx\.conf|(conf\.d|sites-enabled|http\.d)/[^/]+)"),
    HaproxyClose: re.compile(r"(/usr/local)?/etc/haproxy/haproxy\.cfg"),
    EnvoyClose: re.compile(r"/etc/envoy/envoy\.yaml"),
}
_TEMPLATES: Final = "/etc/nginx/templates/"
_NAMED: Final = re.compile(r"(?:^|\s)(?:-c|-f|--config-path)[\s=]*(/\S+)")
_WORDS: Final[Mapping[type, str]] = {
    NginxClose: "nginx",
    HaproxyClose: "HAProxy",
    EnvoyClose: "Envoy",
}
_COMPARE: Final = (
    "compare it with docs/close-drivers.md; or keep it in a ConfigMap, and name the file with that"
    " as well"
)
_REMEDIES: Final[Mapping[type, str]] = {
    NginxClose: "kubectl exec POD -- nginx -T > FILE, and lossless nginx-check FILE; or keep it in"
    " a ConfigMap, and name the file with that as well",
    HaproxyClose: _COMPARE,
    EnvoyClose: _COMPARE,
}


def proxy(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the configuration of each proxy that ``close`` names was there to be read."""
    if setup.workload is None:
        return
    for kind, usual in _FILES.items():
        seen: Iterator[tuple[CloseDriver, Raw, Mapping[str, object]]] = proxies(setup, kind)
        # Of a reload LL812 says what is not known.
        containers = [
            (raw, files)
            for driver, raw, files in seen
            if not (isinstance(driver, NginxClose) and driver.reload is not None)
        ]
        if not containers or any(_is_seen(raw, files, usual) for raw, files in containers):
            continue
        templates = any(path.startswith(_TEMPLATES) for _, files in containers for path in files)
        where = (
            "it is made out of templates when the container starts"
            if templates and kind is NginxClose
            else "it may be in the image, in a Secret, on a command line or in a ConfigMap that"
            " nobody saw"
        )
        yield Trouble(
            f"{setup.target} template",
            f"close names {_WORDS[kind].lower()}, and no configuration of {_WORDS[kind]} was seen:"
            f" {where}, so nobody knows whether it tells its clients",
            _REMEDIES[kind],
        )


def _is_seen(container: Raw, files: Mapping[str, object], usual: re.Pattern[str]) -> bool:
    named = _NAMED.findall(command_line(container))
    if named:
        # All of them: HAProxy reads several as one, and a part of it says nothing.
        return all(
            any(path == name or path.startswith(f"{name.rstrip('/')}/") for path in files)
            for name in named
        )
    return any(usual.fullmatch(path) for path in files)
