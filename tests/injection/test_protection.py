"""What is wanted of a pod follows from what was read of it, and from nothing else."""

from dataclasses import replace

import pytest

from lossless.injection.admission_pod import (
    AdmissionPod,
    ContainerPort,
    ExecAction,
    ServingContainer,
    VolumeMount,
)
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.protection import Protection, problems_of, protect
from tests.injection.pods import SETTINGS, hold, spec

APP = ServingContainer("app", ("spec", "containers", 0), ports=(ContainerPort("http", 8080),))
POD = AdmissionPod(
    containers=(APP,),
    volumes=(),
    annotations={},
    named="",
    host_network=False,
    shares_processes=False,
    windows=False,
    grace=None,
    guaranteed=False,
    has_budget=False,
    has_agent_name=False,
    before=None,
)


def wanted(pod: AdmissionPod) -> Protection:
    """Return what makes a pod a protected one."""
    found = protect(pod, "web", spec(ports=["http"]), SETTINGS, gate=True)
    assert isinstance(found, Protection)
    return found


def test_no_object_is_needed() -> None:
    """Whoever reads a pod in another way, as a file or a kubelet's, gets the same decisions."""
    found = wanted(POD)
    (container,) = found.containers

    assert (container.path, container.sees_files, container.status_file) == (APP.path, True, "")
    assert container.pre_stop == hold("app")
    assert (found.config.ports, found.config.rollout) == ((8080,), "web")
    assert (found.gate, found.problems) == (True, ())


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(
            {"mounts": (VolumeMount("own", "/lossless/"),)},
            ProblemKind.STATUS_FILE_HIDDEN,
            id="a volume at our place",
        ),
        pytest.param(
            {"devices": ("/lossless/dev",)}, ProblemKind.STATUS_FILE_HIDDEN, id="a device below it"
        ),
        pytest.param(
            {"pre_stop": ExecAction(("/stop",), "", held=False)},
            ProblemKind.UNPROTECTED,
            id="a program without a shell",
        ),
        pytest.param({"ports": ()}, ProblemKind.PORT_NOT_DECLARED, id="a port of no such name"),
    ],
)
def test_a_problem_is_of_its_kind(change: dict[str, object], kind: ProblemKind) -> None:
    """One each, and the pod is protected all the same."""
    pod = replace(POD, containers=(replace(APP, **change),))  # type: ignore[arg-type] # of the table

    assert [problem.kind for problem in problems_of(wanted(pod))] == [kind]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"windows": True}, id="windows"),
        pytest.param({"named": "other"}, id="of another"),
        pytest.param({"has_agent_name": True}, id="our name"),
        pytest.param({"annotations": {"lossless.dev/agent-port": "8080"}}, id="its port"),
        pytest.param({"annotations": {"lossless.dev/agent-port": "http"}}, id="no port"),
    ],
)
def test_what_keeps_the_agent_out(change: dict[str, object]) -> None:
    """It is the one problem that such a pod has."""
    pod = replace(POD, **change)  # type: ignore[arg-type] # of the table
    found = protect(pod, "web", spec(), SETTINGS, gate=True)

    assert isinstance(found, Problem)
    assert found.kind is ProblemKind.NOT_INJECTED
    assert problems_of(found) == (found,)
