"""Who starts, waits and gives way: by example, and over every story of up to four revisions, in each mode."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from uuid import UUID

import pytest

from services.deployer.stage_queue import (
    Await,
    Entry,
    Mark,
    Queue,
    QueueDecision,
    Start,
    Supersede,
    admit_next,
    on_arrival,
    on_mode,
    on_retry,
)


def entry(revision: int) -> Entry:
    return Entry(UUID(int=revision), revision)


FREE = Queue(None, (), None)
ONE, TWO, THREE, FOUR = entry(1), entry(2), entry(3), entry(4)


def line(
    running: Entry | None, waiting: Sequence[Entry], begun: Entry | None, *, admits: bool = True
) -> Queue:
    """A stage where every commit is deployed."""
    return Queue(running, waiting, begun, admits, mode="fifo")


@pytest.mark.parametrize(
    ("queue", "arriving", "decisions"),
    [
        pytest.param(FREE, ONE, [Start(ONE), Mark(ONE)], id="the first starts"),
        pytest.param(Queue(ONE, (), ONE), TWO, [Await(TWO), Mark(TWO)], id="behind a running one it waits"),
        pytest.param(
            Queue(ONE, [TWO], TWO),
            THREE,
            [Supersede(TWO, by=THREE), Await(THREE), Mark(THREE)],
            id="the newest waits",
        ),
        pytest.param(Queue(None, (), ONE), TWO, [Start(TWO), Mark(TWO)], id="a free stage starts the next"),
        pytest.param(
            Queue(ONE, [THREE], THREE), TWO, [Supersede(TWO, by=THREE)], id="an older one gives way at once"
        ),
        pytest.param(
            Queue(None, (), THREE), TWO, [Supersede(TWO, by=THREE)], id="also to one that came and went"
        ),
        pytest.param(
            Queue(None, (), None, admits=False),
            ONE,
            [Await(ONE), Mark(ONE)],
            id="a closed stage lets it wait",
        ),
        pytest.param(
            Queue(None, [ONE], ONE, admits=False),
            TWO,
            [Supersede(ONE, by=TWO), Await(TWO), Mark(TWO)],
            id="the newest waits for a closed stage too",
        ),
        pytest.param(
            Queue(None, [ONE], ONE),
            TWO,
            [Supersede(ONE, by=TWO), Start(TWO), Mark(TWO)],
            id="a stage that opened starts the newest, not the one that waited",
        ),
        pytest.param(
            Queue(ONE, [TWO, FOUR], ONE),
            THREE,
            [Supersede(THREE, by=FOUR)],
            id="what stood in line before the mode changed counts as ready",
        ),
        pytest.param(line(None, (), None), ONE, [Start(ONE), Mark(ONE)], id="fifo: the first starts"),
        pytest.param(line(ONE, [TWO], ONE), THREE, [Await(THREE)], id="fifo: nobody gives way"),
        pytest.param(line(ONE, [THREE], ONE), TWO, [Await(TWO)], id="fifo: an older one goes in line"),
        pytest.param(
            line(THREE, [FOUR], THREE), TWO, [Supersede(TWO, by=THREE)], id="fifo: unless a newer one began"
        ),
        pytest.param(line(None, [ONE], None), TWO, [Await(TWO)], id="fifo: not before who waits longer"),
        pytest.param(
            line(None, [TWO], None), ONE, [Start(ONE), Mark(ONE)], id="fifo: the oldest goes first, if free"
        ),
        pytest.param(
            line(None, (), None, admits=False), ONE, [Await(ONE)], id="fifo: a closed stage lets it wait"
        ),
    ],
)
def test_an_arriving_revision(queue: Queue, arriving: Entry, decisions: list[QueueDecision]) -> None:
    assert list(on_arrival(queue, arriving)) == decisions


@pytest.mark.parametrize(
    ("queue", "decisions"),
    [
        pytest.param(Queue(None, [TWO], TWO), [Start(TWO)], id="the waiting one starts"),
        pytest.param(Queue(ONE, [TWO], TWO), [], id="not while another runs"),
        pytest.param(Queue(None, [TWO], TWO, admits=False), [], id="not while the stage is closed"),
        pytest.param(Queue(None, (), TWO), [], id="nobody waits"),
        pytest.param(Queue(None, [TWO], TWO, False, ONE), [Start(ONE)], id="what is urgent goes first"),
        pytest.param(line(None, [TWO, THREE], ONE), [Start(TWO), Mark(TWO)], id="fifo: the oldest is next"),
        pytest.param(line(None, [TWO, THREE], THREE), [Start(TWO)], id="fifo: a retry moves no mark back"),
        pytest.param(line(None, [TWO, THREE], ONE, admits=False), [], id="fifo: if it is kept, all wait"),
    ],
)
def test_a_stage_that_came_free(queue: Queue, decisions: list[QueueDecision]) -> None:
    assert list(admit_next(queue)) == decisions


@pytest.mark.parametrize(
    ("queue", "decisions"),
    [
        pytest.param(Queue(None, [ONE], THREE), [Supersede(ONE, by=TWO), Await(TWO)], id="takes the place"),
        pytest.param(line(None, [THREE], ONE), [Await(TWO)], id="fifo: goes in line"),
    ],
)
def test_a_revision_that_a_person_wants_once_more(queue: Queue, decisions: list[QueueDecision]) -> None:
    assert list(on_retry(queue, TWO)) == decisions


@pytest.mark.parametrize(
    ("queue", "decisions"),
    [
        pytest.param(Queue(ONE, (), ONE), [], id="nobody waits"),
        pytest.param(line(ONE, [TWO], TWO), [Await(TWO)], id="who waits goes in line"),
        pytest.param(
            Queue(ONE, [TWO, THREE, FOUR], ONE),
            [Supersede(TWO, by=FOUR), Supersede(THREE, by=FOUR), Await(FOUR), Mark(FOUR)],
            id="of a line the newest is left",
        ),
        pytest.param(Queue(ONE, [TWO], FOUR), [Await(TWO)], id="a retry is left, and moves no mark back"),
    ],
)
def test_another_mode_comes_into_force(queue: Queue, decisions: list[QueueDecision]) -> None:
    assert list(on_mode(queue)) == decisions


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
                queue = replace(queue, running=who, waiting=without(queue, who))
                return replace(self, queue=queue, started=(*self.started, who.revision))
            case Await(who):
                assert queue.mode == "fifo" or not queue.waiting, "one run waits"
                waiting = sorted([*queue.waiting, who], key=lambda each: each.revision)
                return replace(self, queue=replace(queue, waiting=tuple(waiting)))
            case Mark(who):
                assert queue.newest is None or queue.newest.revision < who.revision, "it only rises"
                return replace(self, queue=replace(queue, newest=who))
            case Supersede(who, by):
                assert who != queue.running, "the running one is never pre-empted"
                displaced = (*self.superseded, (who.revision, by.revision))
                left = replace(queue, waiting=without(queue, who))
                return replace(self, queue=left, superseded=displaced)

    def arrive(self) -> "Story":
        who = entry(self.to_come[0])
        story = self.after(on_arrival(self.queue, who))
        arrived = (*self.arrived, who.revision)
        return replace(story, to_come=self.to_come[1:], arrived=arrived).checked()

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
        waiting = [each.revision for each in self.queue.waiting]
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


def without(queue: Queue, who: Entry) -> tuple[Entry, ...]:
    return tuple(each for each in queue.waiting if each != who)


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
        assert not end.queue.waiting


@pytest.mark.parametrize("order", list(permutations((1, 2, 3, 4))), ids=str)
def test_in_a_line_only_what_a_newer_one_began_before_is_passed_by(order: tuple[int, ...]) -> None:
    ends = list(ends_of(Story(line(None, (), None), to_come=order)))
    assert len(ends) > 50
    for end in ends:
        assert not end.queue.waiting
        for gone, by in end.superseded:
            assert by in end.started
            assert order.index(by) < order.index(gone), "who was ready before it began is begun (L1)"
    if list(order) == sorted(order):
        assert {end.started for end in ends} == {order}, "every commit, in order"


def test_a_steady_stream_starves_nobody_who_runs() -> None:
    story = Story(to_come=tuple(range(1, 200)), closings=0).arrive()
    while story.to_come:
        story = story.arrive()
    assert story.started == (1,)
    assert story.complete().started == (1, 199)
