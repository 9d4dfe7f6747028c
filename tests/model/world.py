"""What the model is about: two stages of a pipeline, as far as the promises depend on them.

Of finished runs it keeps only what later decisions ask for, so there are finitely many states although
people may ask for retries, rollbacks and roll-forwards without end.
"""

from typing import NamedTuple
from uuid import UUID

from services.deployer.run_state import HOLDS_LOCK, UNSTARTED, State
from services.deployer.stage_queue import Entry, Mode
from shared.events.runs import RunKind

STAGES = (0, 1)
Modes = tuple[Mode, Mode]  # of the two stages, as a plan has them
NEWEST: Modes = ("newest", "newest")


class Own(NamedTuple):
    """A revision's own run in a stage: the one that deploys it, or the retry in that one's place."""

    kind: RunKind
    state: State
    ready: bool  # it came through the stage before

    @property
    def waits(self) -> bool:
        """Tell whether it waits for the lock."""
        return self.ready and self.state in UNSTARTED


class Urgent(NamedTuple):
    """A rollback or roll-forward: at most one is open in a stage."""

    kind: RunKind
    revision: int
    state: State


class Ended(NamedTuple):
    """A run that ended and was not superseded."""

    kind: RunKind
    revision: int
    state: State


class Stage(NamedTuple):
    """A stage."""

    own: tuple[Own | None, ...]  # by revision, from 1; None: not planned yet
    urgent: Urgent | None = None
    newest: int = 0  # the high-water mark
    stopped: bool = False
    held: frozenset[int] = frozenset()  # revisions kept out
    bad: frozenset[int] = frozenset()  # revisions whose last run that ended here ended badly
    good: tuple[int, ...] = ()  # revisions that ended in place here, the last first, each once
    last: Ended | None = None
    begun: Ended | None = None  # likewise, of those that ever acted on the stage
    queue: Mode = "newest"

    @property
    def holder(self) -> Urgent | None:
        """Return the run that holds the lock."""
        if self.urgent and self.urgent.state in HOLDS_LOCK:
            return self.urgent
        for revision, run in enumerate(self.own, start=1):
            if run and run.state in HOLDS_LOCK:
                return Urgent(run.kind, revision, run.state)
        return None

    @property
    def waiting(self) -> list[int]:
        """Return the revisions whose runs wait for the lock, the oldest first."""
        return [r for r, run in enumerate(self.own, start=1) if run and run.waits]

    @property
    def is_taken_over(self) -> bool:
        """Tell whether an urgent run waits for the end of the one that holds the lock."""
        return self.urgent is not None and self.urgent.state in UNSTARTED

    @property
    def live(self) -> int:
        """Return the revision that is in place; 0: none."""
        return self.good[0] if self.good else 0


class World(NamedTuple):
    """Both stages, in the order of promotion."""

    stages: tuple[Stage, Stage]

    @property
    def planned(self) -> list[int]:
        """Return the revisions that have arrived."""
        return [revision for revision, run in enumerate(self.stages[0].own, start=1) if run]


class Told(NamedTuple):
    """Something that happened to a run; what the deployer says as an event."""

    what: str  # queued, started, superseded, ended, held
    stage: int
    kind: RunKind
    revision: int
    state: State
    by: int = 0  # superseded: the revision that took its place
    by_kind: RunKind = "deploy"


def entry(revision: int) -> Entry:
    """Return a run as the product's queue sees it."""
    return ENTRIES[revision]


ENTRIES = [Entry(UUID(int=number), number) for number in range(10)]


def fresh(revisions: int) -> World:
    """Return a pipeline to which nothing has happened yet."""
    empty = Stage((None,) * revisions)
    return World((empty, empty))
