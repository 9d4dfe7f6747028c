"""Which deployment shipped a revision, stage by stage; also one that a newer revision took the place of.

Where a run was superseded, the run that did it is followed until one that was not. What a newer one
ended badly is nevertheless out once something newer still is live. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.explanation import waits_for
from services.status.progress import PASSED
from services.status.views import Live, RevisionView, RunView, StageView, View
from shared.events import Wait

Outcome = Literal["shipped", "shipped_by_newer", "under_way", "ended", "not_begun"]


class Shipment(View):
    """What became of a revision in one stage."""

    stage: str = Field(description="The stage")
    outcome: Outcome = Field(description="What became of it there")
    text: str = Field(description="The same in a sentence")
    by_run: UUID | None = Field(None, description="The run that brought it, or on which it depends")
    by_revision: int | None = Field(
        None, description="That run's: this revision, or the newer one that has its place"
    )
    state: str = Field("", description="That run's state")
    at: datetime | None = Field(None, description="When it came, or when its run ended otherwise")
    wait: Wait | None = Field(None, description="What that run waits for")
    in_place: bool = Field(default=False, description="It, or something newer, is live there now")


def shipments(
    revision: RevisionView, runs: Mapping[UUID, RunView], stages: Sequence[StageView]
) -> list[Shipment]:
    """Return what became of the revision in each stage; `runs` are its own and their successors."""
    live = {stage.stage: stage.live for stage in stages}
    return [_shipment(revision, stage.name, runs, live.get(stage.name)) for stage in revision.stages]


def missing(revision: RevisionView, runs: Mapping[UUID, RunView]) -> set[int]:
    """Return the revisions whose runs are needed too: those that superseded what is known."""
    ends = [_end(runs, run) for run in _latest(revision, runs.values()).values()]
    return {
        end.superseded_by_revision
        for end in ends
        if end.superseded_by_revision and end.superseded_by_run not in runs
    }


def _latest(revision: RevisionView, runs: Iterable[RunView]) -> dict[str, RunView]:
    own = [run for run in runs if run.revision == revision.revision]
    return {run.stage: run for run in sorted(own, key=lambda run: run.place)}


def _end(runs: Mapping[UUID, RunView], run: RunView) -> RunView:
    """Follow who superseded whom."""
    seen = {run.run}
    while run.superseded_by_run is not None and run.superseded_by_run not in seen:
        by = runs.get(run.superseded_by_run)
        if by is None:
            break
        run = by
        seen.add(run.run)
    return run


def _shipment(
    revision: RevisionView, stage: str, runs: Mapping[UUID, RunView], live: Live | None
) -> Shipment:
    number = revision.revision
    in_place = live is not None and live.revision >= number
    passed = [run for run in runs.values() if _is_in(run, number, stage) and run.state in PASSED]
    if passed:
        first = min(passed, key=lambda run: run.place)
        return _brought(first, number, in_place=in_place)
    latest = _latest(revision, runs.values()).get(stage)
    end = _end(runs, latest) if latest else None
    if end and end.state in PASSED:
        return _brought(end, number, in_place=in_place)
    if live and live.revision > number and (end is None or end.final):
        return _in_newer(stage, live)
    if end is None:
        return Shipment(stage=stage, outcome="not_begun", text=f"Nothing of it has come to {stage} yet.")
    return _ended(end, in_place=in_place) if end.final else _under_way(end, number, in_place=in_place)


def _is_in(run: RunView, revision: int, stage: str) -> bool:
    return run.revision == revision and run.stage == stage


def _about(run: RunView, outcome: Outcome, text: str, *, in_place: bool) -> Shipment:
    return Shipment(
        stage=run.stage,
        outcome=outcome,
        text=text,
        by_run=run.run,
        by_revision=run.revision,
        state=run.state,
        at=run.finished_at,
        wait=run.wait,
        in_place=in_place,
    )


def _brought(run: RunView, revision: int, *, in_place: bool) -> Shipment:
    if run.revision == revision:
        return _about(run, "shipped", f"A run of its own brought it to {run.stage}.", in_place=in_place)
    text = f"Revision {run.revision}, which took its place, brought it to {run.stage}."
    return _about(run, "shipped_by_newer", text, in_place=in_place)


def _in_newer(stage: str, live: Live) -> Shipment:
    return Shipment(
        stage=stage,
        outcome="shipped_by_newer",
        text=f"Revision {live.revision}, which is newer, is live in {stage}.",
        by_run=live.run,
        by_revision=live.revision,
        at=live.since,
        in_place=True,
    )


def _ended(run: RunView, *, in_place: bool) -> Shipment:
    said = f": {run.evidence.message}" if run.evidence else ""
    text = f"The run of revision {run.revision} in {run.stage} ended {run.state}{said}"
    return _about(run, "ended", text, in_place=in_place)


def _under_way(run: RunView, revision: int, *, in_place: bool) -> Shipment:
    whose = "It" if run.revision == revision else f"Revision {run.revision}, which took its place,"
    doing = f"waits for {waits_for(run.wait)}" if run.wait else f"is {run.state} in {run.stage}."
    return _about(run, "under_way", f"{whose} {doing}", in_place=in_place)
