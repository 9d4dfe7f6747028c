"""When the alarm of a stage's health fires, when it is held back, and when it is clear."""

import asyncio

from shared.events import (
    AlarmChanged,
)
from tests.integration.verifier.lookout import (
    BAD,
    GOOD,
    SILENT,
    Lookout,
    began,
    failed,
    succeeded,
)

ALARM = "health:shop/production"


async def test_the_alarm_fires_when_one_service_ails_and_is_clear_when_all_are_healthy(
    lookout: Lookout,
) -> None:
    async with lookout.watching():
        await lookout.healthy("web", "api")
        lookout.answers(SILENT, "api")
        lookout.answers(BAD, "web")
        await lookout.until(
            lambda: (lookout.health("web"), lookout.health("api")) == ("degraded", "unreachable")
        )
        await lookout.pass_time(120)
        lookout.answers(GOOD, "web")
        await lookout.until(lambda: lookout.health("web") == "healthy")
        await lookout.pass_time(60)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing"]
        lookout.answers(GOOD, "api")
        await lookout.until(lambda: lookout.health("api") == "healthy")
        await lookout.pass_time(120)
    fires, clear = lookout.said(AlarmChanged)
    assert (fires.alarm, fires.state, fires.source) == (ALARM, "firing", "windlass health")
    assert (clear.alarm, clear.state) == (ALARM, "clear")


async def test_no_alarm_fires_while_a_run_is_under_way_but_with_the_first_look_after_it(
    lookout: Lookout,
) -> None:
    async with lookout.watching():
        await lookout.healthy()
        await lookout.hear(began(2))
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.health() == "unreachable")
        await lookout.pass_time(300)
        assert lookout.said(AlarmChanged) == []
        await lookout.hear(failed(2))
        assert lookout.said(AlarmChanged) == []
        await lookout.pass_time(40)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing"]


async def test_a_run_that_follows_at_once_is_not_undone_for_what_the_one_before_left(
    lookout: Lookout,
) -> None:
    async with lookout.watching():
        await lookout.healthy()
        await lookout.hear(began(2))
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.health() == "unreachable")
        await lookout.hear(failed(2))
        await lookout.hear(began(3))
        await lookout.pass_time(300)
        assert lookout.said(AlarmChanged) == []


async def test_a_look_that_was_begun_in_a_run_says_no_alarm_after_it(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        await lookout.hear(began(2))
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.health() == "unreachable")
        lookout.prober.heard.clear()
        lookout.prober.hanging = asyncio.Event()
        await lookout.until(lookout.prober.heard.is_set)
        await lookout.hear(failed(2))
        made = lookout.looks()
        lookout.prober.hanging.set()
        await lookout.settle()
        assert lookout.looks() == made + 1
        assert lookout.said(AlarmChanged) == []
        await lookout.pass_time(40)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing"]


async def test_an_alarm_that_fired_before_a_run_is_not_said_again_in_it(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.said(AlarmChanged) != [])
        await lookout.hear(began(2))
        await lookout.pass_time(100)
        lookout.answers(GOOD)
        await lookout.until(lambda: lookout.health() == "healthy")
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.health() == "unreachable")
        await lookout.pass_time(100)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing", "clear"]


async def test_what_a_run_replaced_does_not_keep_the_alarm_firing(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.said(AlarmChanged) != [])
        lookout.answers(GOOD)
        await lookout.hear(succeeded(2))
        assert len(lookout.said(AlarmChanged)) == 1  # it is not known yet
        await lookout.pass_time(15)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing", "clear"]


async def test_an_alarm_is_clear_when_nothing_is_left_that_could_ail(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.said(AlarmChanged) != [])
        await lookout.hear(succeeded(2).model_copy(update={"targets": (), "services": ()}))
    assert [each.state for each in lookout.said(AlarmChanged)] == ["firing", "clear"]


async def test_unknown_neither_raises_nor_clears_the_alarm(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        lookout.answers(SILENT)
        await lookout.until(lambda: lookout.said(AlarmChanged) != [])
    lookout.clock.advance(7200)
    async with lookout.watching():
        await lookout.until(lambda: lookout.health() == "unknown")
        await lookout.pass_time(3)
        assert [each.state for each in lookout.said(AlarmChanged)] == ["firing"]
