"""Work that is not possible now, breaks, or cannot even be given up."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from shared.faults import TryAgain
from shared.work import Claim
from shared.work.workers import ATTEMPTS_MAX
from tests.builders import order
from tests.contract.installation import Installation, running
from tests.contract.notes import noted
from tests.contract.unreliable import Unreliable
from tests.contract.work.bench import Bench, Gate, ask_for, name_of, raising


async def let_pass(installation: Installation, seconds: int) -> None:
    """Let time pass as it does: a second after the other, each with all that happens in it."""
    for _ in range(seconds):
        await installation.quiet()
        installation.clock.advance(1.0)
    await installation.quiet()


async def through_all_attempts(installation: Installation, condition: Callable[[], bool]) -> None:
    """Let as much time pass as it takes until `condition`, up to all the pauses there can be."""
    for _ in range(ATTEMPTS_MAX * 10):
        await installation.quiet()
        if condition():
            return
        installation.clock.advance(10.0)
    raise AssertionError("it did not come true in all that time")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(TryAgain("busy"), id="not possible now"),
        pytest.param(ZeroDivisionError("a bug"), id="a bug"),
        pytest.param(asyncio.CancelledError(), id="cancelled by nobody"),
        pytest.param(ValueError("caf\udce9"), id="a reason that is no text"),
        pytest.param(ExceptionGroup("many", [TryAgain("a"), ValueError("b")]), id="a group of errors"),
    ],
)
async def test_what_fails_is_handed_back_and_done_later(
    installation: Installation, fault: BaseException
) -> None:
    bench = Bench(installation.database)
    bench.work_on = raising(fault)
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        await installation.quiet()
        assert bench.ended == []
        await let_pass(installation, 2)
        await installation.until(lambda: bench.ended == ["a"])
    assert [claim.attempts for claim in bench.begun] == [0, 1]
    assert [claim.fence for claim in bench.begun] == [1, 2]


async def test_a_database_that_is_away_is_told_of_once_and_so_is_its_return(
    installation: Installation,
) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    with structlog.testing.capture_logs() as logged:
        async with running(bench.run()):
            await let_pass(installation, 2)
            database.away = True
            await let_pass(installation, 30)
            database.away = False
            await let_pass(installation, 3)
    about_claims = [line for line in logged if line["event"].startswith("work.claim")]
    assert [line["event"] for line in about_claims] == ["work.claim_failed", "work.claimed_again"]
    assert about_claims[0]["reason"] == "the database is away"
    assert 28 <= about_claims[1]["lasted_seconds"] <= 32


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(TryAgain("the disk is away"), "the disk is away", id="not possible"),
        pytest.param(ZeroDivisionError("a bug"), "ZeroDivisionError: a bug", id="a bug"),
        pytest.param(ValueError("caf\udce9"), "caf\\udce9", id="a reason that is no text"),
    ],
)
async def test_what_never_succeeds_is_given_up_at_the_limit(
    installation: Installation, fault: Exception, why: str
) -> None:
    bench = Bench(installation.database)
    bench.work_on = raising(*[fault] * 99)
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await through_all_attempts(installation, lambda: "a" in bench.given_up)
        await let_pass(installation, 20)
    assert bench.tried == ["a"] * ATTEMPTS_MAX
    assert bench.given_up["a"].endswith(why)
    assert await noted(installation.database, "given up") == ["a"]
    assert await noted(installation.database, "finished") == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(TryAgain("busy"), id="not possible now"),
        pytest.param(ZeroDivisionError("a bug"), id="a bug"),
        pytest.param(asyncio.CancelledError(), id="cancelled by nobody"),
    ],
)
async def test_giving_up_that_fails_is_tried_again_and_harms_nobody(
    installation: Installation, fault: BaseException
) -> None:
    bench = Bench(installation.database)

    async def work_on(claim: Claim) -> None:
        if name_of(claim) == "hopeless":
            raise ZeroDivisionError

    fail, failed_to_give_up = raising(fault, fault), list[Claim]()

    async def giving_up(claim: Claim) -> None:
        failed_to_give_up.append(claim)
        await fail(claim)

    bench.work_on, bench.giving_up = work_on, giving_up
    async with running(bench.run()):
        await ask_for(installation.database, order("hopeless"))
        await through_all_attempts(installation, lambda: bool(failed_to_give_up))
        await ask_for(installation.database, order("sound"))
        await installation.until(lambda: bench.ended == ["sound"])
        assert bench.given_up == {}
        await through_all_attempts(installation, lambda: "hopeless" in bench.given_up)
    assert await noted(installation.database, "given up") == ["hopeless"]


async def test_one_that_breaks_leaves_the_others_alone(installation: Installation) -> None:
    bench = Bench(installation.database, slots=3)
    gate = Gate()

    async def work_on(claim: Claim) -> None:
        if name_of(claim) == "broken":
            raise ZeroDivisionError
        await gate(claim)

    bench.work_on = work_on
    async with running(bench.run()):
        await ask_for(installation.database, order("a"), order("broken"), order("b"))
        await let_pass(installation, 3)
        gate.open()
        await installation.until(lambda: sorted(bench.ended) == ["a", "b"])
    assert {claim.fence for claim in bench.begun if name_of(claim) != "broken"} == {1}


async def test_a_worker_that_ends_without_a_result_has_failed(installation: Installation) -> None:
    bench = Bench(installation.database)

    async def forget(_claim: Claim) -> None:
        """Return as if all were done."""

    bench.finish = forget  # type: ignore[method-assign, assignment]
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await through_all_attempts(installation, lambda: "a" in bench.given_up)
    assert bench.tried == ["a"] * ATTEMPTS_MAX
    assert "without a result" in bench.given_up["a"]


async def test_work_starts_when_its_database_is_back(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    database.away = True
    await ask_for(installation.database, order("a"))
    async with running(bench.run()):
        await let_pass(installation, 3)
        assert bench.begun == []
        database.away = False
        await let_pass(installation, 2)
        await installation.until(lambda: bench.ended == ["a"])


@pytest.mark.parametrize("only_writers", [False, True], ids=["for all", "for writers"])
async def test_a_claim_waits_for_a_database_that_is_away(
    installation: Installation, *, only_writers: bool
) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    async with running(bench.run()):
        await installation.quiet()
        database.away, database.away_for_writers = not only_writers, True
        await ask_for(installation.database, order("a"))
        await let_pass(installation, 3)
        assert bench.begun == []
        database.away = database.away_for_writers = False
        await let_pass(installation, 2)
        await installation.until(lambda: bench.ended == ["a"])


@pytest.mark.parametrize("seconds", [3, 60], ids=["shorter than a lease", "longer than a lease"])
async def test_work_under_way_outlasts_its_database_being_away(
    installation: Installation, seconds: int
) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        database.away = database.away_for_writers = True
        await let_pass(installation, seconds)
        database.away = database.away_for_writers = False
        await let_pass(installation, 2)
        gate.open()
        await installation.until(lambda: bench.ended == ["a"])
    assert len(bench.begun) == 1


async def test_a_result_waits_for_a_database_that_is_away(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        database.away_for_writers = True
        gate.open()
        await let_pass(installation, 10)
        assert bench.ended == []
        database.away_for_writers = False
        await let_pass(installation, 10)
        await installation.until(lambda: bench.ended == ["a"])
    assert await noted(installation.database, "finished") == ["a"]


async def test_a_result_that_was_written_unknown_to_its_worker_is_not_written_again(
    installation: Installation,
) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)

    async def lose_the_next_answer(_claim: Claim) -> None:
        database.answers_lost = 1

    bench.work_on = lose_the_next_answer
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await let_pass(installation, 40)
    assert bench.tried == ["a"]
    assert database.answers_lost == 0
    assert await noted(installation.database, "finished") == ["a"]


async def test_a_claim_that_was_made_unknown_to_its_worker_lapses(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    async with running(bench.run()):
        await installation.quiet()
        database.answers_lost = 1
        await ask_for(installation.database, order("a"))
        await let_pass(installation, 20)
        await installation.until(lambda: bench.ended == ["a"])
    assert [claim.fence for claim in bench.begun] == [2]


async def test_giving_up_waits_for_a_database_that_is_away(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)

    async def lose_the_database(claim: Claim) -> None:
        database.away_for_writers = claim.attempts + 1 >= ATTEMPTS_MAX
        raise TryAgain("never possible")

    bench.work_on = lose_the_database
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await through_all_attempts(installation, lambda: len(bench.begun) >= ATTEMPTS_MAX)
        await let_pass(installation, 3)
        assert bench.given_up == {}
        database.away_for_writers = False
        bench.work_on = raising(*[TryAgain("never possible")] * 99)
        await through_all_attempts(installation, lambda: "a" in bench.given_up)
    assert await noted(installation.database, "given up") == ["a"]


async def test_a_full_disk_delays_work_and_loses_none(installation: Installation) -> None:
    bench = Bench(installation.database, slots=1)
    names = [f"order {number} {'x' * 500}" for number in range(60)]
    await ask_for(installation.database, *map(order, names))
    async with installation.full(), running(bench.run()):
        await let_pass(installation, 5)
    stuck_at = len(bench.ended)
    async with running(bench.run()):
        await let_pass(installation, 30)
        await installation.until(lambda: len(bench.ended) == 60)
    assert stuck_at < 60
    assert sorted(await noted(installation.database, "finished")) == sorted(names)


async def test_a_stop_while_the_database_is_away_is_a_stop(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    bench.work_on = Gate()
    async with running(bench.run()) as (task,):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        database.away = database.away_for_writers = True
        task.cancel()
        await installation.until(task.done)
    after = Bench(installation.another())
    async with running(after.run()):
        await installation.until(lambda: after.ended == ["a"])
