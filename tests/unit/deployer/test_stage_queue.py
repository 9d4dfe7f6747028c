"""Who starts, waits and gives way: by example, and over every story of up to four revisions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from uuid import UUID

import pytest

from services.deployer.stage_queue import (
    Await,
    Entry,
    Queue,
    QueueDecision,
    Start,
    Supersede,
    admit_next,
    on_arrival,
)


def entry(revision: int) -> Entry:
    return Entry(UUID(int=revision), revision)


FREE = Queue(None, None, None)
ONE, TWO, THREE = entry(1), entry(2), entry(3)


@pytest.mark.parametrize(
    ("queue", "arriving", "decisions"),
    [
        pytest.param(FREE, ONE, [Start(ONE)], id="the first starts"),
        pytest.param(Queue(ONE, None, ONE), TWO, [Await(TWO)], id="behind a running one it waits"),
        pytest.param(
            Queue(ONE, TWO, TWO), THREE, [Supersede(TWO, by=THREE), Await(THREE)], id="the newest waits"
        ),
        pytest.param(Queue(None, None, ONE), TWO, [Start(TWO)], id="a free stage starts the next"),
        pytest.param(
            Queue(ONE, THREE, THREE), TWO, [Supersede(TWO, by=THREE)], id="an older one gives way at once"
        ),
        pytest.param(
            Queue(None, None, THREE), TWO, [Supersede(TWO, by=THREE)], id="also to one that came and went"
        ),
        pytest.param(
            Queue(None, None, None, admits=False), ONE, [Await(ONE)], id="a closed stage lets it wait"
        ),
        pytest.param(
            Queue(None, ONE, ONE, admits=False),
            TWO,
            [Supersede(ONE, by=TWO), Await(TWO)],
            id="the newest waits for a closed stage too",
        ),
        pytest.param(
            Queue(None, ONE, ONE),
            TWO,
            [Supersede(ONE, by=TWO), Start(TWO)],
            id="a stage that opened starts the newest, not the one that waited",
        ),
    ],
)
def test_an_arriving_revision(queue: Queue, arriving: Entry, decisions: list[QueueDecision]) -> None:
    assert list(on_arrival(queue, arriving)) == decisions


@pytest.mark.parametrize(
    ("queue", "decisions"),
    [
        pytest.param(Queue(None, TWO, TWO), [Start(TWO)], id="the waiting one starts"),
        pytest.param(Queue(ONE, TWO, TWO), [], id="not while another runs"),
        pytest.param(Queue(None, TWO, TWO, admits=False), [], id="not while the stage is closed"),
        pytest.param(Queue(None, None, TWO), [], id="nobody waits"),
    ],
)
def test_a_stage_that_came_free(queue: Queue, decisions: list[QueueDecision]) -> None:
    assert list(admit_next(queue)) == decisions


@dataclass(frozen=True)
class Story:
    """A stage and what has happened in it."""

    queue: Queue = FREE
    to_come: tuple[int, ...] = ()
    arrived: tuple[int, ...] = ()
    started: tuple[int, ...] = ()
    superseded: tuple[tuple[int, int], ...] = ()
    closings: int = 1

    def after(self, decisions: Sequence[QueueDecision]) -> "Story":
        story = self
        for decision in decisions:
            story = story.with_decision(decision)
        return story

    def with_decision(self, decision: QueueDecision) -> "Story":
        queue = self.queue
        match decision:
            case Start(who):
                assert queue.running is None, "one run at a time"
                waiting = None if queue.waiting == who else queue.waiting
                queue = replace(queue, running=who, waiting=waiting)
                return replace(self, queue=queue, started=(*self.started, who.revision))
            case Await(who):
                assert queue.waiting is None, "one run waits"
                return replace(self, queue=replace(queue, waiting=who))
            case Supersede(who, by):
                assert who != queue.running, "the running one is never pre-empted"
                waiting = None if queue.waiting == who else queue.waiting
                displaced = (*self.superseded, (who.revision, by.revision))
                return replace(self, queue=replace(queue, waiting=waiting), superseded=displaced)

    def arrive(self) -> "Story":
        who = entry(self.to_come[0])
        story = self.after(on_arrival(self.queue, who))
        newest = max((story.queue.newest, who), key=lambda each: each.revision if each else 0)
        queue = replace(story.queue, newest=newest)
        return replace(
            story, queue=queue, to_come=self.to_come[1:], arrived=(*self.arrived, who.revision)
        ).checked()

    def complete(self) -> "Story":
        story = replace(self, queue=replace(self.queue, running=None))
        return story.after(admit_next(story.queue)).checked()

    def close_or_open(self) -> "Story":
        closing = self.queue.admits
        queue = replace(self.queue, admits=not closing)
        story = replace(self, queue=queue, closings=self.closings - closing)
        return story.after(admit_next(queue)).checked()

    def checked(self) -> "Story":
        assert list(self.started) == sorted(set(self.started)), "the commit never goes backwards (S5)"
        assert all(gone < by for gone, by in self.superseded), "only a newer one takes the place"
        ended = [revision for revision, _ in self.superseded]
        waiting = [self.queue.waiting.revision] if self.queue.waiting else []
        whereabouts = sorted([*self.started, *ended, *waiting])
        assert whereabouts == sorted(self.arrived), "each is started, waiting or superseded, and once"
        return self

    def next(self) -> Iterator["Story"]:
        if self.to_come:
            yield self.arrive()
        if self.queue.running:
            yield self.complete()
        if not self.queue.admits or self.closings:
            yield self.close_or_open()


def ends_of(story: Story) -> Iterator[Story]:
    """Yield every end to which the story can come."""
    over = not story.to_come and not story.queue.running and story.queue.admits
    if over:
        yield story
    for following in story.next() if not over else ():
        yield from ends_of(following)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3, 4))), ids=str)
def test_whatever_the_order_the_newest_ends_up_deployed(order: tuple[int, ...]) -> None:
    ends = list(ends_of(Story(to_come=order)))
    assert len(ends) > 50
    for end in ends:
        assert end.started[-1] == max(order), "the newest is deployed last (L1)"
        assert end.queue.waiting is None


def test_a_steady_stream_starves_nobody_who_runs() -> None:
    story = Story(to_come=tuple(range(1, 200)), closings=0).arrive()
    while story.to_come:
        story = story.arrive()
    assert story.started == (1,)
    assert story.complete().started == (1, 199)
