"""What a stage waits for people to approve or reject, wherever it comes from. Pure."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.explanation import waits_for
from services.status.shown_words import definition_in_words
from services.status.views import GateAnswer, GateView, HeldDefinition, OpenGate, Slot, StageView, View


class Approval(View):
    """Something that waits for somebody to approve or reject it."""

    of: Literal["gate", "definition"] = Field(
        description="A step's gate, or changes of the pipeline file that keep the revision from beginning"
    )
    run: UUID = Field(description="The run that waits: name it when approving")
    revision: int = Field(description="Its revision")
    text: str = Field(description="The same in a sentence")
    step: str = Field("", description="The step's id: name it when approving; empty: no step's")
    shown: str = Field(description="The digest of what is shown: give it back when approving")
    needed: int = Field(description="How many different people must approve; 0: a bake, which may end early")
    given: int = Field(description="How many have")
    approvers: tuple[str, ...] = Field((), description="Who may; empty: whoever may act on the stage")
    since: datetime = Field(description="Since when it waits")
    deadline: datetime | None = Field(None, description="When it ends by itself")
    answers: tuple[GateAnswer, ...] = Field((), description="What people said so far")
    gate: GateView | None = Field(None, description="All that is shown at the gate")
    definition: HeldDefinition | None = Field(None, description="The changes of the pipeline file")


def approvals(stage: StageView) -> list[Approval]:
    """Return all of them, those of the run that holds the stage first."""
    gates = [_at_gate(stage.running, gate) for gate in stage.running.gates] if stage.running else []
    held = [
        _of_definition(slot, slot.definition)
        for slot in stage.waiting
        if slot.definition and slot.definition.answer == "pending"
    ]
    return [*gates, *held]


def _at_gate(slot: Slot, open_: OpenGate) -> Approval:
    gate = open_.gate
    return Approval(
        of="gate",
        run=slot.run,
        revision=slot.revision,
        text=f"Revision {slot.revision} waits for {waits_for(gate.wait)}",
        step=open_.step,
        shown=gate.shown,
        needed=gate.needed,
        given=gate.given,
        approvers=gate.approvers,
        since=gate.wait.since,
        deadline=gate.deadline,
        answers=gate.answers,
        gate=gate,
    )


def _of_definition(slot: Slot, held: HeldDefinition) -> Approval:
    return Approval(
        of="definition",
        run=slot.run,
        revision=slot.revision,
        text=f"Revision {slot.revision} waits for somebody to approve {definition_in_words(held)}.",
        shown=held.shown,
        needed=1,
        given=0,
        since=held.since,
        deadline=slot.wait.deadline if slot.wait else None,
        answers=held.answers,
        definition=held,
    )
