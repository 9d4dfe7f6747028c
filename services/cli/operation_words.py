"""Operations in words: what was answered, what is to be approved, what happened, what shipped a commit."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from services.cli import output, words
from services.cli.output import Document

PREVIEW = "If you asked for it, {where} would go back"
ACCEPTED: Mapping[str, str] = {
    "cancel": "The run in {where} is being cancelled",
    "retry": "{where} tries again",
    "rollback": "{where} goes back",
    "roll-forward": "{where} goes forward",
    "stop": "{where} is stopped",
    "resume": "{where} is resumed",
    "release-hold": "The hold in {where} is released",
    "lift-blocker": "The blocker of {where} is lifted",
    "override-window": "The window of {where} is overridden",
    "approve": "Approved in {where}",
    "reject": "Rejected in {where}",
}


SAYS_IT_WHOLE = frozenset({"cancel"})  # the answer names the run, and whether it ends or has ended
REFUSED: Mapping[str, str] = {
    "rollback": "roll back",
    "roll-forward": "roll forward",
    "release-hold": "release a hold",
    "lift-blocker": "lift a blocker",
    "override-window": "override the window",
}  # the others are verbs as they are


def show(answer: Document, where: str, *, dry_run: bool) -> None:
    """Print what came of an operation that was not refused."""
    output.say(told(answer, where, dry_run=dry_run))


def told(answer: Document, where: str, *, dry_run: bool) -> str:
    """Return it in a sentence."""
    if answer["answer"] == "pending":
        return (
            f"Asked for as operation {answer['operation']}; {where} has not answered yet. "
            "`windlass history` shows the answer once there is one."
        )
    message = _without_end(answer["message"])
    if message and answer["kind"] in SAYS_IT_WHOLE:
        return f"{where}: {message}."
    sentence = PREVIEW if dry_run else ACCEPTED[answer["kind"]]
    return sentence.format(where=where) + (f": {message}." if message else ".")


def refusal(answer: Document, where: str) -> str:
    """Return why nothing was done."""
    verb = REFUSED.get(answer["kind"], answer["kind"])
    return f"{where} refuses to {verb}: {_without_end(answer['message'])}."


def _without_end(message: str) -> str:
    return message.rstrip(" .")


def entry(each: Document) -> str:
    """Return a line of the audit trail, in UTC, for it is compared with other logs."""
    at = datetime.fromisoformat(each["at"]).astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}Z  {each['text']}{_answered(each['operation'])}"


def _answered(operation: Document | None) -> str:
    if operation is None:
        return ""
    message = f": {operation['message']}" if operation["message"] else ""
    is_preview = operation.get("dry_run") and operation["answer"] == "accepted"
    return f" ({'would' if is_preview else operation['answer']}{message})"


def shipped(found: Document) -> Iterator[str]:
    """Yield what brought a commit to each stage."""
    commit, revision = words.short(found["commit"]), found["revision"]
    if revision is None:
        yield f"{commit} is in no revision{_why_not(found['decision'])}"
        return
    inside = "" if revision["commit"] == found["commit"] else ", which contains it"
    yield f"{commit} is in revision {revision['revision']}{inside}."
    for each in revision["shipped"]:
        when = f" ({words.ago(each['at'])})" if each["at"] else ""
        yield f"  {each['stage']}: {each['text']}{when}"


def _why_not(decision: Document | None) -> str:
    if decision is None:
        return "."
    return f": its push was {decision['decision']}. {decision['message'] or decision['reason']}".rstrip()
