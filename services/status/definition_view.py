"""How changes of a pipeline file that wait for approval follow from their events. Pure."""

from services.status.views import GateAnswer, HeldDefinition
from shared.events import DefinitionAnswered, DefinitionHeld, Message, Wait


def held_definition(message: Message[DefinitionHeld]) -> HeldDefinition:
    """Return the changes as they are put to people now; what was said of others does not count for them."""
    body = message.body
    return HeldDefinition(
        stage=body.stage,
        mode=body.mode,
        changes=body.changes,
        further=body.further,
        plan_hash=body.plan_hash,
        shown=body.shown,
        since=message.time,
    )


def answered_definition(
    held: HeldDefinition | None, message: Message[DefinitionAnswered]
) -> HeldDefinition | None:
    """Return them with what somebody said."""
    body = message.body
    said = GateAnswer(actor=body.actor, verdict=body.verdict, comment=body.comment, at=message.time)
    changes = {"answer": body.verdict, "answers": (*held.answers, said)} if held else {}
    return held.model_copy(update=changes) if held else None


def with_wait(held: HeldDefinition | None, wait: Wait | None) -> HeldDefinition | None:
    """Return them when their run waits for this from now on: for anything but approval, it went past them."""
    if held is None or held.answer != "pending" or (wait is not None and wait.reason == "approval"):
        return held
    return held.model_copy(update={"answer": "not_needed"})
