"""Pages that are made out of the repository's own files say what those say."""

import yaml

from lossless.model.conditions import Reason
from lossless.model.phases import TRANSITIONS, Event, Phase
from tools import api_reference, phase_diagram, reasons


def test_the_reference_is_that_of_the_crd() -> None:
    """``python -m tools.api_reference`` makes it anew."""
    made = api_reference.render(yaml.safe_load(api_reference.CRD.read_text()))

    assert api_reference.PAGE.read_text() == made


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    """``python -m tools.reasons`` makes the page anew; a reason without a remedy makes none."""
    assert reasons.PAGE.read_text() == reasons.render()
    assert reasons.meanings().keys() == set(Reason)


def test_every_field_of_the_spec_has_a_row() -> None:
    """With its type, default and bounds; a pipe in a text does not break the table."""
    crd = yaml.safe_load(api_reference.CRD.read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    schema["properties"]["paused"]["description"] = "yes | no"

    rows = api_reference.render(crd).splitlines()

    assert "| `spec.targetRef.kind` | string | required |" in "\n".join(rows)
    assert "| `spec.paused` | boolean | `false` | yes \\| no |" in rows
    assert any(
        row.startswith("| `spec.close[].http.retries` | integer, from 0, to 10 | `2` |")
        for row in rows
    )


def test_the_diagram_is_that_of_the_table() -> None:
    """``python -m tools.phase_diagram`` puts it in anew."""
    page = phase_diagram.PAGE.read_text()

    assert phase_diagram.with_diagram(page) == page


def test_a_step_that_changes_nothing_is_not_drawn() -> None:
    """Every other one is, and every phase in which a drain ends leads out."""
    drawn = phase_diagram.diagram()

    for phase, row in TRANSITIONS.items():
        for event, after in row.items():
            assert (f"{phase} --> {after}: {event}" in drawn) is (phase is not after)
    assert f"{Phase.TIMED_OUT} --> [*]" in drawn
    assert f"{Phase.SERVING} --> {Phase.DRAINING}: {Event.STOP_ASKED}" in drawn
