"""What a run takes over from a run before it. Pure.

| A run | takes over | of |
|---|---|---|
| that goes on from the failed step | what succeeded, behind nothing that is done anew | the run tried again |
| that rolls back | what the steps gave that it leaves out | the last that did them |

A service is always brought up anew, for a release belongs to its run. What came after it was about the
release before it: a test, an approval, a bake, or an output made of its address. All of that is done again.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.deployer.records import RunRecord, StepRecord
from services.deployer.rollback import PastRun
from services.deployer.run_state import RESTORED, TERMINAL
from services.deployer.step_state import KEPT
from shared.events.runs import RunKind
from shared.plan import StagePlan, StepPlan
from shared.step_types import STEP_TYPES


def need_not_be_done(stage: StagePlan, before: Mapping[str, StepRecord]) -> Sequence[StepPlan]:
    """Return the steps that succeeded in a run before, and come after nothing that is done anew."""
    anew = {step.id for step in stage.steps if not step.skip and not _lasts(step, before.get(step.id))}
    while behind := {each.id for each in stage.steps if anew.intersection(each.goes_after)} - anew:
        anew |= behind
    return [step for step in stage.steps if step.id not in anew and not step.skip]


def given_by_left_out(stage: StagePlan, before: Mapping[str, StepRecord]) -> Mapping[str, Mapping[str, str]]:
    """Return what the steps gave that a rollback leaves out, by step."""
    records = {step.id: before.get(step.id) for step in stage.steps if step.on_rollback == "skip"}
    return {id_: record.outputs for id_, record in records.items() if record and record.outputs}


def last_that_did_all(past: Sequence[PastRun], revision: int) -> UUID | None:
    """Return the last good run of the revision; a rollback, which left steps out, only for want of others."""
    ends = [run for run in past if run.revision == revision]
    found = next((run for run in ends if run.state not in RESTORED), next(iter(ends), None))
    return found.run if found else None


def not_kept(since: RunRecord, revision: int) -> str:
    """Return why nothing is kept of what the revision did: another run acts on its stage, or did since."""
    what = f"{_KINDS[since.kind]}revision {since.revision}"
    over = since.state in TERMINAL
    acts = f"ran in {since.stage} since ({since.state})" if over else f"is {since.state} in {since.stage}"
    return f"{what} {acts}, so nothing that revision {revision} did is kept: retry the whole"


_KINDS: Mapping[RunKind, str] = {
    "deploy": "",
    "retry": "a retry of ",
    "rollback": "a rollback to ",
    "roll_forward": "a roll-forward to ",
}


def _lasts(step: StepPlan, record: StepRecord | None) -> bool:
    return record is not None and record.state in KEPT and not STEP_TYPES[step.type].verified
