"""Gates: steps at which a run waits for people or for a time, and what people say there. Pure.

While a run stands at a gate its own time limit stands still: a person who takes a day must not time a
deployment out. The gate has a limit of its own instead, so that nothing waits for ever (L2).

Some steps are gates and nothing else (`GATES`). Others come to one: a test that failed, which a person
may let pass all the same, and changes of infrastructure that somebody must see before they are made.

An approval is of what was shown: the plan's hash, the digests of the artifacts, and the results or changes
that were told. All are fixed for an attempt; whoever approves may name what was shown, and is refused if
that is something else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from shared.events import Evidence, ProposedChanges, TestResults, Wait
from shared.events.evidence import Stated
from shared.events.shown import one_line
from shared.plan import StepPlan

MANUAL, BAKE, TEST = "APPROVAL:MANUAL", "APPROVAL:BAKE", "APPROVAL:TEST"
GATES = frozenset({MANUAL, BAKE})
ASKS_WHEN_FAILED = frozenset({TEST})  # a person decides about an attempt that did not pass
EXPIRES_AFTER_HOURS = 7 * 24  # where the step does not say; as APPROVAL:MANUAL

Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not pass, and would count all the same if somebody says so."""

    evidence: Evidence
    outputs: Mapping[str, str]
    tests: TestResults | None


@dataclass(frozen=True, slots=True)
class Given:
    """What one person said."""

    actor: str
    verdict: Verdict
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that is open to be answered."""

    step: StepPlan
    since: datetime
    deadline: datetime
    shown: str  # the digest of what an approval is of
    pusher: str  # whose push is deployed
    given: Sequence[Given] = ()
    failure: Failure | None = None  # a person decides whether it counts
    changes: ProposedChanges | None = None  # a person decides whether they are made

    @property
    def needed(self) -> int:
        """Return how many people must approve."""
        return int(self.step.params.get("approvals", 1))

    @property
    def approvers(self) -> Sequence[str]:
        """Return who may; empty: whoever may act on the stage."""
        return tuple(self.step.params.get("approvers", ()))


@dataclass(frozen=True, slots=True)
class Passes:
    """The run goes on."""

    outputs: dict[str, str]


@dataclass(frozen=True, slots=True)
class Applies:
    """The changes are made."""

    changes: ProposedChanges


@dataclass(frozen=True, slots=True)
class Fails:
    """The run fails here."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Counts:
    """It is noted, and more are needed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not count: why, and what would."""

    message: str


Answer = Passes | Applies | Fails | Counts | Refused


def needs_approval(step: StepPlan, changes: ProposedChanges) -> bool:
    """Tell whether somebody must see these changes first: by the step's mode, and never of none at all."""
    mode = step.params.get("requires_approval", "ALWAYS")
    if changes.is_empty or mode == "NEVER":
        return False
    return changes.destructive or mode != "DESTRUCTIVE_CHANGES_ONLY"


def shown_of(plan_hash: str, digests: Mapping[str, str], told: Mapping[str, Any] | None = None) -> str:
    """Return the digest of what people are shown when they are asked; `told`: results or changes."""
    parts = [plan_hash, dict(digests), *([dict(told)] if told else [])]
    document = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return sha256(document.encode()).hexdigest()[:16]


def deadline_of(step: StepPlan, now: datetime) -> datetime:
    """Return until when the gate waits."""
    if step.type == BAKE:
        return now + timedelta(minutes=step.params["duration_minutes"])
    return now + timedelta(hours=step.params.get("expires_after_hours") or EXPIRES_AFTER_HOURS)


def on_verdict(gate: Gate, given: Given, shown: str) -> Answer:
    """Decide what somebody's word at a gate does; `shown` is empty if they do not say what they saw."""
    if refusal := _does_not_count(gate, given, shown):
        return Refused(refusal)
    if given.verdict == "rejected":
        return Fails(_rejected(gate, given))
    approved = [each.actor for each in (*gate.given, given) if each.verdict == "approved"]
    if gate.step.type == MANUAL and len(set(approved)) < gate.needed:
        return Counts()
    if gate.changes:
        return Applies(gate.changes)
    if gate.failure:
        return Passes(dict(gate.failure.outputs))
    if gate.step.type == BAKE:
        return Passes({})
    return Passes({"approved_by": ", ".join(dict.fromkeys(approved)), "comment": given.comment})


