"""Whatever stands in a spec: a policy, or a refusal that names field, value and remedy."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.model.fields import InvalidSpec
from lossless.model.policy import RolloutSpec, parse_spec
from tests.support.bad_specs import GOOD_SPECS
from tests.support.spoiling import DEPTHS, JSON, nested, paths, spoiled

#: Every field of every kind that a spec may have, as somebody wrote it.
PLACES = [(good.spec, path) for good in GOOD_SPECS for path in paths(good.spec)]
#: What slips through checks that were written for something else.
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        2**63,
        10**400,
        float("nan"),
        float("inf"),
        "",
        " ",
        "\x00",
        "\ud800",
        "a\n",
        "..",
        "/",
        "../../shop",
        "\uff11s",
        "9" * 5000,
        [],
        [[]],
        [None],
        {},
        {"": ""},
        {"kind": []},
    ]
)


def judged(raw: Any) -> None:
    """Parse, and demand of a refusal what a person needs."""
    try:
        found = parse_spec(raw)
    except InvalidSpec as error:
        refused = error
    else:
        assert isinstance(found, RolloutSpec)
        return
    told = re.fullmatch(r"(spec[^:]*): (.{1,80}?): (.+)", str(refused), re.DOTALL)
    assert told is not None
    assert told[1] == refused.field
    assert refused.remedy
    assert len(str(refused)) < 600


@settings(max_examples=400)
@given(place=st.sampled_from(PLACES), value=ODD | JSON)
def test_one_field_that_holds_something_else(
    place: tuple[dict[str, Any], tuple[Any, ...]], value: Any
) -> None:
    """In a spec that is good otherwise, so that every check is reached."""
    spec, path = place
    judged(spoiled(spec, path, value))


@given(ODD | JSON | st.dictionaries(st.sampled_from(sorted({p[0] for _, p in PLACES})), JSON))
def test_any_document(raw: Any) -> None:
    """A list, a text or nothing at all in place of a spec, and any fields in one."""
    judged(raw)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("field", ["targetRef", "close", "ports", "drain", "paused"])
def test_nesting_as_deep_as_a_document_can_be(field: str, depth: int) -> None:
    """What could be read can be refused: even to show the value takes no more depth."""
    deep = nested(depth)
    if deep is not None:
        spec = {"targetRef": {"kind": "Deployment", "name": "web"}, field: deep}
        with pytest.raises(InvalidSpec):
            parse_spec(spec)


@pytest.mark.parametrize("field", ["close", "metrics", "ports", "paused"])
def test_a_megabyte_is_refused_in_one_line(field: str) -> None:
    """A status, a warning and a log line can hold it."""
    spec = {"targetRef": {"kind": "Deployment", "name": "web"}, field: {"x": "y" * 1_000_000}}
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(spec)
    assert len(str(refused.value)) < 200
