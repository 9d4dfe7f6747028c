"""What is to be approved, in words: all that is shown before a person's yes is asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime

from services.cli import words
from services.cli.output import Document

THE_FILE = "the changes of the pipeline file"
INDENT = " " * 12


def to_approve(approval: Document, run: Document) -> Iterator[str]:
    """Yield what an approval is of."""
    where = f"{run['pipeline']}/{run['stage']}"
    commit = f"{words.short(run['commit'])} {run['title']}".strip()
    about = f"revision {approval['revision']} ({commit})"
    if approval["definition"]:
        yield f"Changes of the pipeline file in {about}, before it begins in {where}:"
        yield from _of_definition(approval["definition"])
    else:
        yield f"Step {name_of(approval, run)} of {about} in {where}:"
        yield from _at_gate(approval["gate"])
    for each in approval["answers"]:
        comment = f": {each['comment']}" if each["comment"] else ""
        yield f"  {each['verdict']} by {each['actor']}{comment}"
    yield from _still_needed(approval)


def name_of(approval: Document, run: Document) -> str:
    """Return what a gate is called."""
    names = {step["step"]: step["name"] for step in run["steps"]}
    return names.get(approval["step"]) or str(approval["step"]) or THE_FILE


def _of_definition(held: Document) -> Iterator[str]:
    yield f"  plan      {held['plan_hash']}"
    yield from (f"  - {change}" for change in held["changes"])
    if held["further"]:
        yield f"  - and {held['further']} more: `windlass plan` shows all of them"


def _at_gate(gate: Document) -> Iterator[str]:
    yield f"  waits     {gate['wait']['blocked_by']}"
    yield f"  plan      {gate['plan_hash']}"
    for artifact, digest in sorted(gate["artifacts"].items()):
        yield f"  artifact  {artifact} {digest}"
    if gate["tests"]:
        yield from tests(gate["tests"])
    if gate["changes"]:
        yield from _changes(gate["changes"])


def tests(found: Document) -> Iterator[str]:
    """Yield what tests came to, and all of their failures that are told."""
    yield f"  tests     {counts(found)}"
    for each in found["failures"]:
        yield f"{INDENT}{each['name']}"
        yield from (f"{INDENT}  {line}" for line in each["message"].splitlines())
    if found["note"]:
        yield f"{INDENT}({found['note']})"
    further = (found["failed"] or 0) - len(found["failures"])
    if found["failures"] and further > 0:
        yield f"{INDENT}and {further} more: `windlass logs` has their output"


def counts(found: Document) -> str:
    """Return how a test command ended, with the numbers of its report if it wrote one."""
    code = found["exit_code"]
    ended = "ended from outside" if code is None else f"exit code {code}"
    numbers = [f"{found[name]} {name}" for name in ("passed", "failed", "skipped") if found[name] is not None]
    return ", ".join([*numbers, ended])


def _changes(changes: Document) -> Iterator[str]:
    yield f"  changes   {changes['summary']}"
    if changes["destructive"]:
        yield f"{INDENT}Something is destroyed or replaced."
    yield from (f"{INDENT}{change}" for change in changes["changes"])


def _still_needed(approval: Document) -> Iterator[str]:
    if approval["approvers"]:
        yield f"  by        {', '.join(approval['approvers'])}"
    if approval["needed"] > 1:
        yield f"  {approval['given']} of {approval['needed']} approvals so far"
    if approval["deadline"]:
        until = datetime.fromisoformat(approval["deadline"]).astimezone(UTC)
        yield f"  until     {until:%Y-%m-%d %H:%M} UTC ({words.ago(approval['deadline'])})"
