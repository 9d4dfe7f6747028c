"""A verification that goes on after its criteria were met."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.verifier.checks import AnyCheck, ProcessCheck
from services.verifier.judgement import Failed, Passed, judge
from services.verifier.signals import Signals
from shared.events import VerificationRequested
from tests.unit.verifier.courses import PLACE, START, Play, course, request, statuses, target

SOAK = 20.0
MET = START + timedelta(seconds=1)  # two rounds, a second apart


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


def test_a_verifier_that_slept_past_the_end_makes_one_more_round() -> None:
    for last, passes in ((200, True), (500, False)):
        played = course(soaking())
        for _ in range(2):
            played.round(then([]))
            played.clock.advance(1.0)
        assert not isinstance(judge(played.verification, played.clock.now()), Passed | Failed)
        played.round(then([]))
        played.clock.advance(3600.0)
        verdict = played.run(statuses({"/": last}))
        assert isinstance(verdict, Passed) is passes


def test_a_restart_of_ours_proves_afresh_and_watches_until_the_same_instant() -> None:
    until = MET + timedelta(seconds=SOAK)
    played = course(soaking(), until, late=10.0)
    assert isinstance(played.run(then([200])), Passed)
    assert played.met_at == [START + timedelta(seconds=11)]
    assert played.clock.now() == until


def test_a_restart_of_ours_gives_as_much_time_to_prove_it_as_at_first() -> None:
    """A machine that comes up again brings its services up after us."""
    until = MET + timedelta(seconds=SOAK)
    played = course(soaking(deadline_seconds=4.0), until, late=10.0)
    assert isinstance(played.run(statuses({"/": [502, 502, 502, 200]})), Passed)
    failing = course(soaking(deadline_seconds=4.0), until, late=10.0)
    assert isinstance(failing.run(statuses({"/": 502})), Failed)
    assert failing.seconds == 14.0


def test_a_restart_after_the_end_only_proves() -> None:
    played = course(soaking(), MET + timedelta(seconds=SOAK), late=100.0)
    assert isinstance(played.run(then([500])), Passed)
    assert (played.played, played.met_at) == (2, [])


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


def test_a_long_verification_is_told_every_few_seconds_and_a_quick_one_at_its_end() -> None:
    played = course(soaking())
    played.run(then([200]))
    told = [[round_.number for round_ in rounds] for rounds in (*played.tellings, played.verification.untold)]
    assert told == [[1, 2], [3, 4, 5, 6, 7], [8, 9, 10, 11, 12], [13, 14, 15, 16, 17], [18, 19, 20, 21, 22]]
    late = played.verification.untold[-1]
    assert (late.probes, late.further) == ((), 1)
    quick = course(soaking(0.0))
    quick.run(then([200]))
    assert (quick.tellings, len(quick.verification.untold)) == ([], 2)
