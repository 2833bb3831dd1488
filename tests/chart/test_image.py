"""What the images are made of: the Dockerfile against the contract, and the locks against it."""

import json
import re
import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest

from lossless.model.names import AGENT_COMMAND, AGENT_UID, DRAIN_COMMAND
from tests.chart.rendering import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["agent.txt", "build.txt", "dev.txt", "operator.txt"]


def _stage(name: str) -> list[tuple[str, str]]:
    """Return the instructions of one stage as (word, rest)."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in DOCKERFILE.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            inside = rest.endswith(f" AS {name}")
        elif inside and word and not word.startswith("#"):
            found.append((word, rest.strip()))
    assert found, name
    return found


def _canonical(requirement: str) -> str:
    """Return the name in a requirement, normalised (PEP 503)."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(name: str) -> set[str]:
    text = (ROOT / "requirements" / name).read_text()
    return {_canonical(row) for row in text.splitlines() if re.match(r"[a-z0-9].*==", row)}


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        pytest.param("operator", ["python3", "-m", "lossless"], id="operator"),
        pytest.param("agent", list(AGENT_COMMAND), id="agent"),
    ],
)
def test_images_start_their_program_as_nobody(stage: str, command: list[str]) -> None:
    """The entry point is the contract's, and the user is a number: runAsNonRoot can check it."""
    instructions = dict(_stage(stage))
    assert json.loads(instructions["ENTRYPOINT"]) == command
    assert instructions["USER"] == f"{AGENT_UID}:{AGENT_UID}"
    assert "CMD" not in instructions


def test_the_kubelet_finds_what_starts_a_drain() -> None:
    """The agent's image holds the script where the agent's preStop looks for it."""
    (copied,) = [rest.split() for word, rest in _stage("agent") if word == "COPY"]
    script = PurePosixPath(DRAIN_COMMAND[-1])
    assert script.parent == PurePosixPath(copied[-1])
    built = next(rest for _, rest in _stage("agent-build") if script.name in rest)
    assert f"/agent/{script.name} {copied[-2]}/" in built


def test_no_stage_needs_buildkit() -> None:
    """Buildah and older engines know neither mounts nor here-documents nor a syntax line."""
    assert re.findall(r"--mount|--chmod|--link|<<|^#\s*syntax", DOCKERFILE, re.MULTILINE) == []


def test_every_stage_has_the_same_base() -> None:
    """What is installed for one interpreter would not find another one."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert {base for base in bases if base != "build"} == {"${BASE}"}


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_place(name: str) -> None:
    """Names, versions and hashes only: any index or mirror will do."""
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pinned = re.findall(r"^[a-z0-9][^\s]*==.*\n", text, re.MULTILINE)
    assert pinned
    assert [row for row in pinned if not row.endswith("\\\n")] == []


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        pytest.param("operator.txt", PROJECT["project"]["dependencies"], id="operator"),
        pytest.param("agent.txt", PROJECT["dependency-groups"]["agent"], id="agent"),
        pytest.param(
            "dev.txt",
            PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"],
            id="dev",
        ),
        pytest.param("build.txt", PROJECT["build-system"]["requires"], id="build"),
    ],
)
def test_locks_hold_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    """A dependency that is added without ``make lock`` is found here, not in an image."""
    assert {_canonical(requirement) for requirement in wanted} - _locked(lock) == set()


def test_the_agent_pays_for_nothing_but_h11() -> None:
    """It runs in every pod."""
    assert _locked("agent.txt") == {"h11"}
