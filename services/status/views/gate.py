"""What a run waits for people at, gates and changes of the pipeline file, and what they said there."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.status.views.view import View
from shared.events import ProposedChanges, TestResults, Wait

Verdict = Literal["approved", "rejected"]


class GateAnswer(View):
    """What one person said."""

    actor: str = Field(description="Who")
    verdict: Verdict = Field(description="What they said")
    comment: str = Field(description="Why, in their words")
    at: datetime = Field(description="When")


class GateView(View):
    """A step at which the run waits, or waited, for people or for a time."""

    wait: Wait = Field(
        description="What it waits for, as it stands; once it is over, what it waited for last"
    )
    needed: int = Field(description="How many different people must approve; 0: a time is waited for")
    given: int = Field(0, description="How many different people have approved so far")
    approvers: tuple[str, ...] = Field(description="Who may; empty: whoever may act on the stage")
    deadline: datetime | None = Field(None, description="When it ends by itself: a bake passes, others fail")
    shown: str = Field(
        description="The digest of all that is shown here. Give it back when approving: if it has changed, "
        "the approval is refused"
    )
    plan_hash: str = Field(description="Shown: the plan that is carried out")
    artifacts: dict[str, str] = Field(description="Shown: the artifacts, by id, with their digests")
    tests: TestResults | None = Field(None, description="Shown: results of a test that failed")
    changes: ProposedChanges | None = Field(None, description="Shown: what the step would change")
    answers: tuple[GateAnswer, ...] = Field((), description="What people said, in order")


class OpenGate(View):
    """A gate that a run stands at now."""

    step: str = Field(description="The step's id")
    step_type: str = Field(description="The step's type")
    gate: GateView = Field(description="What it waits for and what is shown")


class HeldDefinition(View):
    """Changes of the pipeline file that somebody must approve before the revision begins its way."""

    stage: str = Field(description="Where it is approved: the first stage of the revision's plan")
    mode: str = Field(description="Which changes need approval: ALWAYS or DESTRUCTIVE_CHANGES_ONLY")
    changes: tuple[str, ...] = Field(description="The changes in sentences, those that need approval first")
    further: int = Field(description="How many more changes there are that are not told here")
    plan_hash: str = Field(description="The plan with these changes")
    shown: str = Field(
        description="The digest of the changes. Give it back when approving: if it has changed, the approval "
        "is refused"
    )
    since: datetime = Field(description="When these changes were put to people")
    answer: Literal["pending", "approved", "rejected", "not_needed"] = Field(
        "pending", description="What became of it; not_needed: the run went on, or ended, without an answer"
    )
    answers: tuple[GateAnswer, ...] = Field((), description="What people said, in order")
