"""The CRD and the code that reads what is stored under it say the same.

What only an API server can judge, the CEL rules, is judged in e2e from the same table
(``tests/support/bad_specs.py``).
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from lossless.cluster.rollout_status import status_document
from lossless.model import close_drivers, counters, fields, names, nginx_reload, status_flag
from lossless.model.conditions import MAX_MESSAGE, Answer, Condition, ConditionType, Reason
from lossless.model.durations import PATTERN, format_duration, parse_duration
from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.policy import BOUNDS, IdleConnections, OnTimeout, parse_spec
from lossless.model.report import Connections, Oldest
from lossless.model.sidecars import DEFAULT_SLEEP, SLEEP_BOUNDS, SidecarOrder
from lossless.model.status import (
    MAX_HISTORY,
    MAX_PODS,
    Cause,
    PodStatus,
    RolloutPhase,
    RolloutRecord,
    RolloutStatus,
    Suspension,
)
from lossless.model.targets import Kind
from lossless.model.troubles import Trouble
from tests.support.bad_specs import BAD_SPECS, GOOD_SPECS, BadSpec, GoodSpec

ROOT: Final = Path(__file__).parent.parent
CRD: Final = yaml.safe_load((ROOT / "crds" / "losslessrollouts.yaml").read_text())
VERSION: Final = CRD["spec"]["versions"][0]
SCHEMA: Final = VERSION["schema"]["openAPIV3Schema"]
SPEC: Final = SCHEMA["properties"]["spec"]
STATUS: Final = SCHEMA["properties"]["status"]["properties"]
DRAIN: Final = SPEC["properties"]["drain"]["properties"]
SIDECARS: Final = SPEC["properties"]["sidecars"]["properties"]
TARGET: Final = {"kind": "Deployment", "name": "web"}

#: Every field of the spec that this version acts on, with a value that is not its default.
ACTED_ON: Final[Mapping[str, Any]] = {
    "targetRef.apiVersion": "apps/v1",
    "targetRef.kind": "StatefulSet",
    "targetRef.name": "other",
    "ports": [8080],
    "drain.clientIdleTimeout": "90s",
    "drain.idleConnections": "Wait",
    "drain.propagation": "15s",
    "drain.quiet": "4s",
    "drain.timeout": "10m",
    "drain.onTimeout": "Continue",
    "close": [{"nginx": {}}],
    "sidecars.order": "Sleep",
    "metrics": [{"envoyStats": {"port": 9901}}],
    "statusFlag.path": "/lb/up",
    "statusFlag.serving.status": 201,
    "statusFlag.serving.body": "UP",
    "statusFlag.draining.status": 404,
    "statusFlag.draining.body": "DOWN",
    "pacing.maxDraining": "30%",
    "paused": True,
}
#: It can hold only one value beside each kind, so that no other could make a difference.
ONE_VALUE: Final = frozenset({"targetRef.apiVersion"})
#: This one says something only together with another.
SLEEP: Final = {"order": "Sleep", "sleep": "5m"}


#: A rollout in which no field is empty.
FULL_ROLLOUT: Final = RolloutRecord(
    started=1_000,
    finished=1_090,
    drained=2,
    timed_out=1,
    lost=1,
    discarded=3,
    before="3",
    revision="4",
    paused=Reason.TIMED_OUT,
    resumed="2026-01-01T00:00:00Z somebody",
    superseded=True,
)
#: A status in which no field is empty.
FULL_STATUS: Final = RolloutStatus(
    phase=RolloutPhase.PROGRESSING,
    observed_generation=3,
    conditions=(Condition(ConditionType.READY, Answer.TRUE, Reason.PROTECTING, "so", 3, 1_000),),
    replicas=3,
    updated=1,
    draining=1,
    held=1,
    connections=17,
    revision="4",
    resumed="2026-01-01",
    last_rollout=FULL_ROLLOUT,
    history=(FULL_ROLLOUT,),
    pods=(
        PodStatus(
            name="web-1",
            uid="1",
            phase=Phase.TIMED_OUT,
            since=1_000,
            connections=Connections(active=1, idle=2, new=3),
            oldest=Oldest(peer="[2001:db8::1]:40000", age=125.0),
            reason="one request left",
            troubles=tuple(Trouble),
        ),
    ),
    injection=Suspension(1_000, Cause.IMAGE, "it cannot be pulled", trying=True, attempts=2),
)


def _fields(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every field that has no fields of its own."""
    for key, value in schema["properties"].items():
        at = f"{path}.{key}" if path else key
        if value.get("type") == "object":
            yield from _fields(value, at)
        else:
            yield at


