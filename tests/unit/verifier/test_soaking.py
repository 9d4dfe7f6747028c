"""A verification that goes on after its criteria were met."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.verifier.checks import AnyCheck, ProcessCheck
from services.verifier.judgement import Failed, Met, Passed, ProbeAgain, judge, watched
from services.verifier.signals import Signals
from services.verifier.soak import FAILURES_IN_A_ROW, Noted
from shared.events import VerificationRequested
from tests.unit.verifier.courses import PLACE, START, Course, Play, course, request, statuses, target

SOAK = 20.0
MET = START + timedelta(seconds=1)  # two rounds, a second apart
NOTED = Noted(MET + timedelta(seconds=SOAK), {"web": 0})


def soaking(seconds: float = SOAK, **criteria: Any) -> VerificationRequested:
    return request(target(paths=[{"path": "/"}], place=PLACE, **criteria), soak_seconds=seconds)


def then(rounds: Sequence[int]) -> Play:
    """Meet the criteria with two rounds, and go on like that."""
    return statuses({"/": [200, 200, *rounds]})


def test_a_good_release_is_watched_to_the_end_and_passes() -> None:
    played = course(soaking())
    assert isinstance(played.run(then([200])), Passed)
    assert played.met_at == [MET]
    assert played.seconds == 1 + SOAK
    assert played.played == 2 + SOAK


def test_without_a_soak_nothing_follows() -> None:
    played = course(soaking(0.0))
    assert isinstance(played.run(then([500])), Passed)
    assert (played.played, played.met_at) == (2, [])


@pytest.mark.parametrize(
    ("interval", "rounds"),
    [pytest.param(0.05, 20, id="not more often than each second"), pytest.param(5.0, 4, id="as asked")],
)
def test_a_release_under_watch_is_asked_less_often(interval: float, rounds: int) -> None:
    played = course(soaking(interval_seconds=interval))
    assert isinstance(played.run(then([200])), Passed)
    assert played.played == 2 + rounds


@pytest.mark.parametrize(
    ("rounds", "seconds", "message"),
    [
        pytest.param(
            [500],
            3,
            "it met its criteria and failed 3 s later, as 3 rounds in a row failed:"
            " GET http://127.0.0.1:9000/ gave 500 instead of 2xx/3xx (3 of 3 probes failed)",
            id="at once",
        ),
        pytest.param(
            [200] * 10 + [503],
            13,
            "it met its criteria and failed 13 s later, as 3 rounds in a row failed:"
            " GET http://127.0.0.1:9000/ gave 503 instead of 2xx/3xx (3 of 13 probes failed)",
            id="after a while",
        ),
        pytest.param(
            [500, 200, 200] * 5 + [500],
            16,
            "it met its criteria and failed 16 s later, as 6 of the last 20 rounds failed:"
            " GET http://127.0.0.1:9000/ gave 500 instead of 2xx/3xx (6 of 16 probes failed)",
            id="again and again",
        ),
    ],
)
def test_a_release_that_fails_under_watch_is_told_when_and_why(
    rounds: list[int], seconds: int, message: str
) -> None:
    played = course(soaking())
    verdict = played.run(then(rounds))
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message.startswith(message)
    assert played.seconds == 1 + seconds
    assert not verdict.evidence.probes[-1].passed


@pytest.mark.parametrize("rounds", [[500, 200], [200, 500, 500, 200], [500, 200] * 4 + [200]])
def test_a_blip_fails_nobody(rounds: list[int]) -> None:
    assert isinstance(course(soaking()).run(then(rounds)), Passed)


def test_the_last_round_must_pass_itself() -> None:
    played = course(soaking())
    assert isinstance(played.run(then([200] * 19 + [500, 200])), Passed)
    assert played.seconds == 1 + SOAK + 1
    played = course(soaking())
    assert isinstance(played.run(then([200] * 19 + [500])), Failed)
    assert played.seconds == 1 + SOAK + 2


@pytest.mark.parametrize(("restarts", "passes"), [(1, True), (2, False)])
def test_a_process_may_be_restarted_once(restarts: int, passes: bool) -> None:
    def restarting(check: AnyCheck, number: int) -> int | Signals:
        so_far = min(max(number - 5, 0), restarts)
        return Signals("running", restarts=so_far) if isinstance(check, ProcessCheck) else 200

    verdict = course(soaking()).run(restarting)
    assert isinstance(verdict, Passed) is passes
    if isinstance(verdict, Failed):
        assert "as its process was restarted 2 times" in verdict.evidence.message
        assert verdict.evidence.probes[0].fault == "restarted"


def test_restarts_before_the_criteria_were_met_are_forgiven() -> None:
    def restarting(check: AnyCheck, number: int) -> int | Signals:
        return Signals("running", restarts=min(number, 3)) if isinstance(check, ProcessCheck) else 200

    assert isinstance(course(soaking()).run(restarting), Passed)


@pytest.mark.parametrize(
    ("watched_for", "away", "more"),
    [
        pytest.param(5, 14.0, 2, id="as long as a round may take, and three intervals"),
        pytest.param(5, 14.1, FAILURES_IN_A_ROW, id="longer"),
        pytest.param(5, 3600.0, FAILURES_IN_A_ROW, id="past the end"),
        pytest.param(15, 14.0, 1, id="past the end, but not for long"),
    ],
)
def test_a_verifier_that_slept_looks_a_few_times_before_it_judges(
    watched_for: int, away: float, more: int
) -> None:
    for last in (200, 500):
        played = soaked(watched_for)
        made = played.played
        played.clock.advance(away - 1.0)
        verdict = played.run(statuses({"/": last}))
        assert isinstance(verdict, Passed) is (last == 200)
        assert played.played == made + (more if last == 200 else FAILURES_IN_A_ROW)


def test_a_release_that_is_asked_slowly_passes_all_the_same() -> None:
    """Each of its rounds takes as long as it may: nobody was away."""
    played = soaked(1)
    while not isinstance(judge(played.verification, played.clock.now()), Passed | Failed):
        played.clock.advance(11.0)
        played.round(then([200]))
    assert played.played == 2 + 1 + 2


def restarted(times: int) -> Play:
    """Answer well, of processes that were restarted so often."""

    def play(check: AnyCheck, number: int) -> int | Signals:
        return Signals("running", restarts=times) if isinstance(check, ProcessCheck) else 200

    return play


def soaked(rounds: int) -> Course:
    """Return a release that met its criteria and was watched for some rounds, a second apart."""
    played = course(soaking())
    for _ in range(2 + rounds):
        played.round(then([200]))
        verdict = judge(played.verification, played.clock.now())
        if isinstance(verdict, Met):
            played.verification = watched(played.verification, verdict.noted, played.clock.now())
        played.clock.advance(1.0)
    return played


def test_a_restart_of_ours_proves_afresh_and_watches_until_the_same_instant() -> None:
    played = course(soaking(), NOTED, late=10.0)
    assert isinstance(played.run(then([200])), Passed)
    assert played.met_at == [START + timedelta(seconds=11)]
    assert played.clock.now() == NOTED.until


def test_a_restart_of_ours_gives_as_much_time_to_prove_it_as_at_first() -> None:
    """A machine that comes up again brings its services up after us."""
    played = course(soaking(deadline_seconds=4.0), NOTED, late=10.0)
    assert isinstance(played.run(statuses({"/": [502, 502, 502, 200]})), Passed)
    failing = course(soaking(deadline_seconds=4.0), NOTED, late=10.0)
    assert isinstance(failing.run(statuses({"/": 502})), Failed)
    assert failing.seconds == 14.0


@pytest.mark.parametrize("late", [19.0, 20.5, 100.0])
def test_a_restart_near_the_end_or_after_it_proves_and_looks_a_few_times(late: float) -> None:
    played = course(soaking(), NOTED, late)
    assert isinstance(played.run(then([200])), Passed)
    assert played.played == 2 + FAILURES_IN_A_ROW
    failing = course(soaking(), NOTED, late)
    verdict = failing.run(then([500]))
    assert isinstance(verdict, Failed)
    assert "it met its criteria and failed" in verdict.evidence.message


@pytest.mark.parametrize(
    ("noted", "now", "passes"),
    [
        pytest.param({"web": 1}, 2, True, id="once while we were away"),
        pytest.param({"web": 1}, 3, False, id="twice while we were away"),
        pytest.param({"web": 3}, 3, True, id="all of them before it met its criteria"),
        pytest.param({"web": 3}, 0, True, id="it was brought up anew"),
        pytest.param({"api": 9}, 1, True, id="nothing was noted of it"),
    ],
)
def test_restarts_while_we_were_away_count(noted: dict[str, int], now: int, passes: bool) -> None:
    verdict = course(soaking(), Noted(NOTED.until, noted), late=10.0).run(restarted(now))
    assert isinstance(verdict, Passed) is passes
    if isinstance(verdict, Failed):
        assert verdict.evidence.message == (
            "it met its criteria and failed 10 s later, as its process was restarted 2 times"
        )
        assert verdict.evidence.what == "web"


def test_a_restart_while_we_were_away_and_one_under_our_eyes_are_two() -> None:
    def running(check: AnyCheck, number: int) -> int | Signals:
        return Signals("running", restarts=1 + (number > 4)) if isinstance(check, ProcessCheck) else 200

    verdict = course(soaking(), NOTED, late=10.0).run(running)
    assert isinstance(verdict, Failed)
    assert "as its process was restarted 2 times" in verdict.evidence.message


@pytest.mark.parametrize(
    ("noted", "restarts"),
    [
        pytest.param(None, {"web": 4}, id="the first"),
        pytest.param(Noted(NOTED.until, {"web": 3}), {"web": 3}, id="a later one"),
        pytest.param(Noted(NOTED.until, {}), {"web": 4}, id="a later one, and nothing was seen before"),
    ],
)
def test_what_is_noted_of_restarts_is_what_the_first_life_saw(
    noted: Noted | None, restarts: dict[str, int]
) -> None:
    played = course(soaking(), noted)
    for _ in range(2):
        played.round(restarted(4))
    verdict = judge(played.verification, played.clock.now())
    assert isinstance(verdict, Met)
    assert verdict.noted == Noted(NOTED.until if noted else START + timedelta(seconds=SOAK), restarts)


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_clock_that_is_set_back_does_not_put_rounds_off(rounds: int) -> None:
    played = course(soaking()) if rounds == 1 else soaked(1)
    if rounds == 1:
        played.round(statuses({"/": 500}))
    played.clock.advance(-3600.0)
    verdict = judge(played.verification, played.clock.now())
    assert verdict == ProbeAgain(played.clock.now() + timedelta(seconds=1))
    assert not played.verification.is_to_be_told(START)
    assert played.verification.is_to_be_told(played.clock.now())


@pytest.mark.parametrize(
    ("seconds", "until"),
    [
        pytest.param(float("nan"), 0.0, id="no number"),
        pytest.param(-5.0, 0.0, id="negative"),
        pytest.param(1e12, 3600.0, id="for ever"),
    ],
)
def test_a_soak_has_bounds_whatever_is_asked_for(seconds: float, until: float) -> None:
    played = course(soaking(seconds, interval_seconds=60.0))
    assert isinstance(played.run(then([200])), Passed)
    assert (played.clock.now() - played.met_at[0]).total_seconds() == until if until else not played.met_at


def test_a_long_verification_is_told_less_and_less_often_and_a_quick_one_at_its_end() -> None:
    played = course(soaking())
    played.run(then([200]))
    told = [[round_.number for round_ in rounds] for rounds in (*played.tellings, played.verification.untold)]
    assert told == [[1, 2], [*range(3, 9)], [*range(9, 21)], [21, 22]]
    late = played.verification.untold[-1]
    assert (late.probes, late.further) == ((), 1)
    quick = course(soaking(0.0))
    quick.run(then([200]))
    assert (quick.tellings, len(quick.verification.untold)) == ([], 2)


def test_what_fails_on_and_on_is_told_again_where_it_fails_otherwise() -> None:
    failing = course(request(target(paths=[{"path": "/a"}, {"path": "/b"}])))
    for number in range(1, 14):
        failing.round(statuses({"/a": 500, "/b": 500 if number < 13 else 502}))
    told = [[probe.status for probe in round_.probes] for round_ in failing.verification.untold]
    assert told == [[500, 500]] * 10 + [[500], [500], [502]]
