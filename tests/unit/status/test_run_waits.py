"""What a run waited for, for how long, and how much of its time that took."""

from datetime import datetime, timedelta

from shared.events import RunWaiting, Wait
from shared.events.waits import WaitReason
from tests.builders import START
from tests.unit.status.told import Told


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def wait(reason: WaitReason, since: datetime, said: str = "so") -> Wait:
    return Wait(reason=reason, blocked_by=said, released_by="its end", since=since)


def spans(told: Told) -> list[tuple[str, float | None]]:
    return [(span.wait.reason, span.seconds) for span in told.run(1).waits]


def waits(told: Told, reason: WaitReason, said: str = "so") -> Told:
    return told.waits(1, wait(reason, told.now, said))


def test_each_wait_is_kept_with_how_long_it_was() -> None:
    told = Told().queued(1, wait=wait("previous_stage", at(1)))
    waits(told, "lock").started(1)
    waits(told, "build").waits(1, None)
    assert spans(told) == [("previous_stage", 1), ("lock", 1), ("build", 1)]
    assert [span.until for span in told.run(1).waits] == [at(2), at(3), at(5)]
    assert told.run(1).wait is None


def test_the_wait_now_is_among_them_and_has_no_end_yet() -> None:
    told = waits(Told().queued(1, wait=None).started(1), "approval")
    assert spans(told) == [("approval", None)]
    assert told.run(1).waits[-1].wait == told.run(1).wait


def test_a_wait_whose_sentence_changes_stays_one() -> None:
    told = Told().queued(1, wait=None).started(1)
    since = told.now
    for have in ("0 of 2", "1 of 2", "1 of 2"):
        told.waits(1, wait("approval", since, have))
    (span,) = told.run(1).waits
    assert (span.wait.blocked_by, span.until) == ("1 of 2", None)
    assert spans(told.waits(1, None)) == [("approval", 3)]


def test_a_limit_that_moves_is_taken_also_where_the_wait_stays_and_is_no_moment() -> None:
    told = Told().queued(1, wait=None).started(1)
    said = wait("bake", told.now)
    for number, waited in enumerate((None, said), start=2):
        told.waits(1, waited, at(60))
        before = told.run(1)
        told.waits(1, waited, at(3600 * number))
        run, slot = told.run(1), told.stage.running
        assert slot is not None
        assert run.deadline == slot.deadline == at(3600 * number)
        assert (run.timeline, run.waits, run.wait) == (before.timeline, before.waits, waited)
        told.waits(1, waited)  # nobody said
        assert told.run(1) == run


def test_a_run_that_is_over_has_its_queueing_its_waiting_and_its_working_apart() -> None:
    told = Told().queued(1, wait=wait("lock", at(1))).stopped().resumed().started(1)
    waits(told, "approval").stopped().waits(1, None).succeeded(1)
    run = told.run(1)
    assert (run.queued_seconds, run.waiting_seconds, run.running_seconds) == (3, 2, 2)
    assert run.finished_at == at(8)


def test_waits_that_overlap_take_their_time_once() -> None:
    told = Told().queued(1, wait=None).started(1)  # at 2
    told.waits(1, wait("approval", at(3)))
    told.waits(1, wait("bake", at(3), "it stood beside"))  # at 4: the approval is given
    told.waits(1, None).succeeded(1)  # at 5 and 6
    run = told.run(1)
    assert spans(told) == [("approval", 1), ("bake", 2)]
    assert (run.waiting_seconds, run.running_seconds) == (2, 2)


def test_a_run_that_never_started_only_queued() -> None:
    told = Told().queued(1).superseded(1, 2)
    run = told.run(1)
    assert (run.queued_seconds, run.waiting_seconds, run.running_seconds) == (1, 0, None)
    assert run.waits[-1].until == at(2)


def test_clocks_that_disagree_make_no_time_negative() -> None:
    told = Told().queued(1, wait=wait("lock", at(900))).started(1)
    told.tell(RunWaiting(**told.about(1), wait=wait("build", at(900)))).waits(1, None).succeeded(1)
    run = told.run(1)
    assert all((span.seconds or 0) >= 0 for span in run.waits)
    assert (run.waiting_seconds, run.running_seconds) == (0, 3)