def _schemas(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the schema of every field and of everything below it."""
    yield path, schema
    for key, value in schema.get("properties", {}).items():
        yield from _schemas(value, f"{path}.{key}")
    if "items" in schema:
        yield from _schemas(schema["items"], f"{path}[]")


def _set(spec: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    place = spec
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return spec


def _defaulted(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return ``value`` as the API server stores it: defaults filled in, from the outside in."""
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        filled = {key: sub["default"] for key, sub in properties.items() if "default" in sub}
        filled |= value
        return {key: _defaulted(sub, properties.get(key, {})) for key, sub in filled.items()}
    if isinstance(value, list):
        return [_defaulted(item, schema.get("items", {})) for item in value]
    return value


def _pruned(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return ``value`` without the fields that ``schema`` does not know."""
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        return {key: _pruned(sub, known[key]) for key, sub in value.items() if key in known}
    if isinstance(value, list):
        return [_pruned(item, schema["items"]) for item in value]
    return value


def _rules(schema: Mapping[str, Any]) -> list[Mapping[str, str]]:
    rules: list[Mapping[str, str]] = schema.get("x-kubernetes-validations", [])
    return rules


def test_the_names_are_the_codes() -> None:
    """Group, version, kind, plural and short name are those of the contract."""
    spec = CRD["spec"]
    assert CRD["metadata"]["name"] == f"{names.PLURAL}.{names.GROUP}"
    assert (spec["group"], VERSION["name"]) == (names.GROUP, names.VERSION)
    assert spec["scope"] == "Namespaced"
    assert spec["names"] == {
        "kind": names.KIND,
        "listKind": f"{names.KIND}List",
        "plural": names.PLURAL,
        "singular": names.SINGULAR,
        "shortNames": [names.SHORT_NAME],
        "categories": ["all"],
    }


def test_every_field_is_explained() -> None:
    """``kubectl explain`` has something to say about every field."""
    silent = [
        path
        for path, schema in _schemas(SCHEMA)
        if "description" not in schema
        and not path.endswith("[]")
        and not path.startswith(".metadata")
    ]
    assert silent == []


def test_every_field_is_acted_on() -> None:
    """A field that the schema knows and nobody reads would be a promise without anyone behind."""
    assert set(_fields(SPEC)) == {*ACTED_ON, "sidecars.sleep"}


@pytest.mark.parametrize("path", sorted(ACTED_ON))
def test_a_field_that_is_acted_on_makes_a_difference(path: str) -> None:
    """Another value than the default gives another policy."""
    plain = parse_spec({"targetRef": TARGET})
    spec = parse_spec(_set({"targetRef": dict(TARGET)}, path, ACTED_ON[path]))
    assert (spec == plain) is (path in ONE_VALUE)


def test_how_long_sidecars_sleep_is_acted_on() -> None:
    """What is not said is what the schema says it is; it has no default, or no rule could tell."""
    spec = {"targetRef": TARGET}
    assert parse_spec({**spec, "sidecars": SLEEP}).sidecars.sleep == 300.0
    assert parse_spec({**spec, "sidecars": {"order": "Sleep"}}).sidecars.sleep == DEFAULT_SLEEP
    assert format_duration(DEFAULT_SLEEP) == "1m40s"
    assert f"{DEFAULT_SLEEP:g}s if it is not said" in SIDECARS["sleep"]["description"]
    assert "default" not in SIDECARS["sleep"]


def test_the_defaults_are_the_codes() -> None:
    """A spec with the schema's defaults filled in means what the bare spec means."""
    bare = {"targetRef": TARGET, "close": [{"nginx": {}}]}
    stored = _defaulted(bare, SPEC)
    assert stored["drain"].keys() == DRAIN.keys()
    assert stored["close"] == [{"nginx": {"statusFile": names.STATUS_FILE}}]
    assert parse_spec(stored) == parse_spec(bare)


def test_the_defaults_of_a_reload_are_the_codes() -> None:
    """As safe and as usual as can be."""
    bare = {"targetRef": TARGET, "close": [{"nginx": {"http2": {}}}]}
    (driver,) = _defaulted(bare, SPEC)["close"]
    assert driver["nginx"]["http2"] == nginx_reload.reload_document(nginx_reload.Reload())


def test_reloads_have_no_defaults() -> None:
    """A command that is not said is made of how the container starts nginx."""
    bare = {"targetRef": TARGET, "close": [{"nginx": {"reload": {}}}]}
    (driver,) = _defaulted(bare, SPEC)["close"]
    assert driver["nginx"]["reload"] == nginx_reload.reload_close_document(
        nginx_reload.ReloadClose()
    )


def test_the_status_flag_is_the_codes() -> None:
    """Defaults, bounds and the paths that are the agent's own are those of its parser."""
    flag = SPEC["properties"]["statusFlag"]["properties"]
    default = status_flag.status_flag_document(status_flag.StatusFlag())
    assert _defaulted({"targetRef": TARGET}, SPEC)["statusFlag"] == default
    assert flag["path"]["maxLength"] == status_flag.LONGEST_PATH
    for answer in (flag["serving"]["properties"], flag["draining"]["properties"]):
        status = answer["status"]
        assert (status["minimum"], status["maximum"]) == status_flag.STATUSES
        told = re.findall(r"[0-9]+", _rules(status)[0]["rule"])
        assert {int(number) for number in told} == status_flag.WITHOUT_CONTENT
        assert answer["body"]["maxLength"] == status_flag.MAX_BODY
        assert str(status_flag.MAX_BODY) in answer["body"]["description"]
    own = _rules(flag["path"])[1]["rule"]
    assert set(re.findall(r"'(/[a-z0-9]+)'", own)) == {
        names.HEALTH_PATH,
        names.METRICS_PATH,
        names.AGENT_API,
    }


DURATIONS: Final = {
    **{f"drain.{key}": (DRAIN[key], bounds) for key, bounds in BOUNDS.items()},
    "sidecars.sleep": (SIDECARS["sleep"], SLEEP_BOUNDS),
}


@pytest.mark.parametrize("key", sorted(DURATIONS))
def test_durations_have_the_codes_grammar_and_bounds(key: str) -> None:
    """Pattern, rules, message and explanation of a duration all say what ``policy`` says."""
    schema, (lowest, highest) = DURATIONS[key]
    grammar, bounds = _rules(schema)
    assert schema["pattern"] == PATTERN
    assert grammar["rule"] == f"self.matches(r'{PATTERN}')"
    rule = bounds["rule"]
    lower = [parse_duration(text) for text in re.findall(r">= duration\('(.+?)'\)", rule)]
    upper = [parse_duration(text) for text in re.findall(r"<= duration\('(.+?)'\)", rule)]
    assert (lower, upper) == ([lowest] if lowest else [], [highest])
    told = f"from {format_duration(lowest)} to {format_duration(highest)}"
    assert bounds["message"] == f"must be {told}"
    assert told in schema["description"]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(fields.URL_PATH, id="url-path"),
        pytest.param(fields.FILE_PATH, id="file-path"),
        pytest.param(status_flag.PATH, id="status-flag"),
        pytest.param(close_drivers.VARIABLE, id="variable"),
        pytest.param(close_drivers.HEADER_NAME, id="header-name"),
        pytest.param(close_drivers.HEADER_VALUE, id="header-value"),
        pytest.param(nginx_reload.CONTAINER, id="container"),
        pytest.param(nginx_reload.WORD, id="word-of-a-command"),
        pytest.param(counters.METRIC, id="metric"),
        pytest.param(counters.LABEL, id="label"),
    ],
)
def test_grammars_are_the_codes(pattern: str) -> None:
    """Rules of the schema judge by the very expressions that the parser uses."""
    judging = [
        rule["rule"]
        for _, schema in _schemas(SPEC)
        for rule in _rules(schema)
        if f"matches(r'{pattern}')" in rule["rule"] or f'matches(r"{pattern}")' in rule["rule"]
    ]
    assert judging


