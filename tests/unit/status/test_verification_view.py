"""What is shown of verifications: every round once, however many there are and whoever made them."""

from hypothesis import given
from hypothesis import strategies as st

from services.status.projection import Kind, fold
from services.status.verification_rounds import IN_FULL, IN_RUN
from services.status.views import VerificationStory, VerificationView
from shared.events import (
    Diagnostics,
    Evidence,
    LogLine,
    ProbeRound,
    RunFailed,
    VerificationFailed,
    VerificationPassed,
)
from tests.builders import named
from tests.unit.status.looked import asked, at, passed, probe, probed, round_of, rounds, verification
from tests.unit.status.told import Told

RUN_BYTES_MAX = 100_000


def begun(soak_seconds: float = 0.0) -> Told:
    return asked(Told().declared().queued(1).started(1), soak_seconds)


def story(told: Told) -> VerificationStory:
    view = told.views[Kind.VERIFICATION, str(named("verification"))].view
    assert isinstance(view, VerificationStory)
    return view


def shown(told: Told) -> VerificationView:
    (view,) = told.run(1).verifications
    return view


def numbers(view: VerificationView) -> list[int]:
    return [each.number for each in view.rounds]


def failed(told: Told, *seen: ProbeRound, evidence: Evidence | None = None) -> Told:
    evidence = evidence or Evidence(phase="verify", kind="probe", message="GET / answered 503")
    return told.tell(VerificationFailed(**verification(told), evidence=evidence, rounds=seen))


def test_every_round_is_told_until_there_are_many_then_the_first_and_the_last() -> None:
    told = begun()
    for first in range(1, 300, 5):
        probed(told, *rounds(first, first + 4))
    view = story(told)
    assert numbers(view) == [*range(1, 21), *range(201, 301)]
    assert (view.rounds_left_out, view.rounds_made, view.rounds_good) == (180, 300, 300)
    brief = shown(told)
    assert numbers(brief) == [1, 2, 297, 298, 299, 300]
    assert (brief.rounds_left_out, brief.rounds_made) == (294, 300)


def test_what_was_told_before_is_not_told_again() -> None:
    told = passed(probed(begun(), *rounds(1, 5)), *rounds(1, 7))
    assert numbers(story(told)) == [1, 2, 3, 4, 5, 6, 7]
    assert (shown(told).rounds_made, shown(told).passed) == (7, True)
    assert numbers(shown(told)) == [7]


def test_a_verifier_that_was_away_counts_anew_and_both_counts_stay() -> None:
    told = probed(begun(), *rounds(1, 3))
    probed(told, *rounds(1, 2, since=100))
    probed(told, *rounds(1, 4, since=100))
    view = story(told)
    assert numbers(view) == [1, 2, 3, 1, 2, 3, 4]
    assert [each.at for each in view.rounds] == [at(0), at(1), at(2), at(100), at(101), at(102), at(103)]
    assert (view.rounds_made, view.last_round, view.counted_since) == (7, 4, at(100))


def test_one_on_a_host_whose_clock_is_behind_is_not_taken_for_the_one_before() -> None:
    view = story(probed(probed(begun(), *rounds(1, 3)), *rounds(1, 2, since=-50)))
    assert [each.at for each in view.rounds[3:]] == [at(-50), at(-49)]


def test_a_new_count_is_known_by_its_time_where_its_first_round_was_not_told() -> None:
    view = story(probed(probed(begun(), *rounds(1, 9)), round_of(4, 100), round_of(5, 101)))
    assert (numbers(view)[-2:], view.rounds_made, view.counted_since) == ([4, 5], 11, at(100))


def test_a_watch_that_begins_anew_is_counted_anew() -> None:
    told = probed(begun(soak_seconds=60), *rounds(1, 5), soaks_until=at(60))
    assert (shown(told).soak_rounds_made, shown(told).soak_rounds_good) == (5, 5)
    probed(told, *rounds(1, 2, since=100), soaks_until=at(160))
    assert (shown(told).soak_rounds_made, shown(told).soak_rounds_good) == (2, 2)


def test_rounds_that_nobody_told_of_are_counted_by_their_numbers() -> None:
    view = story(probed(begun(), round_of(1, 0), round_of(2, 1), round_of(40, 39)))
    assert (view.rounds_made, view.rounds_untold, view.rounds_left_out) == (3, 37, 37)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.lists(st.integers(0, 10), max_size=30))
def test_however_rounds_are_told_and_told_over_each_is_there_once(sizes: list[int], again: list[int]) -> None:
    told, number = begun(), 0
    for place, size in enumerate(sizes):
        back = again[place] if place < len(again) else 0
        probed(told, *rounds(max(number - back, 0) + 1, number + size))
        number += size
    view = story(told)
    assert len(view.rounds) + view.rounds_left_out == view.rounds_made == number
    assert numbers(view)[:20] == [*range(1, min(number, 20) + 1)]
    assert numbers(view)[-1] == number


def test_a_round_with_very_many_probes_shows_those_that_failed_and_counts_the_others() -> None:
    good = [probe(0, url=f"http://x/{number}") for number in range(25)]
    bad = probe(0, good=False, url="http://x/bad")
    view = story(probed(begun(), ProbeRound(number=1, at=at(0), probes=(*good, bad), further=3)))
    (seen,) = view.rounds
    assert (seen.probes[0], len(seen.probes), seen.further) == (bad, IN_FULL.probes, 3 + 16)
    assert view.rounds_good == 0


