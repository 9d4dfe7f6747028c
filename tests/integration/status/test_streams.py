"""What goes on: followed output, and the history as it is made."""

import pytest

from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, lines, planned
from tests.integration.status.stream import Stream, texts
from tests.unit.status.told import Told

pytestmark = pytest.mark.parametrize("town", STORES, indirect=True)


async def test_followed_output_arrives_as_it_comes_and_ends_when_all_is_said(town: Town) -> None:
    await town.say(planned(), lines(0, "one"))
    async with Stream(town, "/logs/log/1?follow=true") as stream:
        assert (await stream.next())[2]["lines"][0]["text"] == "one"
        await town.say(lines(1, "two"))
        assert (await stream.next())[2]["lines"][0]["text"] == "two"
        await town.say(lines(2, "three", last=True))
        assert [text async for text in texts(stream)] == ["three"]
        await stream.answer


async def test_a_followed_revision_ends_when_nothing_more_follows(town: Town) -> None:
    told = Told().queued(1).started(1)
    await town.say(planned(), *(message.body for message in told.heard), lines(0, "one"))
    async with Stream(town, "/pipelines/shop/revisions/1/logs?follow=true") as stream:
        assert (await stream.next())[1] == "lines"
        await town.say(told.failed(1).heard[-1].body)
        await town.say(lines(1, "the last words", last=True))
        assert [text async for text in texts(stream)] == ["the last words"]
        await stream.answer


async def test_a_followed_revision_waits_for_output_that_comes_behind_its_steps_end(town: Town) -> None:
    told = Told().queued(1).started(1).step_started(1, log="log/1").failed(1)
    await town.say(planned(), *(message.body for message in told.heard))
    async with Stream(town, "/pipelines/shop/revisions/1/logs?follow=true") as stream:
        await town.say(planned(2))  # it looks again, and still nothing was heard of the step's log
        await town.say(lines(0, "late", last=True))
        assert [text async for text in texts(stream)] == ["late"]
        await stream.answer


async def test_the_history_goes_on_as_a_stream_from_where_it_was_broken_off(town: Town) -> None:
    await town.say(planned())
    async with Stream(town, "/events", accept="text/event-stream") as stream:
        await stream.begun.wait()
        await town.say(planned(2))
        cursor, name, event = await stream.next()
        assert (name, event["body"]["revision"]) == ("event", 2)
    await town.say(planned(3))
    headers = {"accept": "text/event-stream", "last-event-id": str(cursor)}
    async with Stream(town, "/events", **headers) as stream:
        assert (await stream.next())[2]["body"]["revision"] == 3
    async with Stream(town, "/events?cursor=0", accept="text/event-stream") as stream:
        assert (await stream.next())[2]["body"]["revision"] == 1


async def test_there_is_a_most_of_streams_that_may_be_open(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.routes.streaming.STREAMS_MAX", 0)
    await town.say(planned(), lines(0, "one"))
    assert (await get(town, "/logs/log/1", 503, follow=True))["next"]
