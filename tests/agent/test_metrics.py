"""The exposition: read by the official parser, and never a zero for what is unknown."""

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from lossless.agent.metrics import State, expose
from lossless.model.drain.drain_rule import Sample
from lossless.model.phases import Phase
from lossless.model.report import Driver, DriverState, Report, Source, SourceState

STATE = State(
    report=Report(
        "web-1",
        "u-1",
        Phase.DRAINING,
        seconds=12.5,
        deadline=47.5,
        sources=(
            Source("kernel", SourceState.BUSY, 3, 0.5),
            Source("envoyStats on port 9901", SourceState.UNKNOWN, None, 4.0, "refused"),
        ),
        drivers=(Driver("nginx", DriverState.DONE),),
    ),
    sample=Sample(100.0, active=3, ambiguous=1, idle=2, expired=1, inside=4, backlog=5, new=6),
    source="sock_diag",
    samples=120,
    failures=1,
    sample_seconds=0.002,
    holds=2,
    clients=3,
    version='0.1.0"\\\n',
)


def values(state: State) -> dict[tuple[str, ...], float]:
    """Return all samples by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(expose(state))
        for sample in family.samples
    }


def test_everything_is_there() -> None:
    """Names carry their unit, states are labels."""
    found = values(STATE)

    assert found[("lossless_agent_connections", "active")] == 3
    assert found[("lossless_agent_connections", "ambiguous")] == 1
    assert found[("lossless_agent_connections", "idle")] == 2
    assert found[("lossless_agent_expired_connections",)] == 1
    assert found[("lossless_agent_new_connections",)] == 6
    assert found[("lossless_agent_inside_connections",)] == 4
    assert found[("lossless_agent_accept_backlog",)] == 5
    assert found[("lossless_agent_draining",)] == 1
    assert found[("lossless_agent_source_state", "kernel", "Busy")] == 1
    assert found[("lossless_agent_source_state", "kernel", "Drained")] == 0
    assert found[("lossless_agent_source_value", "kernel")] == 3
    assert ("lossless_agent_source_value", "envoyStats on port 9901") not in found
    assert found[("lossless_agent_source_age_seconds", "envoyStats on port 9901")] == 4.0
    assert found[("lossless_agent_close_driver_state", "nginx", "Done")] == 1
    assert found[("lossless_agent_close_driver_state", "nginx", "Failed")] == 0
    assert found[("lossless_agent_phase", "Draining")] == 1
    assert found[("lossless_agent_phase", "Serving")] == 0
    assert found[("lossless_agent_drain_seconds",)] == 12.5
    assert found[("lossless_agent_drain_deadline_seconds",)] == 47.5
    assert found[("lossless_agent_readable", "sock_diag")] == 1
    assert found[("lossless_agent_samples_total",)] == 120
    assert found[("lossless_agent_holds",)] == 2
    assert found[("lossless_build_info", "agent", '0.1.0"\\\n')] == 1
    assert found[("process_max_resident_memory_bytes",)] > 1e6


def test_every_family_is_explained() -> None:
    """HELP and TYPE for each, counters named as such."""
    for family in text_string_to_metric_families(expose(STATE)):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        assert (family.type == "counter") is all(
            sample.name.endswith("_total") for sample in family.samples
        )


def test_what_could_not_be_counted_is_left_out() -> None:
    """A zero would say that nobody is there."""
    for sample in (None, Sample(100.0, problem="gone")):
        found = values(replace(STATE, sample=sample))

        assert found[("lossless_agent_readable", "sock_diag")] == 0
        assert not [key for key in found if key[0].endswith("_connections")] or [
            key[0] for key in found if key[0].endswith("_connections")
        ] == ["lossless_agent_discarded_connections"]
