"""What a planned push would meet at a Windlass: whom it would supersede, what it would wait for.

It is as things stand when it is asked; nothing is reserved by asking.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.words import short
from shared.plan import Plan, StagePlan
from shared.window import next_opening, why_closed

if TYPE_CHECKING:
    from services.cli.api import Api
    from services.cli.git_copy import GitCopy

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_UNKNOWN = "urn:windlass:problem:unknown-pipeline"


@dataclass(frozen=True, slots=True)
class StageEffects:
    """What the revision would meet in one stage."""

    stage: str
    status: str  # "pending" where the server does not know the stage
    running: int | None  # the revision whose run holds the stage
    supersedes: tuple[int, ...]  # revisions that wait there and would not any more
    waits_for: tuple[str, ...]  # sentences
    held: tuple[int, ...]  # revisions that are kept out


@dataclass(frozen=True, slots=True)
class QueueEffects:
    """What the revision would meet."""

    revision: int  # the number that it would get
    newest_commit: str  # of the newest revision so far; empty: there is none
    contained_in: int | None  # the revision that has the commit already: the push would be skipped
    notes: tuple[str, ...]
    stages: tuple[StageEffects, ...]


def asked(api: "Api", pipeline: str) -> Document | None:
    """Return what the server says of a pipeline; None if it does not know it."""
    try:
        return api.get(route("pipelines", pipeline))
    except CommandFault as fault:
        if fault.problem == _UNKNOWN:
            return None
        raise


def next_revision(known: Document | None) -> int:
    """Return the number that a new revision would get."""
    return int((known or {}).get("newest_revision") or 0) + 1


def effects(known: Document | None, plan: Plan, copy: "GitCopy", now: datetime) -> QueueEffects:
    """Return what a plan would meet at the server that said this of its pipeline."""
    newest = _commit(known)
    contained = bool(newest) and copy.is_ancestor(plan.commit, newest)
    there = {stage["stage"]: stage for stage in (known or {}).get("now", ())}
    return QueueEffects(
        revision=next_revision(known),
        newest_commit=newest,
        contained_in=known["newest_revision"] if known and contained else None,
        notes=tuple(_notes(known, newest, copy)),
        stages=tuple(
            _stage(stage, plan.stages[:place], there.get(stage.name), now)
            for place, stage in enumerate(plan.stages)
        ),
    )


def _commit(known: Document | None) -> str:
    """Return the commit that the server names, which goes to git; empty if what it names is no id of one."""
    named = (known or {}).get("newest_commit")
    return named if isinstance(named, str) and _COMMIT.fullmatch(named) else ""


def _notes(known: Document | None, newest: str, copy: "GitCopy") -> Iterator[str]:
    if known is None:
        yield "The server does not know this pipeline yet: its repository must be registered there."
    elif not newest and known.get("newest_revision"):
        yield (
            f"The server names no commit of revision {known['newest_revision']}: "
            "whether it has this one already is not known."
        )
    elif newest and copy.commit(newest) is None:
        yield (
            f"Its newest revision {known['newest_revision']} is commit {short(newest)}, which is not here: "
            "`git fetch` first to see whether it has this one already."
        )


def _stage(
    stage: StagePlan, earlier: Sequence[StagePlan], there: Mapping[str, Any] | None, now: datetime
) -> StageEffects:
    known = there or {}
    running, waiting = known.get("running"), known.get("waiting", ())
    return StageEffects(
        stage=stage.name,
        status=known.get("status", "pending"),
        running=running["revision"] if running else None,
        supersedes=tuple(slot["revision"] for slot in waiting if slot["kind"] == "deploy"),
        waits_for=tuple(_waits(stage, earlier, known, now)),
        held=tuple(hold["revision"] for hold in known.get("holds", ())),
    )


def _waits(
    stage: StagePlan, earlier: Sequence[StagePlan], known: Mapping[str, Any], now: datetime
) -> Iterator[str]:
    if earlier:
        yield f"Stage {earlier[-1].name} must succeed with this revision."
    if running := known.get("running"):
        yield f"Revision {running['revision']} holds the stage: {running['state']}."
    if known.get("status") == "paused":
        yield "The stage is stopped: it admits nobody until somebody resumes it."
    if stage.window and (closed := why_closed(stage.window, now)):
        opening = next_opening(stage.window, now)
        yield f"{closed} It opens {opening:%Y-%m-%d %H:%M} UTC." if opening else closed
    for step in stage.steps:
        if step.type.startswith("APPROVAL:") and not step.skip:
            yield f"Its step {step.name} holds the run ({step.type})."
