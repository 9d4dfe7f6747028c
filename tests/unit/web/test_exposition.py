"""Figures as Prometheus reads them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared import metrics
from shared.web import exposition


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test counters in which only its own figures stand."""
    for source in (*metrics.COUNTERS, *metrics.GAUGES):
        monkeypatch.setattr(source, "values", {})
    monkeypatch.setattr(metrics.HANDLING, "counts", {})
    monkeypatch.setattr(metrics.HANDLING, "sums", {})


def figures() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = bytes(exposition.answer().body).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_attempt_at_a_message_is_counted_by_what_became_of_it() -> None:
    metrics.message_tried("deployer", "t", handled=True, seconds=0.004)
    metrics.message_tried("deployer", "t", handled=False, seconds=100)
    found, who = figures(), {("group", "deployer"), ("type", "t")}
    assert found["windlass_messages_total", frozenset({*who, ("outcome", "handled")})] == 1
    assert found["windlass_messages_total", frozenset({*who, ("outcome", "failed")})] == 1
    assert found["windlass_handling_seconds_bucket", frozenset({*who, ("le", "0.0025")})] == 0
    assert found["windlass_handling_seconds_bucket", frozenset({*who, ("le", "0.005")})] == 1
    assert found["windlass_handling_seconds_bucket", frozenset({*who, ("le", "15.0")})] == 1
    assert found["windlass_handling_seconds_bucket", frozenset({*who, ("le", "+Inf")})] == 2
    assert found["windlass_handling_seconds_sum", frozenset(who)] == pytest.approx(100.004)


def test_a_gauge_forgets_what_is_no_longer_there() -> None:
    metrics.WORK_OPEN.replace({("builder", "ready"): 3, ("deployer", "ready"): 1})
    metrics.WORK_OPEN.replace({("builder", "ready"): 2})
    found = {labels: value for (name, labels), value in figures().items() if name == "windlass_work_open"}
    assert found == {frozenset({("service", "builder"), ("state", "ready")}): 2}


def test_the_process_tells_of_itself() -> None:
    names = {name for name, _ in figures()}
    assert {"process_resident_memory_bytes", "python_gc_collections_total"} <= names


def test_every_figure_has_a_name_of_its_own_and_a_meaning() -> None:
    sources: tuple[metrics.Counter | metrics.Gauge | metrics.Histogram, ...] = (
        *metrics.COUNTERS, *metrics.GAUGES, *metrics.HISTOGRAMS,
    )  # fmt: skip
    assert len({each.name for each in sources}) == len(sources)
    assert all(each.name.startswith("windlass_") and each.meaning.endswith(".") for each in sources)
