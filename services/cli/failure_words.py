"""A classified failure in words: what it is, what says so, and what to do about it.

A failure is told as the API has it: `failure_stage`, `category`, `code`, `retryable`, `rule`, `confidence`,
`likely_cause`, `evidence`, `fix`.
"""

from collections.abc import Iterator, Mapping

from services.cli.output import Document
from services.cli.paragraph import paragraph

CATALOG = "docs/reference/error-catalog.md"

CONFIDENCE: Mapping[str, str] = {
    "certain": "certain",
    "likely": "likely: a line says it, and another cause is possible",
    "guess": "a guess: only how it ended is known",
}


def told(failure: Document) -> Iterator[str]:
    """Yield all of it."""
    yield from found(failure)
    yield from to_do(failure)


def found(failure: Document) -> Iterator[str]:
    """Yield what it is and what says so."""
    yield from _named(failure)
    yield ""
    yield "Likely cause"
    yield from paragraph(failure["likely_cause"])
    if failure["evidence"]:
        yield ""
        yield "What says so"
        yield from _evidence(failure)


def to_do(failure: Document) -> Iterator[str]:
    """Yield its fix card; nothing where none is known."""
    if any(failure["fix"].values()):
        yield ""
        yield "What to do"
        yield from _fix_card(failure["fix"])


def _named(failure: Document) -> Iterator[str]:
    again = "it may pass by itself" if failure["retryable"] else "trying again alone will not help"
    yield f"  failed in  {failure['failure_stage']}: {failure['category']}"
    yield f"  code       {failure['code']}; {again}"
    yield f"  by rule    {failure['rule']}, {CONFIDENCE.get(failure['confidence'], failure['confidence'])}"
    yield f"             {CATALOG}#{failure['rule']}"


def _evidence(failure: Document) -> Iterator[str]:
    """Yield the lines that it rests on, each with its number in the log."""
    numbers = ["" if each["line"] is None else str(each["line"]) for each in failure["evidence"]]
    width = max(map(len, numbers))
    blank = f"  {'':>{width}} | " if width else "  | "
    for number, each in zip(numbers, failure["evidence"], strict=True):
        if number:
            yield f"  {number:>{width}} | {each['text']}"
        else:
            yield from paragraph(each["text"], blank, blank)


def _fix_card(fix: Document) -> Iterator[str]:
    for number, check in enumerate(fix["check"], 1):
        yield from paragraph(check, f"  {number}. ")
    for place, command in enumerate(fix["commands"]):
        yield f"  {'' if place else 'try':<9}  {command}"
    if fix["done_when"]:
        yield from paragraph(fix["done_when"], "  done when  ")
