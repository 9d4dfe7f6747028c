"""What an operation must be answered while nothing moves by itself, by the table in docs/howto/operations.md.

None is said where that hangs on the time, or on what the story does not tell.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.e2e.stateful.story import BAD, HOLDING, STAGES, URGENT, WHOLE, Story

Said = Mapping[str, Any]
OVERRIDE_HOURS_MAX = 168


def accepted(story: Story, stage: str, operation: str, said: Said) -> bool | None:
    """Tell whether it is accepted."""
    if stage != WHOLE and not story.runs:
        return None
    return EXPECTED[operation](story, stage, said)


def _cancel(story: Story, stage: str, said: Said) -> bool:
    holder = story.holder(stage)
    if "run" in said:
        run = next((run for run in story.open_runs(stage) if run.id == said["run"]), None)
    else:
        run = holder or next(iter(story.waiting(stage)), None)
    return run is not None and not (run.kind == "rollback" and run.state in HOLDING)


def _retry(story: Story, stage: str, said: Said) -> bool:
    here = story.stages[stage]
    run = story.runs.get(said["run"]) if "run" in said else here.last
    if run is None or run.stage != stage or run.kind == "rollback" or run.state not in BAD:
        return False
    if any(revision > run.revision for revision in here.past) or run.revision in here.holds:
        return False
    if not _came_through(story, stage, run.revision):
        return False
    on_its_way = [*story.waiting(stage), *filter(None, [story.holder(stage)])]
    return all(other.revision < run.revision for other in on_its_way)


def _rollback(story: Story, stage: str, said: Said) -> bool:
    here = story.stages[stage]
    if any(run.kind in URGENT for run in story.open_runs(stage)):
        return False
    undone, tried = _undone(story, stage), here.last_begun.revision if here.last_begun else 0
    newest = undone - 1 if undone is not None else max(tried, here.live or 0)
    older = [each for each in here.past if each <= newest]
    wanted = said.get("revision") or next((each for each in older if each not in here.holds), None)
    return wanted in older


def _undone(story: Story, stage: str) -> int | None:
    """Return the revision that a rollback goes back from."""
    holder, last = story.holder(stage), story.stages[stage].last_begun
    if holder:
        return holder.revision
    if last and last.kind == "rollback" and last.state in BAD:
        return None
    return last.revision if last else None


def _roll_forward(story: Story, stage: str, said: Said) -> bool:
    here = story.stages[stage]
    if story.holder(stage) or story.stopped(stage):
        return False
    newer = {revision for revision in story.revisions if revision > (here.live or 0)} - here.holds
    came = {revision for revision in newer if _came_through(story, stage, revision)}
    if "revision" in said:
        return said["revision"] in came
    return any(not _ended_badly(story, stage, revision) for revision in came)


def _came_through(story: Story, stage: str, revision: int) -> bool:
    """Tell whether it ended well in the stage before, if there is one."""
    place = STAGES.index(stage)
    return not place or revision in story.stages[STAGES[place - 1]].past


def _ended_badly(story: Story, stage: str, revision: int) -> bool:
    """Tell whether its last run here came to nothing; one that is open has not yet."""
    here = [run for run in story.runs.values() if (run.stage, run.revision) == (stage, revision)]
    ends = [(run.ended_at, run.state) for run in here if run.ended_at and run.state != "Superseded"]
    return all(run.final for run in here) and bool(ends) and max(ends)[1] in BAD


def _stop(story: Story, stage: str, said: Said) -> bool:
    return True


def _resume(story: Story, stage: str, said: Said) -> bool:
    return stage in story.stops


def _release_hold(story: Story, stage: str, said: Said) -> bool:
    holds = story.stages[stage].holds
    return said["revision"] in holds if "revision" in said else len(holds) == 1


def _lift_blocker(story: Story, stage: str, said: Said) -> bool | None:
    blockers = story.stages[stage].blockers
    if any(blockers.values()):
        return None  # by now it may be over
    return said["blocker"] in blockers if "blocker" in said else len(blockers) == 1


def _override_window(story: Story, stage: str, said: Said) -> bool:
    return bool(said["hours"] <= OVERRIDE_HOURS_MAX)


def _answer(story: Story, stage: str, said: Said) -> bool:
    holder = story.holder(stage)
    if holder is None or said.get("run", holder.id) != holder.id:
        return False
    gates = [gate for gate in holder.gates if said.get("step", gate) == gate]
    return len(gates) == 1 and said.get("shown", holder.shown[gates[0]]) == holder.shown[gates[0]]


EXPECTED: dict[str, Callable[[Story, str, Said], bool | None]] = {
    "cancel": _cancel,
    "retry": _retry,
    "rollback": _rollback,
    "roll-forward": _roll_forward,
    "stop": _stop,
    "resume": _resume,
    "release-hold": _release_hold,
    "lift-blocker": _lift_blocker,
    "override-window": _override_window,
    "approve": _answer,
    "reject": _answer,
}
