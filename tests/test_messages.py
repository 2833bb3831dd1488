"""What the programs say to people is found by its words, and says what to do."""

import ast

import pytest

from lossless.model.conditions import Reason
from lossless.model.fields import InvalidSpec
from tools.messages.message import Message, says_what_to_do, speaks_to_people
from tools.messages.page import PAGE, meanings
from tools.messages.speakers import KINDS, SETTINGS, SPEAKERS, TOLD, speaker_of
from tools.messages.trees import SOURCES, Module, collect

#: Messages that end with what another one says, which has the remedy.
CARRIED = {
    ("host/ssh.py", "{error}; nothing was begun there"): "explain()",
    ("plugin/render.py", "LosslessRollout {raw}: {invalid}"): InvalidSpec.__name__,
}
ALL = collect()


def the_only(source: str, module: str = "plugin/verb.py") -> Message:
    """Return the message that a module with this ``source`` has."""
    (message,) = Module(module, ast.parse(source), None).messages()
    return message


def test_every_message_to_people_says_what_to_do() -> None:
    """What ends a command, refuses a field or warns of a pod is read at three in the morning."""
    mute = [
        one
        for one in ALL
        if speaks_to_people(one)
        and not says_what_to_do(one)
        and (one.module, one.text) not in CARRIED
    ]

    assert mute == []


def test_every_exception_to_that_is_needed() -> None:
    """A message that is gone, or has a remedy by now, is in no list."""
    needed = {(one.module, one.text) for one in ALL if not says_what_to_do(one)}

    assert CARRIED.keys() <= needed


@pytest.mark.parametrize("kind", sorted(KINDS.keys() | {"log", ""}))
def test_messages_of_every_kind_are_found(kind: str) -> None:
    """A kind that was renamed would be looked for in vain, and nobody would notice."""
    assert any(one.kind == kind for one in ALL)


def test_every_module_that_is_named_exists() -> None:
    """Each speaker says something, and no module that was moved is left in a table."""
    package = SOURCES / "lossless"
    named = {place for _, _, places in SPEAKERS for place in places}

    missing = [place for place in (*named, *SETTINGS, *TOLD) if not (package / place).exists()]

    assert missing == []
    for title, _, _ in SPEAKERS:
        assert any(speaker_of(one.module) == title for one in ALL), title


def test_every_reason_has_its_row() -> None:
    """With what it means and what to do, so none is missing from the page."""
    page = PAGE.read_text()

    assert [reason for reason in Reason if f"\n| `{reason.value}` | " not in page] == []
    assert all(what and remedy for what, remedy in meanings().values())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param('raise RefusedError("no pod")', "no pod", id="literal"),
        pytest.param('raise RefusedError(f"no {pod.name} in {ns!r}")', "no {name} in {ns}", id="f"),
        pytest.param(
            'def f():\n  why = f"no {pod}"\n  raise RefusedError(why)', "no {pod}", id="variable"
        ),
        pytest.param(
            'def f():\n  why = "no pod"\n  why += "; wait"\n  raise RefusedError(why)',
            "no pod(; wait | )",
            id="longer-at-times",
        ),
        pytest.param('raise RefusedError("a b" if x else "c d")', "(a b | c d)", id="either"),
        pytest.param(
            "raise RefusedError(f\"no {', '.join(names)}\")", "no {names}", id="joined-values"
        ),
        pytest.param(
            'def _look(ns, who):\n  return f"kubectl -n {ns} logs {who}"\n'
            "def f():\n  raise RefusedError(f\"no pod; {_look(namespace, 'a')}\")",
            "no pod; kubectl -n {namespace} logs a",
            id="part-of-the-module",
        ),
    ],
)
def test_a_message_is_shown_with_values_by_name(source: str, text: str) -> None:
    """So that its words can be searched for."""
    assert the_only(source).text == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("the answer is not JSON", False, id="only-what"),
        pytest.param("a list cannot be read: permission denied", False, id="only-why"),
        pytest.param("name x is taken", False, id="begins-with-a-noun-like-a-verb"),
        pytest.param("no such file; name another", True, id="after-a-semicolon"),
        pytest.param("no such file. Name another", True, id="second-sentence"),
        pytest.param("it may go on there; there: kubectl get pods", True, id="command"),
        pytest.param("port 0: must be from 1 to 65535", True, id="what-it-must-be"),
    ],
)
def test_what_counts_as_a_remedy(text: str, *, says: bool) -> None:
    """A part after what is the case, that tells somebody to do something."""
    assert says_what_to_do(Message("plugin/x.py", 1, "RefusedError", text)) is says


def test_an_empty_remedy_is_none() -> None:
    """Where it is a part of its own, that part counts, whatever else is said."""
    one = Message("model/x.py", 1, "InvalidSpec", "spec.x: 1; correct it")

    assert not says_what_to_do(one)