def test_the_drivers_and_counters_are_the_codes() -> None:
    """Kinds, defaults, numbers and choices of each are those of its parser."""
    close = SPEC["properties"]["close"]
    metrics = SPEC["properties"]["metrics"]
    http = close["items"]["properties"]["http"]["properties"]
    gauge = metrics["items"]["properties"]["prometheus"]["properties"]
    nginx = close["items"]["properties"]["nginx"]["properties"]
    http2 = nginx["http2"]["properties"]
    assert tuple(close["items"]["properties"]) == close_drivers.KINDS
    assert tuple(metrics["items"]["properties"]) == counters.KINDS
    assert close["maxItems"] == close_drivers.MAX_DRIVERS
    assert metrics["maxItems"] == counters.MAX_COUNTERS
    assert http["method"]["enum"] == list(close_drivers.Method)
    assert http["headers"]["maxItems"] == close_drivers.MAX_HEADERS
    assert http["body"]["maxLength"] == close_drivers.MAX_BODY
    assert (http["retries"]["minimum"], http["retries"]["maximum"]) == close_drivers.RETRIES
    assert http2["reload"]["enum"] == list(nginx_reload.ReloadTime)
    for reloading in (http2, nginx["reload"]["properties"]):
        assert reloading["container"]["maxLength"] == nginx_reload.LONGEST_CONTAINER
        assert reloading["command"]["maxItems"] == nginx_reload.MAX_WORDS
        assert reloading["command"]["items"]["maxLength"] == nginx_reload.LONGEST_WORD
    assert gauge["labels"]["maxProperties"] == counters.MAX_LABELS
    assert gauge["zeroMeans"]["enum"] == list(counters.ZeroMeans)


