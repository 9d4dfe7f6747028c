"""What `windlass classify` found, for people and for programs."""

from collections.abc import Iterator

from services.cli import failure_words
from services.cli.output import Document
from shared.diagnosis.rules import Classification
from shared.diagnosis.summary import summary_of

NOTHING = "Nothing failed."
_SAME = ("category", "code", "retryable", "rule", "confidence")


def told(found: Classification | None) -> Iterator[str]:
    """Yield the lines of the report."""
    if found is None:
        yield NOTHING
        return
    yield found.summary
    yield ""
    yield from failure_words.told(_failure(found))


def document(found: Classification | None) -> Document | None:
    """Return it for programs; None: nothing failed."""
    return classification_document(_failure(found)) if found else None


def classification_document(failure: Document) -> Document:
    """Return a failure, which is told as the API has it, in the form in which `classify` prints it."""
    return {
        "stage": failure["failure_stage"],
        **{name: failure[name] for name in _SAME},
        "summary": summary_of(failure["failure_stage"], retryable=failure["retryable"]),
        "likely_cause": failure["likely_cause"],
        "evidence": failure["evidence"],
        "fix": [*_fix(failure["fix"])],
    }


def _failure(found: Classification) -> Document:
    """Return it as the API tells of a failure."""
    return {
        "failure_stage": found.answer.stage,
        "category": found.answer.category,
        "code": found.answer.code,
        "retryable": found.answer.retryable,
        "rule": found.rule,
        "confidence": found.confidence,
        "likely_cause": found.likely_cause,
        "evidence": [each.model_dump(mode="json") for each in found.evidence],
        "fix": found.fix.model_dump(mode="json"),
    }


def _fix(card: Document) -> Iterator[str]:
    """Yield what to do, in the order in which it is done."""
    yield from card["check"]
    yield from (f"Run: {command}" for command in card["commands"])
    if card["done_when"]:
        yield f"Done when: {card['done_when']}"
