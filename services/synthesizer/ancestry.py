"""Whether a pushed commit becomes a revision, and which. Pure.

Numbers follow ancestry: the deployed commit never goes backwards except by a recorded rollback (S5),
so a commit that the newest revision already contains is not planned again, in whatever order pushes
arrive. A commit beside it, after a force push, is a new revision like any other.
"""

from dataclasses import dataclass
from typing import Literal

from shared.ids import Commit

Trigger = Literal["push", "manual"]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest revision that was planned."""

    revision: int
    commit: Commit


@dataclass(frozen=True, slots=True)
class Become:
    """The commit is planned as this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Skip:
    """The commit needs no revision of its own."""

    contained_in: int
    message: str


Decision = Become | Skip


def decide(newest: Newest | None, commit: Commit, trigger: Trigger, *, contained: bool) -> Decision:
    """Decide what a commit that is in its branch becomes.

    `contained`: the newest revision's commit has this one in its history, or is it.
    """
    if newest is None:
        return Become(1)
    if commit == newest.commit:
        if trigger == "manual":
            return Become(newest.revision + 1)
        return Skip(newest.revision, f"revision {newest.revision} is this commit")
    if not contained:
        return Become(newest.revision + 1)
    message = f"revision {newest.revision} contains this commit and is newer"
    if trigger == "manual":
        message += "; to bring an earlier state back, push a revert of what came after it"
    return Skip(newest.revision, message)