@pytest.mark.parametrize(
    ("schema", "choices"),
    [
        pytest.param(DRAIN["idleConnections"], IdleConnections, id="idleConnections"),
        pytest.param(DRAIN["onTimeout"], OnTimeout, id="onTimeout"),
        pytest.param(SIDECARS["order"], SidecarOrder, id="order"),
    ],
)
def test_choices_are_the_codes(schema: Mapping[str, Any], choices: type[StrEnum]) -> None:
    """Enums of the schema and of ``policy`` have the same members."""
    assert schema["enum"] == [choice.value for choice in choices]


def test_the_kinds_are_the_codes() -> None:
    """The rule of the schema lists the kinds that the parser knows."""
    rule = _rules(SPEC["properties"]["targetRef"])[0]["rule"]
    described = SPEC["properties"]["targetRef"]["properties"]["kind"]["description"]
    assert set(re.findall(r"'([A-Z]\w+)'", rule)) == set(Kind)
    assert [kind for kind in Kind if kind not in described] == []


@pytest.mark.parametrize("good", [pytest.param(good, id=good.name) for good in GOOD_SPECS])
def test_good_specs_are_accepted(good: GoodSpec) -> None:
    """Schema (rules apart) and ``parse_spec`` accept, as given and as stored."""
    stored = _defaulted(good.spec, SPEC)
    jsonschema.validate(stored, SPEC)
    assert parse_spec(stored) == parse_spec(good.spec)


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in BAD_SPECS])
def test_bad_specs_are_refused(bad: BadSpec) -> None:
    """The refusal names the field and says what to do."""
    with pytest.raises(InvalidSpec) as refusal:
        parse_spec(bad.spec)
    assert refusal.value.field == bad.field
    assert bad.says in str(refusal.value)


def test_the_table_of_bad_specs_reaches_every_rule() -> None:
    """Each CEL rule of the spec has an entry that it refuses, told by its message."""
    told = [bad.says for bad in BAD_SPECS if not bad.api_says]
    untried = [
        f"{path}: {rule['message']}"
        for path, schema in _schemas(SPEC, "spec")
        for rule in _rules(schema)
        if not any(part in rule["message"] + rule.get("messageExpression", "") for part in told)
    ]
    assert untried == []


