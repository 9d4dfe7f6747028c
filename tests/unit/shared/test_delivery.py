import asyncio

import pytest

from shared.delivery import (
    BACKOFF_SECONDS_FIRST,
    BACKOFF_SECONDS_MAX,
    REASON_CHARACTERS_MAX,
    backoff_seconds,
    failure_of,
    reason_of,
)


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [backoff_seconds(attempt) for attempt in range(1, 30)]
    assert pauses[:3] == [BACKOFF_SECONDS_FIRST, BACKOFF_SECONDS_FIRST * 2, BACKOFF_SECONDS_FIRST * 4]
    assert pauses == sorted(pauses)
    assert pauses[-1] == BACKOFF_SECONDS_MAX


def test_a_pause_can_be_told_however_often_it_failed() -> None:
    assert backoff_seconds(1_000_000) == BACKOFF_SECONDS_MAX


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("päckchen 📦", "päckchen 📦", id="text"),
        pytest.param("caf\udce9", "caf\\udce9", id="half a character"),
    ],
)
def test_a_reason_is_text_that_an_event_can_carry(text: str, reason: str) -> None:
    assert reason_of(text) == reason


def test_a_long_reason_keeps_both_its_ends() -> None:
    reason = reason_of("begin" + "x" * 10**6 + "end")
    assert reason.startswith("begin")
    assert reason.endswith("end")
    assert len(reason) < 2 * REASON_CHARACTERS_MAX + 10


async def test_what_an_act_raises_is_an_answer() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    assert isinstance(await failure_of(fail()), ZeroDivisionError)
    assert await failure_of(asyncio.sleep(0)) is None


async def test_awaiting_something_cancelled_is_a_failure() -> None:
    async def wait_for_the_cancelled() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    assert isinstance(await failure_of(wait_for_the_cancelled()), asyncio.CancelledError)


async def test_being_cancelled_is_no_failure_and_goes_through() -> None:
    task = asyncio.ensure_future(failure_of(asyncio.Event().wait()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
