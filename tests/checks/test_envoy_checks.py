"""Envoy's bootstrap configuration is checked as the container has it mounted."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from e2e.support.testbed import ROOT
from lossless.checks.finding import Severity
from tests.checks.envoy_pods import ADMIN, behind_envoy
from tests.checks.manifests import Raw
from tests.checks.test_checks import found

MODIFY_ONLY: Final = (
    ADMIN + "static_resources: {listeners: [{}, {name: in, drain_type: MODIFY_ONLY}]}"
)


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(behind_envoy(ADMIN), id="as documented"),
        pytest.param(
            behind_envoy((ROOT / "e2e/proof/image/envoy.yaml").read_text()), id="the proof's"
        ),
        pytest.param(
            behind_envoy(
                '{"admin": {"address": {"socketAddress": {"address": "::1", "portValue": 9901}}}}'
            ),
            id="JSON as protobuf writes it",
        ),
        pytest.param(
            behind_envoy(ADMIN.replace("9901", "9000"), driver={"adminPort": 9000}),
            id="another port",
        ),
        pytest.param(behind_envoy(ADMIN.replace("127.0.0.1", "localhost")), id="by name"),
        pytest.param(behind_envoy("admin: {{ .Values.admin }}: {"), id="a template"),
        pytest.param(behind_envoy("# nothing"), id="nothing in it"),
    ],
)
def test_nothing_is_found_in_a_configuration_that_is_right(objects: dict[str, Raw]) -> None:
    """However it is written, and where there is nothing to look at."""
    assert found(objects) == ()


@pytest.mark.parametrize(
    ("objects", "code", "said"),
    [
        pytest.param(behind_envoy("node: {id: a}"), "LL808", "listens nowhere", id="no admin API"),
        pytest.param(
            behind_envoy(ADMIN.replace("9901", "9000")), "LL808", "listens on port 9000", id="port"
        ),
        pytest.param(
            behind_envoy("admin: {address: {pipe: {path: /run/envoy}}}"),
            *("LL808", "{address: 127.0.0.1, port_value: 9901}"),
            id="a unix socket",
        ),
        pytest.param(
            behind_envoy(ADMIN.replace("127.0.0.1", "0.0.0.0")),  # noqa: S104 # what is warned of
            *("LL809", "listens on 0.0.0.0: whoever reaches the pod"),
            id="open to all",
        ),
        pytest.param(
            behind_envoy(ADMIN.replace("127.0.0.1", "'::'"), args=["-c", "/etc/envoy/envoy.yaml"]),
            *("LL809", "listens on ::"),
            id="open to all over IPv6",
        ),
        pytest.param(behind_envoy(MODIFY_ONLY), "LL810", "listener in has", id="drain_type"),
    ],
)
def test_what_is_wrong_is_found(objects: dict[str, Raw], code: str, said: str) -> None:
    """Once, with the ConfigMap and its key."""
    (finding,) = found(objects)

    assert finding.code == code
    assert finding.object == "ConfigMap shop/front envoy.yaml"
    assert said in f"{finding.reason}; {finding.remedy}"
    assert finding.severity is (Severity.WARNING if code == "LL809" else Severity.ERROR)


NAMES: Final = some.sampled_from(
    ["admin", "address", "socket_address", "portValue", "static_resources", "listeners", "name"]
)
TREES: Final = some.recursive(
    some.none() | some.integers() | some.text(max_size=3) | some.just("MODIFY_ONLY"),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(some.dictionaries(NAMES, TREES))
def test_every_tree_can_be_asked_about(tree: dict[str, Any]) -> None:
    """Whatever is where an address or a list should be."""
    assert {finding.code for finding in found(behind_envoy(repr(tree)))} <= {"LL808", "LL810"}
