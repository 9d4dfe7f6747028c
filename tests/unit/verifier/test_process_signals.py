"""What the processes of a service tell, beside its answers."""

from services.verifier.checks import AnyCheck, ProcessCheck
from services.verifier.judgement import Failed, Passed
from services.verifier.signals import Signals
from tests.unit.verifier.courses import PLACE, Play, course, request, target

ENDED = Signals("exited", running=0, message="exited with 3")


def signals(*seen: Signals | None, status: int = 200) -> Play:
    """Show the process as one thing after another, and answer every path with a status."""

    def play(check: AnyCheck, number: int) -> int | Signals | None:
        return seen[min(number, len(seen)) - 1] if isinstance(check, ProcessCheck) else status

    return play


def runs(restarts: int = 0) -> Signals:
    return Signals("running", restarts=restarts)


def test_a_candidate_whose_process_ended_fails_at_once() -> None:
    played = course(request(target(place=PLACE), step="web"))
    verdict = played.run(signals(runs(), ENDED, status=502))
    assert isinstance(verdict, Failed)
    assert played.seconds == 1.0
    assert verdict.evidence.message == ("the process of web exited with 3 (1 of 2 probes failed)")
    assert verdict.evidence.probes[0].fault == "ended"
    assert (verdict.evidence.what, verdict.evidence.kind) == ("web", "probe")


def test_an_answer_of_somebody_else_does_not_save_a_candidate_that_ended() -> None:
    verdict = course(request(target(place=PLACE, successes=1), step="web")).run(signals(ENDED))
    assert isinstance(verdict, Failed)
    assert verdict.evidence.probes[0].problem == "exited with 3"


def test_one_that_is_started_again_has_until_the_deadline() -> None:
    played = course(request(target(place=PLACE)))
    verdict = played.run(signals(ENDED, ENDED, runs(1)))
    assert isinstance(verdict, Passed)
    assert played.played == 5, "two in a row after it was there again, and the same"


def test_a_restart_during_the_proof_is_a_failed_round() -> None:
    played = course(request(target(place=PLACE)))
    assert isinstance(played.run(signals(runs(2), runs(3), runs(3))), Passed)
    assert played.played == 4
    faults = [probe.fault for round_ in played.verification.untold for probe in round_.probes]
    assert faults.count("restarted") == 1


def test_one_that_crashes_again_and_again_never_passes() -> None:
    def crashing(check: AnyCheck, number: int) -> int | Signals:
        return runs(number) if isinstance(check, ProcessCheck) else 200

    verdict = course(request(target(place=PLACE))).run(crashing)
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message.startswith("the process of web ended and was started again (5 of 6")


def test_what_cannot_be_seen_from_here_accuses_nobody() -> None:
    played = course(request(target(place=PLACE), step="web"))
    verdict = played.run(signals(None))
    assert isinstance(verdict, Passed)
    assert {probe.kind for probe in verdict.probes} == {"http"}


def test_a_process_that_runs_is_no_excuse_for_bad_answers() -> None:
    verdict = course(request(target(place=PLACE), step="web")).run(signals(runs(), status=500))
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message.startswith("GET http://127.0.0.1:9000/ gave 500")
