"""Who holds a stage's lock, who waits for it, and who gives way.

One run holds the lock, and the running one is never pre-empted, so a steady stream of pushes starves nobody
(L1). Who waits behind it follows the stage's mode:

| | `newest` | `fifo` |
|---|---|---|
| waits | one: the newest revision that is ready | all that are ready, the oldest first |
| gives way | what is older than any that was ever ready | what is older than any that has begun |
| a retry | takes the place of whoever waits | goes in line at its revision's place |

The mark is what makes something too late: without it, a revision that arrives late could start after a
newer one has come and gone, and the deployed commit would go backwards (S5). GitLab's `newest_first` starves
and its ordering of outdated jobs undoes releases; both follow from deciding on what is queued rather than on
what is ready. The order of a line is strict: while the head is kept, all wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Mode = Literal["newest", "fifo"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that asks for the stage."""

    run: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Queue:
    """One stage as the decisions see it."""

    running: Entry | None  # holds the lock
    waiting: Sequence[Entry]  # the oldest revision first; several only in a line
    newest: Entry | None  # the mark: what is older comes too late
    admits: bool = True  # nothing keeps the stage closed to whoever is next
    urgent: Entry | None = None  # asked for past the queue; it has seen to it that nothing else keeps it
    mode: Mode = "newest"

    @property
    def is_free(self) -> bool:
        """Tell whether whoever is next may begin."""
        return self.running is None and self.urgent is None and self.admits


@dataclass(frozen=True, slots=True)
class Start:
    """Give it the lock."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Await:
    """Let it wait for the lock: in the one place there is, or in line."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Supersede:
    """It gives way to a newer revision, for good."""

    entry: Entry
    by: Entry


@dataclass(frozen=True, slots=True)
class Mark:
    """What is older comes too late from now on."""

    entry: Entry


QueueDecision = Start | Await | Supersede | Mark


def next_of(mode: Mode, entries: Sequence[Entry]) -> Entry | None:
    """Return who of them goes first."""
    choose = max if mode == "newest" else min
    return choose(entries, key=lambda each: each.revision, default=None)


def on_arrival(queue: Queue, entry: Entry) -> Sequence[QueueDecision]:
    """Decide what a revision that became ready does to the stage."""
    newer = _newer(queue, entry)
    if newer:
        return [Supersede(entry, by=newer)]
    if queue.mode == "fifo":
        goes_on = queue.is_free and next_of("fifo", [*queue.waiting, entry]) == entry
        return _start(queue, entry) if goes_on else [Await(entry)]
    displaced = [Supersede(each, by=entry) for each in queue.waiting]
    return [*displaced, Start(entry) if queue.is_free else Await(entry), *_mark(queue, entry)]


def on_retry(queue: Queue, entry: Entry) -> Sequence[QueueDecision]:
    """Decide what a revision does to the stage that a person wants there once more.

    Not by way of the mark: what is newer and ended badly does not keep it out.
    """
    if queue.mode == "fifo":
        return [Await(entry)]
    return [*(Supersede(each, by=entry) for each in queue.waiting), Await(entry)]


def on_mode(queue: Queue) -> Sequence[QueueDecision]:
    """Decide what a mode that is new in force does to those who wait."""
    if queue.mode == "fifo" or not queue.waiting:
        return [Await(each) for each in queue.waiting]
    *older, newest = queue.waiting
    return [*(Supersede(each, by=newest) for each in older), Await(newest), *_mark(queue, newest)]


def admit_next(queue: Queue) -> Sequence[QueueDecision]:
    """Decide who goes on when the lock came free or the stage opened."""
    if queue.running is not None:
        return []
    if queue.urgent:
        return [Start(queue.urgent)]
    head = next_of(queue.mode, queue.waiting)
    return _start(queue, head) if head and queue.admits else []


def _newer(queue: Queue, entry: Entry) -> Entry | None:
    """Return what the entry comes too late for."""
    waiting = queue.waiting if queue.mode == "newest" else []
    newest = next_of("newest", [*waiting, *([queue.newest] if queue.newest else [])])
    return newest if newest and entry.revision < newest.revision else None


def _start(queue: Queue, entry: Entry) -> Sequence[QueueDecision]:
    return [Start(entry), *_mark(queue, entry)]


def _mark(queue: Queue, entry: Entry) -> Sequence[QueueDecision]:
    return [] if queue.newest and entry.revision <= queue.newest.revision else [Mark(entry)]
