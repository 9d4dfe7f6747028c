"""Those who follow the same are told from one reading, and nobody misses a commit for it."""

import asyncio
import gc
from dataclasses import dataclass, field

import pytest

from services.status.routes.streaming import Changes, Page, Said
from services.status.routes.together import PAGES_MAX, OneReading, Together


class Silent:
    """A database in which nothing is committed."""

    def on_commit(self, hear: object) -> None:
        """Take no note of who would hear."""


@dataclass(frozen=True)
class Spring:
    """A source that says where it was asked from, as often as it is asked; it may be held up or broken."""

    name: str
    asked: list[int] = field(default_factory=list, compare=False)
    asked_once: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    flows: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    breaks: list[Exception] = field(default_factory=list, compare=False)

    async def read_on(self, after: int) -> Page:
        self.asked.append(after)
        self.asked_once.set()
        await self.flows.wait()
        if self.breaks:
            raise self.breaks.pop()
        return Page([Said(after + 1, "lines", len(self.asked))])


@pytest.fixture
def changes() -> Changes:
    return Changes(Silent())  # type: ignore[arg-type]


@pytest.fixture
def spring() -> Spring:
    spring = Spring("spring")
    spring.flows.set()
    return spring


async def test_a_commit_is_read_once_for_all(changes: Changes, spring: Spring) -> None:
    reading = OneReading(spring, changes)
    pages = await asyncio.gather(*(reading.read_on(3) for _ in range(100)))
    pages += [await reading.read_on(3) for _ in range(100)]
    assert spring.asked == [3]
    assert len({id(said.encoded) for page in pages for said in page.said}) == 1  # encoded once, too


async def test_after_a_commit_it_is_read_again(changes: Changes, spring: Spring) -> None:
    reading = OneReading(spring, changes)
    await reading.read_on(3)
    changes.doubt()
    assert (await reading.read_on(3)).said[0].data == 2


async def test_what_was_committed_during_a_reading_is_read_too(changes: Changes) -> None:
    spring = Spring("spring")
    reading = OneReading(spring, changes)
    first = asyncio.create_task(reading.read_on(3))
    await spring.asked_once.wait()
    changes.doubt()
    second = asyncio.create_task(reading.read_on(3))
    spring.flows.set()
    assert [(await each).said[0].data for each in (first, second)] == [1, 2]


async def test_who_is_elsewhere_is_told_what_lies_behind_there(changes: Changes, spring: Spring) -> None:
    reading = OneReading(spring, changes)
    pages = [await reading.read_on(cursor) for cursor in (3, 9, 3)]
    assert [page.said[0].cursor for page in pages] == [4, 10, 4]
    assert spring.asked == [3, 9]


async def test_of_many_places_the_oldest_are_read_anew(changes: Changes, spring: Spring) -> None:
    reading = OneReading(spring, changes)
    places = list(range(PAGES_MAX + 1))
    pages = [await reading.read_on(place) for place in [*places, places[-1], places[0]]]
    assert [page.said[0].cursor for page in pages] == [
        place + 1 for place in [*places, places[-1], places[0]]
    ]
    assert spring.asked == [*places, places[0]]


async def test_one_who_leaves_while_it_is_read_takes_nothing_from_the_others(changes: Changes) -> None:
    spring = Spring("spring")
    reading = OneReading(spring, changes)
    leaving, staying = (asyncio.create_task(reading.read_on(3)) for _ in range(2))
    await spring.asked_once.wait()
    leaving.cancel()
    spring.flows.set()
    assert (await staying).said[0].cursor == 4
    assert spring.asked == [3, 3]


async def test_a_reading_that_fails_is_not_kept(changes: Changes, spring: Spring) -> None:
    spring.breaks.append(OSError("the disk"))
    reading = OneReading(spring, changes)
    with pytest.raises(OSError, match="the disk"):
        await reading.read_on(3)
    assert (await reading.read_on(3)).said[0].cursor == 4


async def test_sources_that_say_the_same_are_read_together_as_long_as_they_are_followed(
    changes: Changes,
) -> None:
    together = Together(changes)
    one, same, other = (together.reading(Spring(name)) for name in ("a", "a", "b"))
    assert one is same
    assert one is not other
    del one, same
    gc.collect()
    assert len(together._readings) == 1