def test_every_rule_speaks_for_itself() -> None:
    """An API server shows the bare rule where an expression fails and no message is given."""
    mute = [
        path for path, schema in _schemas(SCHEMA) for rule in _rules(schema) if not rule["message"]
    ]
    assert mute == []


def test_the_name_fits_a_label() -> None:
    """The object's name is a label value on pods, which has at most 63 characters."""
    (rule,) = _rules(SCHEMA)
    assert rule["rule"] == "size(self.metadata.name) <= 63"
    assert names.ROLLOUT_LABEL in rule["message"]


def test_the_example_shows_the_defaults() -> None:
    """The example is accepted and differs from the defaults only where it says so."""
    example = yaml.safe_load((ROOT / "crds" / "examples" / "web.yaml").read_text())
    jsonschema.validate(example, SCHEMA)
    bare = parse_spec({"targetRef": TARGET, "close": [{"nginx": {"reload": {}}}]})
    assert parse_spec(example["spec"]) == bare


def test_status_lists_can_be_applied_in_parts() -> None:
    """Server-side apply merges conditions by type and pods by UID."""
    keys = {
        name: STATUS[name]["x-kubernetes-list-map-keys"]
        for name in STATUS
        if STATUS[name].get("x-kubernetes-list-type") == "map"
    }
    assert keys == {"conditions": ["type"], "pods": ["uid"]}
    assert VERSION["subresources"] == {"status": {}}


def test_every_word_of_a_status_is_stored() -> None:
    """The API server drops what the schema does not know, and refuses what does not fit."""
    document = status_document(FULL_STATUS)
    jsonschema.validate(document, SCHEMA["properties"]["status"])
    assert _pruned(document, SCHEMA["properties"]["status"]) == document
    assert document.keys() == STATUS.keys()


@pytest.mark.parametrize("reason", list(Reason))
def test_reasons_are_ones_to_the_api_server(reason: Reason) -> None:
    """A reason is a word in the grammar of ``metav1.Condition``."""
    schema = STATUS["conditions"]["items"]["properties"]["reason"]
    assert re.fullmatch(schema["pattern"], reason.value)


def test_a_status_of_the_controllers_size_fits() -> None:
    """The schema's bounds are no tighter than those that the controller keeps."""
    assert STATUS["pods"]["maxItems"] >= MAX_PODS
    assert STATUS["history"]["maxItems"] >= MAX_HISTORY
    assert STATUS["conditions"]["items"]["properties"]["message"]["maxLength"] >= MAX_MESSAGE


@pytest.mark.parametrize(
    ("description", "words"),
    [
        pytest.param(STATUS["phase"]["description"], RolloutPhase, id="phase"),
        pytest.param(STATUS["conditions"]["description"], ConditionType, id="conditions"),
        pytest.param(
            STATUS["injection"]["properties"]["cause"]["description"], Cause, id="injection"
        ),
        pytest.param(
            STATUS["pods"]["items"]["properties"]["phase"]["description"], Phase, id="pods"
        ),
    ],
)
def test_the_status_explains_every_word_it_may_show(description: str, words: type[StrEnum]) -> None:
    """No enum, so that a newer controller may say more; the explanation still lists them all."""
    assert [word for word in words if word.value not in description] == []


def test_history_and_last_rollout_have_the_same_words() -> None:
    """What is remembered of a rollout is what was shown of it."""
    history = STATUS["history"]["items"]["properties"]
    assert {k: v["type"] for k, v in history.items()} == {
        k: v["type"] for k, v in STATUS["lastRollout"]["properties"].items()
    }
    assert (
        f"the last {'ten' if MAX_HISTORY == 10 else MAX_HISTORY}"
        in (STATUS["history"]["description"])
    )


def test_columns_fit_a_terminal() -> None:
    """``kubectl get llr`` stays within 100 columns with names of 20 characters."""
    columns = VERSION["additionalPrinterColumns"]
    shown = [column["name"] for column in columns if not column.get("priority")]
    assert shown == ["Phase", "Replicas", "Updated", "Draining", "Held", "Connections", "Age"]
    longest = {"Phase": max(map(len, RolloutPhase))}
    width = 20 + sum(3 + max(len(name), longest.get(name, 0)) for name in shown)
    assert width <= 100
