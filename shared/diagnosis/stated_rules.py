"""Rules about faults that whoever found them names. They stand before all others: a log tells what a
program met on its way, and not why a person said no or a time was over.
"""

from typing import Any

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import Find, Finding, Rule, fact
from shared.diagnosis.sample import failed
from shared.events.evidence import Stated

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
WHY = "windlass why {pipeline} {stage}"
RETRY = "windlass retry {pipeline} {stage} --reason WHY"
MISLEADING = "npm error code ECONNRESET\nKilled"  # printed on the way: no cause of what is stated


def stated(by: Stated) -> Find:
    """Find it in the statement alone: no line is shown beside it, for none is the cause."""
    seen = fact(lambda case: case.stated == by)

    def find(case: Case) -> Finding | None:
        finding = seen(case)
        return Finding(finding.place) if finding else None

    return find


def _said(by: Stated, **facts: Any) -> Case:
    return failed("deploy", MISLEADING, stated=by, **facts)


STATED_RULES: tuple[Rule, ...] = (
    Rule(
        "outputs_not_readable",
        stated("outputs"),
        "The script ended well, but what it wrote to $WINDLASS_OUTPUT is not one NAME=VALUE to a line.",
        (LOGS,),
        check=(
            "What the script writes into the file that $WINDLASS_OUTPUT names: NAME=VALUE and a line's end.",
            "Whether a value has several lines: such a value has to be put into one.",
        ),
        done_when="The step ends well, and its outputs are shown with the run.",
        confidence="certain",
        example=_said("outputs", exit_code=0),
        near_miss=_said("report", exit_code=0),
    ),
    Rule(
        "rejected_by_a_person",
        stated("rejected"),
        "A person rejected it.",
        (WHY,),
        check=("Who rejected it, and the reason that was given: both stand with the run.",),
        done_when="A later revision, or a retry, is approved.",
        confidence="certain",
        example=_said("rejected"),
        near_miss=_said("unanswered"),
    ),
    Rule(
        "answered_by_nobody",
        stated("unanswered"),
        "Nobody decided about it in time.",
        (WHY, RETRY),
        check=(
            "Who may decide, and whether they were told that something waits for them.",
            "Whether the time that is given for the answer is long enough, nights and weekends too.",
        ),
        done_when="A retry waits again, and somebody decides.",
        confidence="certain",
        example=_said("unanswered"),
        near_miss=_said("rejected"),
    ),
    Rule(
        "value_missing",
        stated("lacking"),
        "A value that the step needs was not there.",
        (WHY,),
        check=(
            "The value in the message: which step or stage gives it, and whether that was left out.",
            "Whether it is spelt there as it is used here.",
        ),
        done_when="The step begins its work.",
        confidence="certain",
        example=_said("lacking", kind="error"),
        near_miss=failed("deploy", "value missing: PRICE", exit_code=1),
    ),
    Rule(
        "deployment_time_limit_passed_before",
        stated("not_begun"),
        "The deployment's time limit passed before it could begin here; nothing was done in this stage.",
        (WHY, RETRY),
        check=(
            "What it waited for: a gate, a window, a stop, a run before it.",
            "Whether the limit of the whole deployment leaves time for all of its stages.",
        ),
        done_when="A retry, which the limit does not hold for, has begun in this stage.",
        confidence="certain",
        example=_said("not_begun", kind="timeout"),
        near_miss=_said("deployment_limit", kind="timeout"),
    ),
    Rule(
        "deployment_time_limit_passed",
        stated("deployment_limit"),
        "The deployment did not end within its time limit; what was not done by then was ended.",
        (WHY, LOGS),
        check=(
            "Which stage and step took the time: `windlass runs` shows how long each of them took.",
            "What had begun when it was ended: whether that is half done now.",
        ),
        done_when="The next deployment ends within its limit, or a retry of this one succeeds.",
        confidence="certain",
        example=_said("deployment_limit", kind="timeout"),
        near_miss=_said("not_begun", kind="timeout"),
    ),
)
