"""Changes of the pipeline file that somebody must approve before anything is done by them. Pure.

Whoever can push can also take an approval out of the file. So a revision begins its way only when it is let
through: at once, where its plan changes nothing that needs approval (`approval_needed`), or when somebody
has said so. It is compared with the newest revision that was let through, never with one that waits itself:
a second push must not rest on what the first was not allowed. Until then nothing of its file counts: not its
builds, its windows, its alarms, nor how its stages queue.

An approval is of what was shown: the plan and the changes. Whoever approves may name the digest of that and
is refused if it is another by now. When another revision is let through first, the changes are others, and
what was said of the old ones is void.

Nobody is asked about what is stale: where the newest goes out, a newer revision takes the place of one that
waits to be approved, whether it needs approval itself or not. Where every commit is deployed (`fifo`), the
revisions after it stand in line behind it, and are judged when it is their turn: were one let through
before, the earlier could never be deployed any more without going backwards.

What is rejected, or cancelled unapproved, is never let through: a fix is pushed, and is asked about anew.
What was cancelled in line, before it was its turn, may be tried again: it is judged then.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from shared.events import Wait
from shared.language.change_words import briefly
from shared.language.difference import ApprovalNeeded, approval_needed
from shared.plan import Plan

NAMED_MAX = 2  # changes that the sentence of a wait names


class HeldFor(BaseModel):
    """What has to be approved. Kept in a row: it only ever grows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    against: int  # the revision whose plan it was compared with
    needed: ApprovalNeeded
    shown: str  # the digest of what an approval is of


@dataclass(frozen=True, slots=True)
class Planned:
    """A revision as far as it is compared."""

    revision: int
    plan: Plan
    plan_hash: str


def held_for(new: Planned, old: Planned | None) -> HeldFor | None:
    """Return what has to be approved of a revision; `old` was let through last. None: nothing."""
    needed = approval_needed(old.plan if old else None, new.plan)
    if old is None or needed is None:
        return None
    return HeldFor(against=old.revision, needed=needed, shown=_shown_of(new, old, needed))


def _shown_of(new: Planned, old: Planned, needed: ApprovalNeeded) -> str:
    """Return the digest of what people are shown; of changes too many to be listed, by the old plan."""
    unlisted = old.plan_hash if needed.further else ""
    document = json.dumps([new.plan_hash, needed.model_dump(mode="json"), unlisted], sort_keys=True)
    return sha256(document.encode()).hexdigest()[:16]


def wait_for(held: HeldFor, since: datetime) -> Wait:
    """Return what a revision waits for that somebody must approve."""
    changes, count = held.needed.changes, len(held.needed.changes) + held.needed.further
    named = [briefly(change) for change in changes[:NAMED_MAX]]
    more = [f"and {count - len(named)} more"] if count > len(named) else []
    what, need, them = ("change", "needs", "it") if count == 1 else ("changes", "need", "them")
    return Wait(
        reason="approval",
        blocked_by=f"{count} {what} of the pipeline file {need} approval: {', '.join([*named, *more])}",
        released_by=f"somebody who approves or rejects {them}",
        since=since,
    )


def wait_in_line(first: int, since: datetime) -> Wait:
    """Return what a revision waits for that comes after one that somebody must approve."""
    return Wait(
        reason="approval",
        blocked_by=f"revision {first} comes first, and changes of its pipeline file need approval",
        released_by=f"somebody who approves, rejects or cancels revision {first}",
        since=since,
    )
