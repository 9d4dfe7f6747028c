"""Who holds a stage's lock, who waits for it, and who gives way.

One run holds the lock, at most one waits, and the newest ready revision is the one that waits: the
running one is never pre-empted, so a steady stream of pushes starves nobody (L1). `newest` is a
high-water mark: without it, a revision that arrives late could start after a newer one has come and
gone, and the deployed commit would go backwards (S5). GitLab's `newest_first` starves and its
ordering of outdated jobs undoes releases; both follow from deciding on what is queued rather than on
what is ready.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that asks for the stage."""

    run: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Queue:
    """One stage as the decisions see it."""

    running: Entry | None  # holds the lock
    waiting: Entry | None
    newest: Entry | None  # the newest revision that was ever ready here
    admits: bool = True  # nothing keeps the stage closed to whoever is next in the queue
    urgent: Entry | None = None  # asked for past the queue; it has seen to it that nothing else keeps it


@dataclass(frozen=True, slots=True)
class Start:
    """Give it the lock."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Await:
    """Let it wait for the lock, in the one place there is."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Supersede:
    """It gives way to a newer revision, for good."""

    entry: Entry
    by: Entry


QueueDecision = Start | Await | Supersede


def on_arrival(queue: Queue, entry: Entry) -> Sequence[QueueDecision]:
    """Decide what a revision that became ready does to the stage."""
    if queue.newest and entry.revision < queue.newest.revision:
        return [Supersede(entry, by=queue.newest)]
    displaced = [Supersede(queue.waiting, by=entry)] if queue.waiting else []
    free = queue.running is None and queue.urgent is None and queue.admits
    return [*displaced, Start(entry) if free else Await(entry)]


def admit_next(queue: Queue) -> Sequence[QueueDecision]:
    """Decide who goes on when the lock came free or the stage opened."""
    if queue.running is not None:
        return []
    if queue.urgent:
        return [Start(queue.urgent)]
    return [Start(queue.waiting)] if queue.waiting and queue.admits else []
