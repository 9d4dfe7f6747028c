"""`docs/reference/error-catalog.md`: every code a failure can have, and every rule that says which it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from deploy.docs.markdown import link, table
from services.status.aftermath import (
    ATTEMPTED_AGAIN,
    NO_CANDIDATE,
    ROLLBACK_FAILED,
    ROLLED_BACK,
    WAITS,
    Aftermath,
)
from shared.diagnosis.evidence import Case, Kind, Phase
from shared.diagnosis.rollback_rules import ROLLBACK_RULES, RollbackRule
from shared.diagnosis.rule import BY_PHASE, Answer, Rule
from shared.diagnosis.rules import RULES
from shared.diagnosis.vocabulary import FAILURE_CODES
from shared.events.verification import FailureCode

HEAD = """\
# Error catalogue

Written by `make docs` from `shared/diagnosis`; do not edit.

A run that fails is diagnosed: its failure gets a *stage* (where it happened), a *category* (what kind it is),
a *code* and the name of the *rule* that recognised it. The first three are closed vocabularies; whatever is
finer, the rule's name says. `windlass diagnose PIPELINE STAGE` shows it for a run, `windlass classify` for a
log: [how](../howto/diagnosis.md). What every stage and category means, and when which of those things follows
that stand below: [deployment status](deployment-status.md#failures).
"""
RULES_HEAD = """\
## Rules

Only what the step that failed left behind decides. What is known for certain (an exit code, a signal, an
error code, an answer to a probe) comes before what was printed; of what was printed the earliest cause
counts, for the rest most often follows from it. What no rule knows is called `not_recognised`, and says so.
"""
BY_PHASE_HEAD = """\
## By phase

What a failure is called if its rule says nothing else: a missing file is a failure of the build in a build,
and of the start when a release starts. A bare log has no phase: there it is the one that the rule is most
often met in.
"""
PHASES: tuple[Phase, ...] = get_args(Phase)
ENDINGS: Mapping[Kind, str] = {
    "timeout": "a time limit passed",
    "interrupted": "the host went down with it",
    "target": "the target refused it",
    "artifact": "the artifact cannot be packed or stored",
    "source": "the repository cannot be read",
}
FOLLOWS: Mapping[FailureCode, tuple[Aftermath, ...]] = {
    "AUTHENTICATION_FAILED": (WAITS, ROLLED_BACK),
    "CODEBUILD_DOCKER_IMAGE_BUILD_FAILED": (WAITS,),
    "DEPLOYMENT_VERIFICATION_FAILED": (ROLLED_BACK,),
    "AUTOMATIC_ROLLBACK_FAILED": (ROLLBACK_FAILED,),
    "AUTOMATIC_ROLLBACK_NO_CANDIDATE": (NO_CANDIDATE,),
    "MANUAL_ROLLBACK_FAILED": (ROLLBACK_FAILED,),
    "INFRASTRUCTURE_NETWORK_FAILURE": (ATTEMPTED_AGAIN, WAITS, ROLLED_BACK),
    "DEPLOYMENT_FAILED_GENERIC": (WAITS, ROLLED_BACK),
}
FILLED = {"pipeline": "PIPELINE", "stage": "STAGE", "revision": "REVISION", "url": "URL"}
BY_PHASE_LINK = "[by its phase](#by-phase)"
CONFIDENCE = {
    "certain": "Certain.",
    "likely": "Likely: another cause is possible.",
    "guess": "A guess: only how it ended is known.",
}


def render() -> str:
    """Return the whole page."""
    rules = sorted(RULES, key=lambda rule: rule.name)
    index = [*map(_row, rules), *map(_rollback_row, ROLLBACK_RULES)]
    return "\n".join(
        [
            HEAD,
            "## Codes\n",
            table(("Code", "Means", "Retryable", "What follows"), map(_code_row, FAILURE_CODES)),
            BY_PHASE_HEAD,
            table(("Phase", "Stage", "Category", "Code"), map(_phase_row, PHASES)),
            RULES_HEAD,
            table(("Rule", "Category", "Code", "Likely cause"), sorted(index)),
            *map(_rule, rules),
            *map(_rollback, ROLLBACK_RULES),
        ]
    )


def found_in(rule: Rule) -> tuple[Phase, ...]:
    """Return the phases in which the rule finds its example, if it happened there."""
    example = rule.example
    if example is None:
        return ()
    return tuple(phase for phase in PHASES if rule.find(replace(example, phase=phase)))


def _code_row(code: FailureCode) -> tuple[str, ...]:
    row = FAILURE_CODES[code]
    follows = ", or ".join(each.name for each in FOLLOWS[code])
    return f"`{code}`", row.meaning, "yes" if row.retryable else "no", follows


def _phase_row(phase: Phase) -> tuple[str, ...]:
    answer = BY_PHASE[phase]
    return f"`{phase}`", f"`{answer.stage}`", f"`{answer.category}`", f"`{answer.code}`"


def _row(rule: Rule) -> tuple[str, ...]:
    answers = [rule.answer(phase) for phase in _known(rule)]
    return link(rule.name), _named(answers, "category"), _named(answers, "code"), rule.cause


def _rollback_row(rule: RollbackRule) -> tuple[str, ...]:
    return link(rule.name), "`rollback_failure`", f"`{rule.code}`", rule.cause


def _named(answers: Sequence[Answer], part: str) -> str:
    names = {str(getattr(answer, part)) for answer in answers}
    return f"`{names.pop()}`" if len(names) == 1 else BY_PHASE_LINK


def _known(rule: Rule) -> tuple[Phase, ...]:
    """Return the phases that a failure of the rule can be told of: in a bare log it is the rule's home."""
    known = {rule.home if phase == "unknown" else phase for phase in found_in(rule)}
    return tuple(phase for phase in PHASES if phase in known)


def _rule(rule: Rule) -> str:
    parts = [f"### `{rule.name}`\n", f"{rule.cause} {CONFIDENCE[rule.confidence]}\n", _answers(rule)]
    if rule.example is not None:
        parts += _symptoms(rule.example)
    return "\n".join([*parts, *_card(rule.check, rule.commands, rule.done_when)])


def _rollback(rule: RollbackRule) -> str:
    named = f"`rollback` · `rollback_failure` · `{rule.code}`. What failed inside it is told with it.\n"
    card = _card(rule.check, rule.commands, rule.done_when)
    return "\n".join([f"### `{rule.name}`\n", f"{rule.cause} {CONFIDENCE['certain']}\n", named, *card])


def _answers(rule: Rule) -> str:
    """Return what a failure is called that the rule recognises, by the phase it happens in."""
    phases = _known(rule)
    listed = ", ".join(f"`{phase}`" for phase in phases)
    answers = [rule.answer(phase) for phase in phases]
    if len({*answers}) == 1:
        where = "" if len(phases) == len(PHASES) else f" In {listed}."
        return f"{_in_words(answers[0])}.{where}\n"
    if answers == [BY_PHASE[phase] for phase in phases]:
        return f"Named {BY_PHASE_LINK}: {listed}.\n"
    if len({(answer.category, answer.code) for answer in answers}) == 1:
        named = _in_words(answers[0]).partition(" · ")[2]
        return f"{named}, and the stage is that {BY_PHASE_LINK}: {listed}.\n"
    told = zip(phases, answers, strict=True)
    return "".join(f"- in `{phase}`: {_in_words(answer)}\n" for phase, answer in told)


def _in_words(answer: Answer) -> str:
    retryable = ", retryable" if answer.retryable else ""
    return f"`{answer.stage}` · `{answer.category}` · `{answer.code}`{retryable}"


def _symptoms(case: Case) -> Iterator[str]:
    facts = list(_facts(case))
    if facts or case.lines:
        told = "; ".join([*facts, *(["this output:"] if facts and case.lines else [])])
        yield f"Symptoms, for example: {told}".rstrip() + "\n"
    if case.lines:
        yield "\n".join(("```text", *case.lines, "```", ""))


def _facts(case: Case) -> Iterator[str]:
    if case.exit_code is not None:
        yield f"exit code {case.exit_code}"
    if case.signal:
        yield f"ended by {case.signal}"
    if case.provider_code:
        yield f"the error code `{case.provider_code}`"
    if case.stated:
        yield f"stated by who found it: `{case.stated}`"
    probe = case.failed_probe
    if probe is not None:
        status = f", with status {probe.status}" if probe.status is not None else ""
        yield f"a probe that failed: `{probe.fault}`{status}"
    if case.diagnostics is not None:
        yield f"its process is found {case.diagnostics.process}"
    if case.kind in ENDINGS:
        yield ENDINGS[case.kind]


def _card(check: Sequence[str], commands: Sequence[str], done_when: str) -> Iterator[str]:
    yield "".join(f"{number}. {sentence}\n" for number, sentence in enumerate(check, 1))
    if commands:
        filled = [command.format_map(FILLED) for command in commands]
        yield "\n".join(("```sh", *filled, "```", ""))
    if done_when:
        yield f"Done when: {done_when}\n"
