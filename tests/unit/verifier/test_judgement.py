"""From the probes so far to a verdict, over the whole course of a verification."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from services.verifier.criteria import Seen
from services.verifier.failure import PROBES_MAX, Course, could_not_be_judged
from services.verifier.judgement import (
    STREAK_GRACE_SECONDS,
    Failed,
    Passed,
    ProbeAgain,
    Verdict,
    Verification,
    after_round,
    begin,
    judge,
    patience,
)
from services.verifier.probe import Answer
from shared.clock import ManualClock
from shared.events import ProbeTarget, VerificationRequested
from shared.ids import Pipeline, Stage
from shared.plan import CommandCheck, Criteria, PathCheck

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
INTERVAL = 1.0
DEADLINE = 5.0


def target(service: str = "web", paths: Sequence[str] = ("/",), **criteria: float) -> ProbeTarget:
    checks = tuple(PathCheck(path=path) for path in paths)
    asked = Criteria.model_validate({"paths": checks, "interval_seconds": INTERVAL, **criteria})
    return ProbeTarget(service=service, base_url="http://127.0.0.1:9000", criteria=asked)


def request(*targets: ProbeTarget) -> VerificationRequested:
    return VerificationRequested(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        verification=UUID(int=1),
        run=UUID(int=2),
        revision=3,
        step="web",
        targets=targets,
        deadline=START + timedelta(seconds=DEADLINE),
        private_addresses=True,
    )


def round_of(verification: Verification, statuses: Sequence[int], at: datetime) -> Verification:
    seen = [
        Seen(at, Answer(tally.check.url, 0.01, status))
        for tally, status in zip(verification.tallies, statuses, strict=True)
    ]
    return after_round(verification, seen, at)


def course(
    asked: VerificationRequested, rounds: Sequence[Sequence[int]], late: float = 0.0
) -> tuple[Verdict, int]:
    """Play rounds of statuses as a worker would, repeating the last; return the verdict and the rounds."""
    clock = ManualClock(START + timedelta(seconds=late))
    verification, played = begin(asked, clock.now()), 0
    while isinstance(verdict := judge(verification, clock.now()), ProbeAgain):
        assert verdict.at >= clock.now()
        clock.advance((verdict.at - clock.now()).total_seconds())
        verification = round_of(verification, rounds[min(played, len(rounds) - 1)], clock.now())
        played += 1
        assert played < 100, "the verification does not end"
    return verdict, played


@pytest.mark.parametrize(
    ("successes", "rounds", "passes", "played"),
    [
        pytest.param(2, [[200]], True, 2, id="two in a row pass at once"),
        pytest.param(1, [[200]], True, 1, id="one is enough where one is asked for"),
        pytest.param(2, [[500], [200]], True, 3, id="a slow start"),
        pytest.param(2, [[200], [500], [200]], True, 4, id="a streak that broke begins afresh"),
        pytest.param(3, [[200], [200], [500], [200]], True, 6, id="two, a failure, three"),
        pytest.param(2, [[500]], False, 6, id="never good: a round a second and one at the deadline"),
        pytest.param(2, [[200], [500]], False, 6, id="good once"),
        pytest.param(2, [[500]] * 5 + [[200]], True, 7, id="a streak unbroken at the deadline completes"),
        pytest.param(2, [[500]] * 5 + [[200], [500]], False, 7, id="a streak that breaks past the deadline"),
        pytest.param(0, [[200]], True, 1, id="nothing passes unprobed"),
        pytest.param(-1, [[500]], False, 6, id="a negative number of successes"),
    ],
)
def test_a_target_passes_by_successes_in_a_row(
    successes: int, rounds: list[list[int]], passes: bool, played: int
) -> None:
    verdict, rounds_played = course(request(target(successes=successes)), rounds)
    assert (isinstance(verdict, Passed), rounds_played) == (passes, played)


@pytest.mark.parametrize("statuses", list(product([200, 500], repeat=5)))
def test_every_course_of_five_rounds_passes_exactly_when_two_stand_together(
    statuses: tuple[int, ...],
) -> None:
    verdict, played = course(request(target()), [[status] for status in statuses] + [[500]])
    pairs = [n for n in range(4) if statuses[n] == statuses[n + 1] == 200]
    assert isinstance(verdict, Passed) is bool(pairs)
    if pairs:
        assert played == pairs[0] + 2


@pytest.mark.parametrize("late", [6.0, 3600.0])
def test_a_verifier_that_was_away_still_looks_before_it_judges(late: float) -> None:
    verdict, played = course(request(target()), [[500]], late)
    assert isinstance(verdict, Failed)
    assert played == 1


@pytest.mark.parametrize("late", [6.0, 3600.0])
def test_a_good_release_is_not_failed_because_the_verifier_was_away(late: float) -> None:
    verdict, played = course(request(target()), [[200]], late)
    assert isinstance(verdict, Passed)
    assert played == 2


def test_an_unbroken_streak_has_a_bound_too() -> None:
    verdict, _ = course(request(target(successes=50)), [[200]])
    assert isinstance(verdict, Failed)
    assert verdict.evidence.finished_at is not None
    assert (verdict.evidence.finished_at - START).total_seconds() <= DEADLINE + STREAK_GRACE_SECONDS
    assert verdict.evidence.message.endswith(
        "(0 of 16 probes failed, 50 in a row were asked for, the last 16 passed)"
    )


def test_all_paths_of_all_targets_must_stand_at_once() -> None:
    asked = request(target("web", ["/", "/health"]), target("api"))
    passing, played = course(asked, [[200, 200, 500], [200, 500, 200], [200, 200, 200]])
    assert isinstance(passing, Passed)
    assert played == 4
    failing, _ = course(asked, [[200, 200, 503]])
    assert isinstance(failing, Failed)
    assert failing.evidence.what == "api"
    assert failing.evidence.probes[0].status == 503


def test_the_evidence_says_what_was_asked_and_what_came_back() -> None:
    verdict, _ = course(request(target(paths=["/", "/a", "/b"])), [[500, 404, 500]])
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message == (
        "GET http://127.0.0.1:9000/ gave 500 instead of 2xx/3xx (6 of 6 probes failed);"
        " 2 more paths did not pass"
    )
    assert (verdict.evidence.phase, verdict.evidence.kind) == ("verify", "probe")


def test_the_evidence_keeps_how_it_began_and_how_it_ended() -> None:
    statuses = [*range(500, 520)]
    asked = request(target()).model_copy(update={"deadline": START + timedelta(seconds=19)})
    verdict, _ = course(asked, [[status] for status in statuses])
    assert isinstance(verdict, Failed)
    assert [probe.status for probe in verdict.evidence.probes] == [500, 501, 502, 515, 516, 517, 518, 519]
    assert "gave 519" in verdict.evidence.message


def test_a_verdict_is_bounded_however_much_is_probed() -> None:
    verdict, _ = course(request(target(paths=[f"/{n}" for n in range(100)])), [[500] * 100])
    assert isinstance(verdict, Failed)
    assert len(verdict.evidence.probes) == PROBES_MAX
    assert len(verdict.evidence.model_dump_json()) < 40_000


def test_nothing_to_probe_is_no_success() -> None:
    verdict = judge(begin(request(), START), START)
    assert isinstance(verdict, Failed)
    assert verdict.evidence.kind == "error"


@pytest.mark.parametrize(
    ("interval", "pause"),
    [
        pytest.param(0.0, 0.05, id="without a pause"),
        pytest.param(-1.0, 0.05, id="backwards"),
        pytest.param(float("nan"), 0.05, id="no number"),
        pytest.param(float("inf"), 5.0, id="for ever: at the deadline"),
        pytest.param(2.0, 2.0, id="as asked"),
    ],
)
def test_the_next_round_comes_within_bounds(interval: float, pause: float) -> None:
    verification = begin(request(target(interval_seconds=interval), target(interval_seconds=0.01)), START)
    verdict = judge(round_of(verification, [500, 500], START), START)
    assert verdict == ProbeAgain(START + timedelta(seconds=pause))


def test_a_round_that_took_longer_than_the_interval_is_followed_at_once() -> None:
    verification = round_of(begin(request(target()), START), [500], START)
    now = START + timedelta(seconds=3)
    assert judge(verification, now) == ProbeAgain(now)


@pytest.mark.parametrize(
    ("at", "latency", "seconds"),
    [
        pytest.param(0.0, 1.0, 3.0, id="longer than the limit, to tell slow from silent"),
        pytest.param(3.0, 5.0, 2.0, id="not past the deadline"),
        pytest.param(5.0, 5.0, 1.0, id="a moment at the deadline"),
        pytest.param(99.0, 5.0, 1.0, id="a moment after it"),
        pytest.param(-1000.0, 1e9, 121.0, id="never longer than the bound"),
    ],
)
def test_a_probe_waits_no_longer_than_it_may(at: float, latency: float, seconds: float) -> None:
    verification = begin(request(target(latency_seconds_max=latency)), START)
    check = verification.tallies[0].check
    assert patience(check, verification, START + timedelta(seconds=at)) == seconds


@pytest.mark.parametrize(
    ("began", "at", "seconds"),
    [
        pytest.param(0.0, 0.0, 5.0, id="not past the deadline"),
        pytest.param(0.0, 3.5, 1.5, id="what is left"),
        pytest.param(0.0, 5.0, 1.0, id="a moment at the deadline"),
        pytest.param(-200.0, -200.0, 120.0, id="its own limit"),
        pytest.param(60.0, 60.0, 10.0, id="a verifier that was away lets it end"),
    ],
)
def test_a_command_waits_no_longer_than_it_may(began: float, at: float, seconds: float) -> None:
    smoke = CommandCheck(command=("./smoke",), timeout_seconds=120.0)
    asked = target().model_copy(update={"criteria": Criteria(commands=(smoke,))})
    verification = begin(request(asked), START + timedelta(seconds=began))
    check = verification.tallies[-1].check
    assert patience(check, verification, START + timedelta(seconds=at)) == seconds


def test_what_broke_on_our_side_is_no_probe_of_the_service() -> None:
    tallies = begin(request(target()), START).tallies
    evidence = could_not_be_judged(Course(tallies, START, START), "it was tried 8 times")
    assert (evidence.kind, evidence.probes) == ("error", ())
