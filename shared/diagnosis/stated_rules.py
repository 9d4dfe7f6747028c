"""Rules about faults that whoever found them names. They stand before all others: a log tells what a
program met on its way, and not why a person said no or a time was over.
"""

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import Find, Finding, Rule, fact
from shared.events.evidence import Stated

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
WHY = "windlass why {pipeline} {stage}"


def _stated(by: Stated) -> Find:
    """Find it in the statement alone: no line is shown beside it, for none is the cause."""
    seen = fact(lambda case: case.stated == by)

    def find(case: Case) -> Finding | None:
        finding = seen(case)
        return Finding(finding.place) if finding else None

    return find


STATED_RULES: tuple[Rule, ...] = (
    Rule(
        "outputs_not_readable",
        _stated("outputs"),
        "The script ended well, but what it wrote to $WINDLASS_OUTPUT is not one NAME=VALUE to a line.",
        (LOGS,),
    ),
    Rule("tests_failed", _stated("report"), "Tests failed: their report names them.", (LOGS,)),
    Rule("rejected_by_a_person", _stated("rejected"), "A person rejected it.", (WHY,)),
    Rule("answered_by_nobody", _stated("unanswered"), "Nobody decided about it in time.", (WHY,)),
    Rule("value_missing", _stated("lacking"), "A value that the step needs was not there.", (WHY,)),
    Rule(
        "deployment_time_limit_passed_before",
        _stated("not_begun"),
        "The deployment's time limit passed before it could begin here; nothing was done in this stage.",
        (WHY,),
    ),
    Rule(
        "deployment_time_limit_passed",
        _stated("deployment_limit"),
        "The deployment did not end within its time limit; what was not done by then was ended.",
        (WHY, LOGS),
    ),
)
