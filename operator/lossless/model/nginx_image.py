"""What the name of an image says about the nginx in it.

A name is a hint. So there are three answers, and ``None`` is "it does not say": neither a private
registry's tag nor ``latest`` tells which nginx runs.
"""

import re
from typing import Final

#: The first nginx with ``keepalive_min_timeout`` (https://nginx.org/en/CHANGES, 1.27.4).
FIRST: Final = (1, 27, 4)
#: Repositories whose tags are nginx's versions, in whatever registry or mirror they are. A name
#: alone (``nginx:1.28``) is Docker's own library.
_REPOSITORIES: Final = (
    "library/nginx",
    "nginxinc/nginx-unprivileged",
    "bitnami/nginx",
    "bitnamilegacy/nginx",
    # Its versions are those of the nginx in it, and a fourth number.
    "openresty/openresty",
)
#: What people call images that run nginx and nothing else, in any registry.
_NAMES: Final = frozenset({"nginx", "nginx-unprivileged", "openresty"})
_VERSION: Final = re.compile(r"^(?:v|openresty-)?(\d+)\.(\d+)(?:\.(\d+))?(?![0-9])")
#: Parts of the names of images that have no shell, unless a ``dev`` or ``debug`` says otherwise.
_BARE: Final = re.compile(r"(?:^|[/._-])(?:distroless|cgr\.dev|chainguard)(?:$|[/._:-])")
_WITH_SHELL: Final = re.compile(r"(?:^|[-_.])(?:dev|debug)(?:$|[-_.])")


def nginx_version(image: str) -> tuple[int, ...] | None:
    """Return the version that the image's tag tells, of two or three numbers; None if none."""
    repository, tag = _parts(image)
    if not _is_nginx(repository):
        return None
    found = _VERSION.match(tag)
    return tuple(int(number) for number in found.groups() if number is not None) if found else None


def can_keep_idle(image: str) -> bool | None:
    """Return whether its nginx knows ``keepalive_min_timeout``; None if the name does not tell."""
    version = nginx_version(image)
    if version is None or version == FIRST[: len(version)] != FIRST:
        return None
    return version >= FIRST[: len(version)]


def names_nginx(image: str) -> bool:
    """Return whether the image is called after nginx: ``nginx``, ``nginx-unprivileged``."""
    name = _parts(image)[0].rpartition("/")[2]
    return name in _NAMES


def has_no_shell(image: str) -> bool:
    """Return whether the image's name says that there is no shell in it."""
    _, tag = _parts(image)
    return bool(_BARE.search(image)) and not _WITH_SHELL.search(tag)


def _parts(image: str) -> tuple[str, str]:
    """Return repository and tag, either of which may be empty."""
    name = image.partition("@")[0]
    path, colon, tag = name.rpartition(":")
    # A colon before a slash is a registry's port.
    return (path, tag) if colon and "/" not in tag else (name, "")


def _is_nginx(repository: str) -> bool:
    if repository in {"nginx", "docker.io/nginx"}:
        return True
    return any(f"/{repository}".endswith(f"/{known}") for known in _REPOSITORIES)
