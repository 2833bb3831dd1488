"""What injection says is found by its kind: no wording of a message decides about a check."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import Final

import pytest

from lossless.checks.catalogue import examine
from lossless.checks.setup import Setup
from lossless.injection.problem import Problem, ProblemKind
from lossless.plugin.surroundings import setup_of
from tests.checks.manifests import Raw, changed

POD: Final = "deployment/spec/template/spec/"
HOLD: Final = "deployment/spec/template/metadata/annotations"
HTTP2: Final = [{"nginx": {"http2": {"reload": "AfterPropagation"}}}]
HIDDEN: Final = [{"name": "x", "mountPath": "/lossless"}]

#: Of each kind a set-up that has it, and the check that finds it.
FOUND: Final[Mapping[ProblemKind, tuple[dict[str, Raw], str]]] = {
    ProblemKind.NOT_INJECTED: (changed(f"{POD}os", {"name": "windows"}), "LL301"),
    ProblemKind.UNPROTECTED: (
        changed(f"{POD}containers/0/lifecycle", {"preStop": {"exec": {"command": ["true"]}}}),
        "LL303",
    ),
    ProblemKind.SERVER_ENDED_EARLY: (
        changed(
            f"{POD}containers/0/lifecycle",
            {"preStop": {"exec": {"command": ["sh", "-c", "nginx -s quit; sleep 5"]}}},
        ),
        "LL314",
    ),
    ProblemKind.STATUS_FILE_HIDDEN: (changed(f"{POD}containers/0/volumeMounts", HIDDEN), "LL304"),
    ProblemKind.PORT_NOT_DECLARED: (changed("llr/spec/ports", ["http", "grpc"]), "LL305"),
    ProblemKind.PATH_OUT_OF_REACH: (
        changed("llr/spec/close", [{"file": {"path": "/status/on"}}]),
        "LL310",
    ),
    ProblemKind.HOLD_UNKNOWN: (changed(HOLD, {"lossless.dev/hold.other": "File"}), "LL310"),
    ProblemKind.NGINX_NOT_RELOADED: (
        changed("llr/spec/close", HTTP2)
        | {"deployment": changed(f"{POD}containers/0/volumeMounts", HIDDEN)["deployment"]},
        "LL310",
    ),
}


class Reworded(Setup):
    """The same set-up, after somebody has reworded every message of injection."""

    @cached_property
    def all_problems(self) -> tuple[Problem, ...]:
        """What stands against the protection of such a pod, in other words."""
        return tuple(
            replace(problem, reason=f"words {index}", remedy=f"more words {index}")
            for index, problem in enumerate(super().all_problems)
        )


def test_every_kind_of_problem_is_looked_for() -> None:
    """A new kind needs a check, and a line here."""
    assert set(FOUND) == set(ProblemKind)


@pytest.mark.parametrize("kind", ProblemKind)
def test_rewording_makes_no_check_disappear(kind: ProblemKind) -> None:
    """As many findings of every code as before, and the one that is about this kind among them."""
    objects, code = FOUND[kind]
    setup = setup_of(objects["llr"], list(objects.values()), live=True, budgets_known=True)
    reworded = Reworded(**{field.name: getattr(setup, field.name) for field in fields(setup)})
    before, after = (Counter(one.code for one in examine(s)) for s in (setup, reworded))

    assert setup.problems(kind)
    assert after == before
    assert before[code]
