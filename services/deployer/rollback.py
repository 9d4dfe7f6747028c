"""Whether a run that ended badly is followed by a rollback, and to what.

A release that did not come up or did not verify is not good, so the stage goes back by itself to what it
ran before (docs/decisions/0008). So it does after a service was switched and the run then failed or was
cancelled: what a stage runs is always what its last good run brought. A failed script or build before
that changed no release: a person decides. A rollback that fails is never rolled back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.deployer.run_course import Finish
from services.deployer.run_state import FORWARD, LIVE, MAY_BE_UNDONE, State, Trigger

PHASES_THAT_ROLL_BACK = frozenset({"rollout", "verify"})
FAILED = frozenset({Trigger.WORK_FAILED, Trigger.DEADLINE_PASSED})
BAD_ENDS = FAILED | {Trigger.WORK_STOPPED}


@dataclass(frozen=True, slots=True)
class PastRun:
    """A finished run of the stage, newest first in every list of them."""

    run: UUID
    revision: int
    state: State


@dataclass(frozen=True, slots=True)
class RollBack:
    """Restore this revision's pinned artifacts and plan."""

    to_revision: int


@dataclass(frozen=True, slots=True)
class NoCandidate:
    """It should be rolled back, and nothing good was ever here."""


def follows(state: State, finish: Finish, *, switched: bool, undo: bool = False) -> bool:
    """Tell whether the run that ends so is rolled back by itself.

    `switched`: one of its services had been given its stable address. `undo`: an alarm ended it.
    """
    if finish.trigger not in BAD_ENDS or state not in MAY_BE_UNDONE:
        return False
    unfit = finish.evidence is not None and finish.evidence.phase in PHASES_THAT_ROLL_BACK
    return switched or undo or (unfit and finish.trigger in FAILED and state in FORWARD)


def choose(past: Sequence[PastRun], failed_revision: int, held: frozenset[int]) -> RollBack | NoCandidate:
    """Return the revision that was last good here, older than the failed one and not on hold."""
    good = older(past, failed_revision)
    return next((RollBack(revision) for revision in good if revision not in held), NoCandidate())


def older(past: Sequence[PastRun], undone: int | None, tried: int = 0) -> Sequence[int]:
    """Return the revisions that can be gone back to, each once: those older than what is undone.

    To go forward is to roll forward, which heeds holds and stops. None: a rollback to `tried` failed, and
    nothing more is undone by trying that again, nor by restoring what was live before it.
    """
    live = past[0].revision if past else 0
    newest = undone - 1 if undone is not None else max(tried, live)
    return list(dict.fromkeys(run.revision for run in past if run.state in LIVE and run.revision <= newest))
