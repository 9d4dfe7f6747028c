"""Rules about how something ended, where nothing that was printed says why: the last ones, and unknown."""

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import IN_THE_END, Answer, Rule, fact
from shared.diagnosis.sample import failed

WHY = "windlass why {pipeline} {stage}"
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"


def _is_step_of_unknown_end(case: Case) -> bool:
    return case.kind == "unknown" and case.phase != "unknown"


STAGE_RULES: tuple[Rule, ...] = (
    Rule(
        "stage_time_limit_passed",
        fact(lambda case: case.kind == "timeout" and case.whole_stage, place=IN_THE_END),
        "The stage did not end within its time limit; its steps were stopped.",
        (WHY, LOGS),
        check=(
            "Which step took the time: `windlass runs` shows how long each of them took.",
            "Whether the stage's timeout_minutes leaves its slowest step enough.",
        ),
        done_when="The next run of the stage ends before its limit.",
        confidence="certain",
        example=failed("deploy", "copying", "timeout", whole_stage=True),
        near_miss=failed("deploy", "copying", "timeout"),
    ),
)
ENDING_RULES: tuple[Rule, ...] = (
    Rule(
        "verification_broke",
        fact(lambda case: case.phase == "verify" and case.kind == "error", place=IN_THE_END),
        "The deployment could not be judged; nothing is known against it.",
        (WHY,),
        answer=lambda _: Answer("verify", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
        check=("Whether Windlass itself was well at that time: its own log says what went wrong.",),
        done_when="A retry of the run is judged, one way or the other.",
        confidence="certain",
        example=failed("verify", kind="error"),
        near_miss=failed("deploy", kind="error"),
    ),
    Rule(
        "target_refused",
        fact(lambda case: case.kind == "target", place=IN_THE_END),
        "The target did not take the release.",
        (WHY,),
        check=("What the target answered: the message says it in its own words.",),
        done_when="A retry of the run gets past the step.",
        confidence="guess",
        example=failed("deploy", kind="target"),
        near_miss=failed("deploy", kind="error"),
    ),
    Rule(
        "time_limit_passed",
        fact(lambda case: case.kind == "timeout", place=IN_THE_END),
        "It did not end within its time limit.",
        (LOGS,),
        check=(
            "The last lines before the end: what it was doing then is what took so long, or waited.",
            "Whether it waits for an answer that nobody gives, such as a question on a terminal.",
            "Whether the step's timeout is long enough for what it does.",
        ),
        done_when="The step ends by itself within its limit.",
        confidence="certain",
        example=failed("deploy", "copying 1 of 900 files", "timeout"),
        near_miss=failed("deploy", "request timed out, trying again"),
    ),
    Rule(
        "cause_not_told",
        fact(_is_step_of_unknown_end, place=IN_THE_END),
        "No rule knows this failure; only in which step it happened is known.",
        (LOGS,),
        check=("The lines before the last ones: the first that speaks of an error is most often the cause.",),
        done_when="The step passes.",
        confidence="guess",
        example=failed("build", "it went wrong", "unknown"),
        near_miss=failed("unknown", "it went wrong", "unknown"),
    ),
    Rule(
        "not_recognised",
        fact(lambda _: True, place=IN_THE_END),
        "No rule knows this failure; the lines are the last ones before it.",
        (LOGS,),
        answer=lambda phase: Answer(phase, "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
        check=("The lines before the last ones: the first that speaks of an error is most often the cause.",),
        done_when="The same is tried again and passes.",
        confidence="guess",
        example=failed("unknown", "it went wrong", "unknown"),
        near_miss=failed("build", "it went wrong", "unknown"),
    ),
)
