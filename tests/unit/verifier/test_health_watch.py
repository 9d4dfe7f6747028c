"""A watch: when it looks, what a look counts as, what is told of it, and the alarm it raises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verifier import health_alarm, watched_stage
from services.verifier.sample import Look, document, sample_from, sample_of
from services.verifier.signals import Signals
from services.verifier.watch import FIRST_LOOKS, JITTER, Told, Watch, after_look, begun
from services.verifier.watched_stage import Heard, WatchedStage
from shared.events import Health, HealthChanged, HealthSampled, ProbeFault, ProbeResult, ProbeTarget
from shared.events.alarms import AlarmState
from shared.ids import Pipeline, Stage
from shared.plan import Criteria, PathCheck
from tests.builders import named

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
EARLY = START.replace(tzinfo=None)
RUN = named("run")
RUNS = Signals("running", wanted=1, running=1)
GONE = Signals("exited", wanted=1, running=0, message="exited with 3")


def watch(service: str = "web", **criteria: Any) -> Watch:
    target = ProbeTarget(
        service=service, base_url="http://127.0.0.1:9000", criteria=Criteria.model_construct(**criteria)
    )
    return Watch(Pipeline("shop"), Stage("production"), RUN, 4, target, private_addresses=True, next_at=START)


def result(fault: ProbeFault = "", seconds: float | None = 0.02) -> ProbeResult:
    problem = f"is {fault}" if fault else ""
    return ProbeResult(
        at=START,
        url="http://a/",
        passed=not fault,
        fault=fault,
        problem=problem,
        latency_seconds=seconds,
    )


def look(*faults: ProbeFault, at: datetime = START, signals: Signals | None = None) -> Look:
    return Look(at, [result(fault) for fault in faults], signals)


@pytest.mark.parametrize(
    ("faults", "signals", "kind"),
    [
        pytest.param([""], None, "good", id="as it should be"),
        pytest.param(["", "slow"], None, "slow", id="one path is slow"),
        pytest.param(["slow", "status"], None, "bad", id="one is slow, one wrong"),
        pytest.param(["", "timeout"], None, "bad", id="one path does not answer, another does"),
        pytest.param(["refused", "timeout"], None, "silent", id="nothing answers"),
        pytest.param(["refused"], RUNS, "silent", id="it runs and does not listen"),
        pytest.param(["refused"], GONE, "silent", id="it is gone"),
        pytest.param([""], GONE, "bad", id="something else answers in its place"),
        pytest.param([], RUNS, "good", id="nothing is asked and it runs"),
        pytest.param([], GONE, "silent", id="nothing is asked and it does not run"),
        pytest.param(["release"], None, "bad", id="another release answers"),
        pytest.param(["tls"], None, "bad", id="it answers, and nobody can trust it"),
        pytest.param([""], Signals("absent", wanted=0, running=0), "good", id="it has no processes"),
    ],
)
def test_what_a_look_counts_as(faults: list[ProbeFault], signals: Signals | None, kind: str) -> None:
    sample = sample_of(look(*faults, signals=signals), busy=False)
    assert sample is not None
    assert sample.kind == kind


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        pytest.param(look("release"), False, id="another release answers"),
        pytest.param(look("restarted"), False, id="it was started again"),
        pytest.param(look("", signals=GONE), False, id="its process has gone and something answers"),
        pytest.param(look("refused", signals=GONE), True, id="nothing answers"),
        pytest.param(look("status"), True, id="it answers badly"),
        pytest.param(look(""), True, id="it answers well"),
    ],
)
def test_what_a_run_does_on_its_way_counts_for_nothing(seen: Look, counts: bool) -> None:
    assert (sample_of(seen, busy=True) is not None) is counts
    assert sample_of(seen, busy=False) is not None


def test_a_look_that_asked_nothing_counts_for_nothing() -> None:
    assert sample_of(look(), busy=False) is None


def test_the_worst_problem_is_told() -> None:
    sample = sample_of(look("slow", "status", "refused"), busy=False)
    assert sample is not None
    assert sample.problem == "http://a/ is refused"


def test_processes_that_lack_are_told_where_answers_are_good() -> None:
    one_of_two = Signals("running", wanted=2, running=1, message="was ended by SIGKILL")
    sample = sample_of(look("", signals=one_of_two), busy=False)
    assert sample is not None
    assert (sample.kind, sample.problem) == ("good", "1 of 2 processes run: was ended by SIGKILL")


def test_a_sample_is_kept_as_it_is_but_for_its_problem() -> None:
    sample = sample_of(look("slow", signals=Signals("running", 2, 3, 1)), busy=False)
    assert sample is not None
    assert sample_from(document(sample)) == replace(sample, problem="")


@given(st.floats(allow_nan=True), st.datetimes(timezones=st.just(UTC), min_value=EARLY))
def test_looks_come_in_bounded_time_whatever_is_asked_for(seconds: float, at: datetime) -> None:
    seen = replace(watch(health_interval_seconds=seconds), samples=(sample(),) * FIRST_LOOKS)
    wait = (seen.next_look(at) - at).total_seconds()
    assert 5 * (1 - JITTER) - 0.001 <= wait <= 3600 * (1 + JITTER) + 0.001


@pytest.mark.parametrize(
    ("paths", "tcp", "seconds"),
    [
        pytest.param(1, 0, 9.0, id="one question"),
        pytest.param(3, 1, 9.0, id="as many as are asked side by side"),
        pytest.param(3, 2, 18.0, id="one more"),
        pytest.param(50, 0, 117.0, id="many"),
    ],
)
def test_a_look_may_take_as_long_as_all_its_questions(paths: int, tcp: int, seconds: float) -> None:
    asked = tuple(PathCheck(path=f"/{n}") for n in range(paths))
    seen = watch(paths=asked, tcp=tuple(range(1, tcp + 1)), latency_seconds_max=2.0)
    assert seen.look_seconds_max == seconds
    assert seen.taken_until(START) - START >= timedelta(seconds=seconds)
    assert seen.forgets_after_seconds >= seconds


def sample() -> Any:
    return sample_of(look(""), busy=False)


def test_many_watches_spread_their_looks_and_each_always_in_the_same_way() -> None:
    seen = [replace(watch(f"s{n}"), samples=(sample(),) * FIRST_LOOKS) for n in range(300)]
    waits = sorted((each.next_look(START) - START).total_seconds() for each in seen)
    assert waits == sorted((each.next_look(START) - START).total_seconds() for each in seen)
    assert 27.0 <= waits[0] < 27.3
    assert 32.7 < waits[-1] <= 33.0
    assert max(later - earlier for earlier, later in pairwise(waits)) < 0.3


def test_the_first_looks_come_soon_and_close_together() -> None:
    seen = begun(watch(), START)
    assert 0.9 <= (seen.next_at - START).total_seconds() <= 1.1
    told = after_look(seen, look("", at=seen.next_at), seen.next_at, busy=False)
    assert 4.5 <= (told.watch.next_at - seen.next_at).total_seconds() <= 5.5


def told_after(story: list[Look], seen: Watch, busy: bool = False) -> list[Told]:
    found = []
    for each in story:
        found.append(after_look(seen, each, each.at, busy=busy))
        seen = found[-1].watch
    return found


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_look_that_counts_for_nothing_changes_only_when_the_next_is() -> None:
    before = watch()
    (told,) = told_after([look("release")], before, busy=True)
    assert told.says == ()
    assert (told.watch.samples, told.watch.stretch, told.watch.absent) == ((), None, ())
    assert told.watch.next_at > START


def test_a_stretch_is_told_once_when_it_is_over() -> None:
    faults: list[ProbeFault] = ["", "", "slow", "status", "refused"]
    looks = [look(fault, at=at(60.0 * n)) for n, fault in enumerate(faults)]
    told = told_after([*looks, look("", at=at(301)), look("", at=at(330))], watch())
    said = [each for one in told for each in one.says if isinstance(each, HealthSampled)]
    (sampled,) = said
    assert told[5].says[0] == sampled
    counts = sampled.counts
    assert (counts.begins_at, counts.seconds) == (START, 300.0)
    assert (counts.looks, counts.good, counts.slow, counts.bad, counts.silent) == (5, 2, 1, 1, 1)
    assert (counts.latency_seconds, counts.latency_seconds_max) == (0.02, 0.02)


def test_a_stretch_begins_with_the_clock_and_not_with_the_first_look() -> None:
    told = told_after([look("", at=at(299)), look("", at=at(301)), look("", at=at(601))], watch())
    said = [each for one in told for each in one.says if isinstance(each, HealthSampled)]
    assert [(each.counts.begins_at, each.counts.looks) for each in said] == [(START, 1), (at(300), 1)]


def test_a_clock_that_is_set_back_tells_no_stretch_twice() -> None:
    story = [look("", at=at(seconds)) for seconds in (10, 310, 20, 50, 320, 610)]
    said = [
        each for one in told_after(story, watch()) for each in one.says if isinstance(each, HealthSampled)
    ]
    assert [(each.counts.begins_at, each.counts.looks) for each in said] == [(START, 1), (at(300), 4)]


def test_the_worst_of_a_stretch_is_kept() -> None:
    story = [look("refused", at=at(5.0 * n)) for n in range(3)]
    story += [look("", at=at(15 + 57.0 * n)) for n in range(5)]
    told = told_after([*story, look("", at=at(301))], replace(watch(), health="healthy"))
    (said,) = [each for one in told for each in one.says if isinstance(each, HealthSampled)]
    assert (told[-1].watch.health, said.counts.worst) == ("healthy", "unreachable")


def test_what_was_not_looked_at_for_long_is_unknown_and_known_again_after_looks() -> None:
    healthy = told_after([look("", at=at(30.0 * n)) for n in range(3)], watch())[-1].watch
    away = told_after([look("", at=at(7300 + 30.0 * n)) for n in range(3)], healthy)
    changes = [each for one in away for each in one.says if isinstance(each, HealthChanged)]
    assert [(each.before, each.health) for each in changes] == [
        ("healthy", "unknown"),
        ("unknown", "healthy"),
    ]
    assert changes[0].reason == "nobody looked for 2 h, and one look since then says too little"


def test_one_lost_look_leaves_no_gap() -> None:
    healthy = told_after([look("", at=at(30.0 * n)) for n in range(3)], watch())[-1].watch
    lost = healthy.taken_until(at(90)) + timedelta(seconds=1)
    assert told_after([look("", at=lost)], healthy)[-1].watch.health == "healthy"


def test_what_is_kept_of_a_watch_is_bounded() -> None:
    story = [look("", at=at(30.0 * n)) for n in range(100)]
    assert len(told_after(story, watch())[-1].watch.samples) == 20


def test_paths_that_a_service_did_not_have_at_first_are_not_asked_for_again() -> None:
    first = Look(START, [result()], None, absent=("http://a/healthz",))
    second = Look(at(5), [result()], None, absent=("http://a/late",))
    told = told_after([first, second], watch())
    assert told[-1].watch.absent == ("http://a/healthz",)


@pytest.mark.parametrize(
    ("health", "said", "busy", "raises"),
    [
        pytest.param("degraded", None, False, True, id="degraded"),
        pytest.param("unreachable", "clear", False, True, id="unreachable, and it was clear"),
        pytest.param("unreachable", "firing", False, False, id="it fires already"),
        pytest.param("unreachable", None, True, False, id="a run is under way"),
        pytest.param("unreachable", "clear", True, False, id="cleared in the midst of a run"),
        pytest.param("unreachable", "firing", True, False, id="it fired before the run"),
        pytest.param("unknown", None, False, False, id="unknown"),
        pytest.param("healthy", None, False, False, id="healthy"),
    ],
)
def test_when_the_alarm_fires(health: Health, said: AlarmState | None, busy: bool, raises: bool) -> None:
    assert health_alarm.raises(health, said, busy=busy) is raises


@pytest.mark.parametrize(
    ("healths", "said", "clears"),
    [
        pytest.param({"healthy"}, "firing", True, id="all are healthy"),
        pytest.param(set(), "firing", True, id="there is none any more"),
        pytest.param({"healthy", "unknown"}, "firing", False, id="one is unknown"),
        pytest.param({"healthy", "degraded"}, "firing", False, id="one ails"),
        pytest.param({"healthy"}, "clear", False, id="it is clear already"),
        pytest.param({"healthy"}, None, False, id="it never fired"),
    ],
)
def test_when_the_alarm_is_clear(healths: set[Health], said: AlarmState | None, clears: bool) -> None:
    assert health_alarm.clears(healths, said) is clears


def test_the_alarm_is_called_as_a_pipeline_file_names_it() -> None:
    told = health_alarm.firing(Pipeline("shop"), Stage("production"), "web", "boom" * 500, START)
    assert (told.alarm, told.state, told.source) == ("health:shop/production", "firing", "windlass health")
    assert told.reason.startswith("web: boom")
    assert len(told.reason) == health_alarm.REASON_CHARACTERS_MAX


STAGE = WatchedStage(Pipeline("shop"), Stage("production"))
ONE, TWO = named("run 1"), named("run 2")


def test_a_stage_is_busy_from_a_runs_beginning_to_its_end() -> None:
    began = watched_stage.run_began(STAGE, ONE, Heard(1, at(1)))
    over = watched_stage.run_over(began, ONE, Heard(2, at(2)))
    assert (STAGE.busy, began.busy, over.busy) == (False, True, False)


def test_the_end_of_an_older_run_does_not_end_a_newer_one() -> None:
    began = watched_stage.run_began(STAGE, TWO, Heard(3, at(3)))
    assert watched_stage.run_over(began, ONE, Heard(2, at(2))).busy_run == TWO


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(Heard(1, at(1)), id="in its place"),
        pytest.param(Heard(0, at(1)), id="from a dead letter, without a place"),
    ],
)
def test_a_beginning_that_is_heard_after_its_end_leaves_nobody_busy(late: Heard) -> None:
    over = watched_stage.run_over(STAGE, ONE, Heard(2, at(2)))
    assert not watched_stage.run_began(over, ONE, late).busy


def test_places_that_begin_anew_are_not_late() -> None:
    over = watched_stage.run_over(STAGE, ONE, Heard(5000, at(2)))
    assert watched_stage.run_began(over, TWO, Heard(1, at(3))).busy


def test_a_clock_that_is_behind_does_not_make_what_comes_later_late() -> None:
    over = watched_stage.run_over(STAGE, ONE, Heard(10, at(2)))
    assert watched_stage.run_began(over, TWO, Heard(11, at(1))).busy


def test_a_newer_success_is_not_undone_by_an_older_one_though_a_dead_letter_came_between() -> None:
    stage = watched_stage.brings(STAGE, Heard(30, at(30)))
    assert stage is not None
    told_late = watched_stage.brings(stage, Heard(0, at(40)))  # died, and comes back without its place
    assert told_late is not None
    assert watched_stage.brings(told_late, Heard(30, at(30))) is None
    assert watched_stage.brings(told_late, Heard(20, at(20))) is None
    assert watched_stage.brings(told_late, Heard(0, at(40))) is None
    assert watched_stage.brings(told_late, Heard(50, at(50))) is not None
