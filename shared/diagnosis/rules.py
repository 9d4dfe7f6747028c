"""The ordered rules and what is made of them: one classification for any failure, never none.

Deterministic and offline. What follows from a failure is the deployer's to decide.
"""

import shlex
from dataclasses import dataclass, replace

from shared.diagnosis.build_rules import BUILD_RULES
from shared.diagnosis.evidence import Case, Phase, Setting, case_of, case_of_log
from shared.diagnosis.probe_rules import PROBE_RULES
from shared.diagnosis.program_rules import PROGRAM_RULES
from shared.diagnosis.rule import IN_THE_END, Answer, Finding, Rule, fact
from shared.diagnosis.stated_rules import STATED_RULES
from shared.events import Evidence
from shared.events.verification import FailureCode

LINES_SHOWN_MAX = 6

ENDING_RULES: tuple[Rule, ...] = (
    Rule(
        "verification_broke",
        fact(lambda case: case.phase == "verify" and case.kind == "error", place=IN_THE_END),
        "The deployment could not be judged; nothing is known against it.",
        ("windlass why {pipeline} {stage}",),
        answer=lambda _: Answer("verify", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    ),
    Rule(
        "target_refused",
        fact(lambda case: case.kind == "target", place=IN_THE_END),
        "The target did not take the release.",
        ("windlass why {pipeline} {stage}",),
    ),
    Rule(
        "time_limit_passed",
        fact(lambda case: case.kind == "timeout", place=IN_THE_END),
        "It did not end within its time limit.",
        ("windlass logs {pipeline} {revision} --stage {stage}",),
    ),
    Rule(
        "not_recognised",
        fact(lambda _: True, place=IN_THE_END),
        "No rule knows this failure; the lines are the last ones before it.",
        ("windlass logs {pipeline} {revision} --stage {stage}",),
        answer=lambda phase: Answer(phase, "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    ),
)
STAGE_RULES: tuple[Rule, ...] = (
    Rule(
        "stage_time_limit_passed",
        fact(lambda case: case.kind == "timeout" and case.whole_stage, place=IN_THE_END),
        "The stage did not end within its time limit; its steps were stopped.",
        ("windlass why {pipeline} {stage}", "windlass logs {pipeline} {revision} --stage {stage}"),
    ),
)
RULES: tuple[Rule, ...] = (
    *STATED_RULES,
    *PROBE_RULES,
    *STAGE_RULES,
    *BUILD_RULES,
    *PROGRAM_RULES,
    *ENDING_RULES,
)


# About a run as a whole, over whatever its evidence says: rule, code, cause.
RollbackRule = tuple[str, FailureCode, str]
ROLLBACK_FAILED: RollbackRule = (
    "automatic_rollback_failed",
    "AUTOMATIC_ROLLBACK_FAILED",
    "The earlier revision could not be restored.",
)
NO_CANDIDATE: RollbackRule = (
    "no_rollback_candidate",
    "AUTOMATIC_ROLLBACK_NO_CANDIDATE",
    "It should have been rolled back, and no earlier revision was ever good here.",
)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a failure is, and what it rests on."""

    answer: Answer
    rule: str
    likely_cause: str
    lines: tuple[str, ...]
    commands: tuple[str, ...]


def classify(evidence: Evidence, setting: Setting) -> Classification:
    """Name a failed run's failure."""
    found = _classify(case_of(evidence, setting), setting)
    if setting.kind == "rollback":
        return _of_rollback(found, ROLLBACK_FAILED)
    if setting.no_candidate:
        return _of_rollback(found, NO_CANDIDATE)
    return found


def classify_log(text: str) -> Classification:
    """Name the failure that a bare log tells of."""
    return _classify(case_of_log(text), Setting())


def _classify(case: Case, setting: Setting) -> Classification:
    rule, finding = _earliest(case)
    phase: Phase = rule.home if case.phase == "unknown" else case.phase
    lines = dict.fromkeys(filter(None, (case.message, *finding.lines)))
    return Classification(
        answer=rule.answer(phase),
        rule=rule.name,
        likely_cause=rule.cause,
        lines=tuple(lines)[:LINES_SHOWN_MAX],
        commands=tuple(_fill(command, case, setting) for command in rule.commands),
    )


def _of_rollback(underlying: Classification, rule: RollbackRule) -> Classification:
    """Name the rollback's failure, and tell what it was with it."""
    name, code, cause = rule
    answer = Answer("rollback", "rollback_failure", code)
    told = f"{cause} {underlying.likely_cause}"
    return replace(underlying, answer=answer, rule=name, likely_cause=told)


def _earliest(case: Case) -> tuple[Rule, Finding]:
    """Return the rule whose cause stands first in the story; `min` keeps the first of equals."""
    found = [(rule, finding) for rule in RULES if (finding := rule.find(case))]
    return min(found, key=lambda pair: pair[1].place)


def _fill(command: str, case: Case, setting: Setting) -> str:
    probe = case.failed_probe
    values = {
        "pipeline": setting.pipeline,
        "stage": setting.stage,
        "revision": setting.revision,
        "url": probe.url if probe else "URL",
    }
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    return command.format_map(quoted)
