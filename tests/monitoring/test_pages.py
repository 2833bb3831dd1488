"""The pages that the processes serve are what Prometheus asks for, and what the reference says."""

import asyncio
import re
from asyncio.subprocess import PIPE

from monitoring.exposed import Component, Family, families, parse
from tests.monitoring.conftest import SOMETIMES, Pages

#: What only a pod, an address or a person's sentence could be the value of.
_UNBOUNDED = {"pod", "uid", "node", "instance", "peer", "address", "reason_text", "message"}
#: A label's value that nobody could count the others of.
_LONGEST = 64


async def _check(promtool: str, page: str) -> str:
    process = await asyncio.create_subprocess_exec(
        promtool, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate(page.encode())
    # 3: something is against the conventions.
    assert process.returncode in {0, 3}, err.decode()
    return (out + err).decode()


async def test_promtool_finds_no_fault(pages: Pages, promtool: str) -> None:
    """Names, units, ``_total`` and help texts, on each real page."""
    said = {one: await _check(promtool, await pages.read(one)) for one in Component}

    assert said == dict.fromkeys(Component, "")


async def test_promtool_would_find_one(promtool: str) -> None:
    """The control: a counter without ``_total`` and without a help text."""
    said = await _check(promtool, "# TYPE lossless_things counter\nlossless_things 1\n")

    assert "_total" in said
    assert "help" in said


async def test_the_reference_says_what_is_served(pages: Pages) -> None:
    """No more and no less, with types, help texts, labels and their values."""
    known = {(f.component, f.name): f for f in families()}
    served = {
        (one, family.name): family
        for one in Component
        for family in parse(one, await pages.read(one))
    }

    assert served.keys() <= known.keys()
    assert {name for _, name in known.keys() - served.keys()} <= SOMETIMES

    def shape(family: Family) -> tuple[object, ...]:
        return family.kind, family.text, set(family.labels)

    for key, family in served.items():
        assert shape(family) == shape(known[key])
        for label, values in family.labels.items():
            assert set(values) <= set(known[key].labels[label]), (key, label)


async def test_the_number_of_series_is_bounded(pages: Pages) -> None:
    """No label is the name of a pod or a sentence."""
    for one in Component:
        page = await pages.read(one)
        for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', page):
            assert name not in _UNBOUNDED
            assert len(value) < _LONGEST, (name, value)
