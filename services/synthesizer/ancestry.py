"""Whether a pushed commit becomes a revision, and which. Pure.

Numbers follow ancestry: the deployed commit never goes backwards except by a recorded rollback (S5),
so a commit that the newest revision already contains is not planned again, in whatever order pushes
arrive. A commit beside it, after a force push or on another branch, is a new revision like any other.

Where several branches or tags are tracked, the newest revision alone does not tell what is late: after
`main` at C and then `release` at R beside it, a late push of B, which lies before C on `main`, is not in R.
So for each of them a mark is kept, how far it has come, and a commit behind any mark brings nothing new:
nor does a release branch just made from `main`, or an old commit that gets a tag. A commit that needed no
revision because nothing changed is a mark, too: what came before it would undo what it says. A mark that
lies behind a new one tells nothing more and is given up, so that only lines of history beside each other
have one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.ids import Commit

MARKS_MAX = 100  # of a pipeline, those that brought the newest revisions

Trigger = Literal["push", "manual"]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest revision that was planned."""

    revision: int
    commit: Commit


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a branch or tag has come: the commit it was decided upon last."""

    ref: str  # "refs/heads/main"
    commit: Commit
    revision: int  # what the commit became; or the one it differs from in nothing, if it became none
    untouched: bool = False  # it became none


@dataclass(frozen=True, slots=True)
class Become:
    """The commit is planned as this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Skip:
    """The commit needs no revision of its own."""

    contained_in: int | None  # the revision that has it, if one is known to
    message: str


Decision = Become | Skip


@dataclass(frozen=True, slots=True)
class Compared:
    """How a commit lies to the newest one and to the marks."""

    commit: Commit
    here: frozenset[Commit]  # of those, what there still is
    independent: frozenset[Commit]  # of them and the commit itself, what none of the others contains

    @property
    def is_behind(self) -> bool:
        """Tell whether one of the others has the commit in its history, or is it."""
        return self.commit in self.here or self.commit not in self.independent

    def gone(self, marks: Sequence[Mark]) -> tuple[Mark, ...]:
        """Return the marks whose commit nobody has any more."""
        return tuple(mark for mark in marks if mark.commit not in self.here)

    def passed(self, marks: Sequence[Mark]) -> tuple[Mark, ...]:
        """Return the marks that tell nothing more once the commit is one."""
        left = self.independent - {self.commit}
        return tuple(mark for mark in marks if mark.commit not in left)


def in_front(newest: Newest | None, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return behind what a commit would bring nothing new; the first that it is behind counts."""
    if newest is None:
        return ()
    others = (mark for mark in marks if mark.commit != newest.commit)
    return (Mark("", newest.commit, newest.revision), *others)


def decide(newest: Newest | None, commit: Commit, trigger: Trigger, behind: Mark | None) -> Decision:
    """Decide what a commit becomes that is known to be where it was pushed to.

    `behind`: the first of `in_front` whose commit has this one in its history, or is it.
    """
    if newest is None:
        return Become(1)
    if behind is None or (trigger == "manual" and commit == behind.commit):
        return Become(newest.revision + 1)
    contained_in = None if behind.untouched else behind.revision
    return Skip(contained_in, _because(commit, behind, trigger))


def surplus(marks: Sequence[Mark], ref: str) -> tuple[Mark, ...]:
    """Return the marks that are given up when `ref` gets one: those of the oldest revisions."""
    others = sorted((mark for mark in marks if mark.ref != ref), key=lambda mark: -mark.revision)
    return tuple(others[MARKS_MAX - 1 :])


def _because(commit: Commit, behind: Mark, trigger: Trigger) -> str:
    revision = f"revision {behind.revision}"
    if commit == behind.commit:
        return f"it changed nothing since {revision}" if behind.untouched else f"{revision} is this commit"
    message = f"{revision} contains this commit and is newer"
    if behind.untouched:
        message = f"commit {behind.commit} came after it and changed nothing since {revision}"
    if trigger == "manual":
        message += (
            "; to bring an earlier state back, push a revert of what came after it, or restore an earlier "
            "revision of one stage with `windlass rollback PIPELINE STAGE`"
        )
    return message