def test_a_soak_is_a_moment_of_its_run_and_its_rounds_are_counted_for_themselves() -> None:
    told = probed(begun(soak_seconds=60), round_of(1, 0, good=False), round_of(2, 1))
    assert (shown(told).soak, shown(told).problem) == ("not_begun", "")
    before = len(told.run(1).timeline)
    until = at(2 + 60)
    probed(told, round_of(3, 2), soaks_until=until)
    probed(told, *(round_of(number, number) for number in range(4, 17)), soaks_until=until)
    view = shown(told)
    assert (view.soak, view.soaks_until) == ("watching", until)
    assert (view.soak_rounds_made, view.soak_rounds_good, view.rounds_made) == (14, 14, 16)
    (moment,) = told.run(1).timeline[before:]
    assert moment.text == "Verified, and watched until 09:31:02 UTC (soak)"
    passed(told, round_of(17, 17, good=False))
    assert shown(told).soak == story(told).soak == "passed"
    last = told.run(1).timeline[-1].text
    assert last == "Stayed good for as long as it was watched (soak): 14 of 15 rounds good"


def test_a_release_that_fails_while_it_is_watched_says_so() -> None:
    told = probed(begun(soak_seconds=60), *rounds(1, 2), soaks_until=at(61))
    failed(told, round_of(3, 30, good=False))
    assert (shown(told).soak, story(told).soak) == ("failed", "failed")
    said = told.run(1).timeline[-1].text
    assert said == "Verification failed while it was watched (soak): GET / answered 503"
    assert shown(told).problem == "http://127.0.0.1:8081/health refused the connection"


def test_one_that_never_met_its_criteria_was_never_watched() -> None:
    assert shown(failed(begun(soak_seconds=60))).soak == "not_begun"
    assert shown(passed(begun())).soak == "none"


DIAGNOSED = Evidence(
    phase="verify",
    kind="probe",
    message="GET / answered 503",
    probes=tuple(probe(number, good=False) for number in range(40)),
    log_tail=tuple(LogLine(at=at(0), text="x" * 120) for _ in range(100)),
    diagnostics=Diagnostics(
        at=at(0),
        process="running",
        listening=("127.0.0.1:5000",),
        log_tail=(LogLine(at=at(0), text="boom"),),
    ),
)


def test_what_was_found_on_the_target_is_shown_and_the_output_only_once_in_a_document() -> None:
    told = failed(begun(), evidence=DIAGNOSED)
    found = shown(told).diagnostics
    assert found is not None
    assert (found.listening, found.log_tail) == (("127.0.0.1:5000",), ())
    evidence = shown(told).evidence
    assert evidence is not None
    assert (evidence.log_tail, evidence.message, shown(told).probes) == ((), "GET / answered 503", 40)
    assert story(told).evidence == DIAGNOSED


def test_a_run_with_an_endless_verification_stays_small() -> None:
    told = begun(soak_seconds=3600)
    checks = tuple(probe(0, good=False, body_head="b" * 200, problem="p" * 100) for _ in range(10))
    for number in range(1, 400):
        probed(told, ProbeRound(number=number, at=at(number), probes=checks), soaks_until=at(3600))
    assert len(told.run(1).model_dump_json()) < RUN_BYTES_MAX
    failed(told, evidence=DIAGNOSED)
    told.tell(RunFailed(**told.about(1), state="Failed", failed_in="verification", evidence=DIAGNOSED))
    assert len(told.run(1).model_dump_json()) < RUN_BYTES_MAX
    assert len(story(told).rounds) == IN_FULL.first + IN_FULL.last
    assert len(shown(told).rounds) == IN_RUN.first + IN_RUN.last


def test_a_final_run_is_not_changed_by_what_is_still_seen_of_it() -> None:
    told = probed(begun(), *rounds(1, 2)).cancelled(1)
    before = told.run(1)
    probed(told, *rounds(3, 4), soaks_until=at(60))
    assert told.run(1) == before
    assert story(told).rounds_made == 4


def test_nothing_is_added_to_a_verification_that_is_answered() -> None:
    told = passed(probed(begun(), *rounds(1, 2)))
    assert story(probed(told, *rounds(3, 4))).rounds_made == 2


def test_a_verification_whose_beginning_was_never_heard_shows_what_was() -> None:
    told = passed(probed(Told().queued(1).started(1), *rounds(1, 2)))
    assert (story(told).rounds_made, story(told).passed, story(told).revision) == (2, True, 1)
    assert told.run(1).verifications == ()


def test_a_verdict_of_an_earlier_release_has_no_rounds() -> None:
    told = begun()
    old = VerificationPassed.model_validate({**verification(told), "probes": [probe(0).model_dump()]})
    view = shown(told.tell(old))
    assert (view.passed, view.probes, view.rounds, view.rounds_made) == (True, 1, (), 0)
    assert told.run(1).timeline[-1].text == "Verified by 1 probes"


def test_the_stage_shows_how_far_the_run_that_holds_it_has_come() -> None:
    told = probed(begun(soak_seconds=10), *rounds(1, 3), soaks_until=at(12))
    assert told.stage.running is not None
    (verifying,) = told.stage.running.verifying
    assert (verifying.rounds_made, verifying.soaks_until, verifying.soak_rounds_made) == (3, at(12), 1)
    passed(told)
    assert told.stage.running is not None
    assert told.stage.running.verifying == ()


def test_a_run_that_does_not_hold_the_stage_changes_nothing_of_it() -> None:
    told = begun().queued(2)
    before = told.stage
    probed(asked(told, revision=2, name="other"), round_of(1, 0), revision=2, name="other")
    assert told.stage == before


def test_rounds_heard_in_one_batch_are_those_heard_one_by_one() -> None:
    told = probed(probed(begun(soak_seconds=5), *rounds(1, 30)), *rounds(25, 200), soaks_until=at(150))
    passed(told, *rounds(190, 205))
    assert fold({}, told.heard) == told.views