def on_time(gate: Gate, now: datetime) -> Passes | Fails | None:
    """Decide what the gate's own time brings; None: nothing yet."""
    if now < gate.deadline:
        return None
    if gate.step.type == BAKE:
        return Passes({})
    unanswered = f"nobody approved step '{gate.step.name}' by {gate.deadline:%Y-%m-%d %H:%M} UTC"
    if gate.failure:
        return Fails(_still_failed(gate.failure, unanswered, now, "unanswered"))
    return Fails(
        Evidence(
            phase="deploy",
            kind="timeout",
            what=gate.step.name,
            message=unanswered,
            finished_at=now,
            stated="unanswered",
        )
    )


def wait_for(gate: Gate) -> Wait:
    """Return what the run waits for at the gate."""
    name = gate.step.name
    if gate.step.type == BAKE:
        return Wait(
            reason="bake",
            blocked_by=f"step '{name}' bakes",
            released_by="the end of its time, or somebody who ends it early",
            since=gate.since,
            deadline=gate.deadline,
        )
    have = sum(each.verdict == "approved" for each in gate.given)
    return Wait(
        reason="approval",
        blocked_by=f"step '{name}' {_asks(gate, have)}",
        released_by=", ".join(gate.approvers) or "somebody who approves or rejects it",
        since=gate.since,
        deadline=gate.deadline,
    )


def _asks(gate: Gate, have: int) -> str:
    if gate.failure:
        return f"failed: {one_line(gate.failure.evidence.message)}"
    if gate.changes:
        return f"would change infrastructure: {gate.changes.summary}"
    message = one_line(gate.step.params.get("message", ""))
    return f"has {have} of {gate.needed} approvals{f': {message}' if message else ''}"


def _still_failed(failure: Failure, why: str, now: datetime, stated: Stated) -> Evidence:
    """Return the failure as it was observed, with what became of the question whether it counts."""
    message = f"{failure.evidence.message}; {why}"
    return failure.evidence.model_copy(update={"message": message, "finished_at": now, "stated": stated})


def _does_not_count(gate: Gate, given: Given, shown: str) -> str:
    if given.at >= gate.deadline:
        return _too_late(gate)
    if shown and shown != gate.shown:
        return "what is to be approved is not what was shown: look at it again"
    return _may_not(gate, given) if gate.step.type == MANUAL else ""


def _too_late(gate: Gate) -> str:
    passed = f"the time of step '{gate.step.name}' was over at {gate.deadline:%Y-%m-%d %H:%M} UTC"
    return f"{passed}: the run goes on" if gate.step.type == BAKE else f"{passed}: retry the run"


def _may_not(gate: Gate, given: Given) -> str:
    name = gate.step.name
    if gate.approvers and given.actor not in gate.approvers:
        return f"only {_any_of(gate.approvers)} may answer for step '{name}'"
    if given.verdict == "approved" and not gate.step.params["self_approval"]:
        if not gate.pusher:
            unknown = f"step '{name}' is not approved by whose push it is, and nobody knows whose that is"
            return f"{unknown}: ask for it with `windlass deploy`"
        if _is_same(given.actor, gate.pusher):
            return f"step '{name}' is not approved by whose push it is ({gate.pusher})"
    if any(_is_same(each.actor, given.actor) and each.verdict == given.verdict for each in gate.given):
        return f"{given.actor} has approved step '{name}' already; {gate.needed} different people are needed"
    return ""


def _any_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _is_same(person: str, other: str) -> bool:
    """Tell whether two names are of one person: forges do not tell capitals from small letters in logins."""
    return person.casefold() == other.casefold()


def _rejected(gate: Gate, given: Given) -> Evidence:
    comment = f": {given.comment}" if given.comment else ""
    if gate.failure:
        return _still_failed(gate.failure, f"{given.actor} rejected it{comment}", given.at, "rejected")
    return Evidence(
        phase="deploy",
        kind="error",
        what=gate.step.name,
        message=f"{given.actor} rejected step '{gate.step.name}'{comment}",
        finished_at=given.at,
        stated="rejected",
    )


def given_document(given: Sequence[Given]) -> list[dict[str, Any]]:
    """Return it as JSON."""
    return [
        {"actor": each.actor, "verdict": each.verdict, "comment": each.comment, "at": each.at.isoformat()}
        for each in given
    ]


def given_from(documents: Sequence[Mapping[str, Any]]) -> tuple[Given, ...]:
    """Read it back."""
    return tuple(
        Given(each["actor"], each["verdict"], each["comment"], datetime.fromisoformat(each["at"]))
        for each in documents
    )
