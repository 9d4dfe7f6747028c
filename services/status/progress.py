"""How far a revision has come: what it shows per stage, and whether anything more will happen to it."""

from collections.abc import Sequence
from typing import TypeVar

from services.status.views import PlannedStage, RevisionView, RunInShort, RunView, StepView

R = TypeVar("R", RunView, RunInShort)

PASSED = frozenset({"Succeeded", "Rolled Back", "Rolled Forward"})


def as_queued(revision: RevisionView, runs: Sequence[R]) -> list[R]:
    """Return the revision's runs in the order they were queued.

    In one stage that is the order of its events. Between stages there is only time, by the clocks of
    several hosts, and it is the same for all that were queued when the revision came.
    """
    planned = {stage.name: place for place, stage in enumerate(revision.stages)}
    in_stage: dict[str, list[R]] = {}
    for run in sorted(runs, key=lambda run: run.place, reverse=True):
        in_stage.setdefault(run.stage, []).append(run)
    stages = [in_stage[name] for name in sorted(in_stage, key=lambda name: planned.get(name, len(planned)))]
    ordered = []
    while waiting := [stage for stage in stages if stage]:
        ordered.append(min(waiting, key=lambda stage: stage[-1].queued_at).pop())
    return ordered


def is_over(revision: RevisionView, runs: Sequence[R]) -> bool:
    """Tell whether nothing more follows unless a person asks: every stage passed, or one ended it."""
    latest = {run.stage: run for run in runs}
    if any(run.final and run.state not in PASSED for run in latest.values()):
        return all(run.final or run.started_at is None for run in latest.values())
    return all(stage.name in latest and latest[stage.name].final for stage in revision.stages)


def with_planned_steps(run: RunView, stage: PlannedStage | None) -> RunView:
    """Return the run with the steps of its plan in the plan's order, those to come among them."""
    if stage is None:
        return run
    known = {step.step: step for step in run.steps}
    planned = [
        known.pop(step.id, StepView(step=step.id)).model_copy(
            update={"name": step.name, "type": step.type, "goes_after": step.goes_after}
        )
        for step in stage.steps
    ]
    return run.model_copy(update={"steps": (*planned, *known.values())})
