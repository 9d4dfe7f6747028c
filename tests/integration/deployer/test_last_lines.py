"""A step's output is published as it comes, and the last of it together with the step's answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from services.deployer.adapters.fakes import FakeCarrier
from services.deployer.step_moves import StepMoves
from services.deployer.step_order import StepAnswer, StepOrder
from shared.events import LogAppended, LogLine, StepSucceeded
from shared.faults import TryAgain
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step

STEPS = (step("talk"),)
TURNS_MAX = 500  # of the loop, a tenth of a second each: less than the step's limit


@dataclass
class Talkative(FakeCarrier):
    """Says some lines while it runs, and some as it ends."""

    meanwhile: Sequence[str] = ()
    at_the_end: Sequence[Sequence[str]] = ()  # batches
    ends: asyncio.Event = field(default_factory=asyncio.Event)  # told to
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        await self.ends.wait()
        self.over.set()
        return await super().run(order, called_off)

    async def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        if self.meanwhile[first_line:]:
            yield _lines(self.meanwhile[first_line:])
        await self.over.wait()
        said = len(self.meanwhile)
        for batch in self.at_the_end:
            if new := batch[max(first_line - said, 0) :]:
                yield _lines(new)
            said += len(batch)


def _lines(texts: Sequence[str]) -> list[LogLine]:
    return [LogLine(at=EPOCH, text=text) for text in texts]


def told(stand: Stand) -> list[tuple[int, list[str], bool]]:
    return [
        (each.first_line, [line.text for line in each.lines], each.last) for each in stand.said(LogAppended)
    ]


async def carried(stand: Stand, carrier: Talkative) -> list[tuple[int, list[str], bool]]:
    """Return what was published of a step that ends as soon as it may."""
    stand.carrier = carrier
    carrier.ends.set()
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=STEPS, stages=("staging",))))
        await stand.until_said(StepSucceeded)
        await stand.until_said(LogAppended, last=True)
    return told(stand)


async def test_the_last_lines_are_said_with_the_answer(stand: Stand) -> None:
    assert await carried(stand, Talkative(at_the_end=[["one", "two"]])) == [(0, ["one", "two"], True)]


async def test_a_step_that_says_nothing_closes_its_log(stand: Stand) -> None:
    assert await carried(stand, Talkative()) == [(0, [], True)]


@pytest.mark.parametrize("batches", [2, 3, 10])
async def test_of_several_batches_at_the_end_each_line_is_said_once_and_in_order(
    stand: Stand, batches: int
) -> None:
    said = await carried(stand, Talkative(at_the_end=[[f"{each} a", f"{each} b"] for each in range(batches)]))
    assert [text for _, texts, _ in said for text in texts] == [
        f"{number} {which}" for number in range(batches) for which in "ab"
    ]
    assert [first for first, _, _ in said] == [2 * number for number in range(batches)]
    assert [last for _, _, last in said] == [False] * (batches - 1) + [True]


async def test_what_is_said_while_it_runs_is_published_at_once(stand: Stand) -> None:
    stand.carrier = carrier = Talkative(meanwhile=["begun"], at_the_end=[["done"]])
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=STEPS, stages=("staging",))))
        await stand.until_said(LogAppended)
        assert told(stand) == [(0, ["begun"], False)]
        assert not stand.said(StepSucceeded)
        carrier.ends.set()
        await stand.until_said(LogAppended, last=True)
    assert told(stand) == [(0, ["begun"], False), (1, ["done"], True)]


async def test_what_was_said_before_a_crash_is_not_said_again(stand: Stand) -> None:
    stand.carrier = carrier = Talkative(meanwhile=["begun"], at_the_end=[["done"]])
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=STEPS, stages=("staging",))))
        await stand.until_said(LogAppended)
    async with stand.running():
        carrier.ends.set()
        await stand.until_said(LogAppended, last=True)
    assert told(stand) == [(0, ["begun"], False), (1, ["done"], True)]


async def test_lines_do_not_wait_again_for_an_answer_that_could_not_be_written(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unwritable(*_: object) -> None:
        raise TryAgain("the answer cannot be written")

    with monkeypatch.context() as broken:
        broken.setattr(StepMoves, "take", unwritable)
        stand.carrier = carrier = Talkative(at_the_end=[["one", "two"]])
        carrier.ends.set()
        async with stand.running():
            await stand.say(planned(1, plan(1, steps=STEPS, stages=("staging",))))
            await asyncio.wait_for(carrier.over.wait(), 50)
            for _ in range(TURNS_MAX):
                if stand.said(LogAppended):
                    break
                stand.clock.advance(0.1)
                await asyncio.sleep(0)
            assert told(stand) == [(0, ["one", "two"], False)]
