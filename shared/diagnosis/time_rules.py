"""Rules about time limits, by what was going on when one passed."""

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import IN_THE_END, Find, Finding, Rule, ended, last_lines
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILT, CLONES, LOGS, TOOLS
from shared.diagnosis.waiting import asks, waits_for_lock

WHY = "windlass why {pipeline} {stage}"


def _last(tells: Find) -> Find:
    """Find it as the last that was said before the time was over."""

    def find(case: Case) -> Finding | None:
        if case.kind != "timeout" or case.phase not in TOOLS:
            return None
        return tells(case)

    return find


def _never_began(case: Case) -> Finding | None:
    if case.kind == "timeout" and case.phase in TOOLS and not case.lines:
        return Finding(IN_THE_END, last_lines(case))
    return None


TIME_RULES: tuple[Rule, ...] = (
    Rule(
        "waited_for_an_answer",
        _last(asks),
        "The time passed while a program asked a question that nobody can answer here.",
        (LOGS,),
        check=(
            "The question: it is the last line.",
            (
                "The option with which the program does not ask (--yes, --no-input, "
                "DEBIAN_FRONTEND=noninteractive)."
            ),
        ),
        done_when="The program goes on without a question.",
        confidence="certain",
        example=failed(
            "build", "After this operation, 212 MB will be used.\nDo you want to continue? [Y/n]", "timeout"
        ),
        near_miss=failed("build", "Do you want to continue? [Y/n] y\ncompiling", "timeout"),
    ),
    Rule(
        "waited_for_a_lock",
        _last(waits_for_lock),
        "The time passed while a program waited for another to let go of a lock.",
        (LOGS,),
        check=(
            "Who holds it: the message names the lock, and often the process.",
            "Whether that one still runs: what was killed may have left its lock behind.",
        ),
        done_when="The program gets the lock and goes on.",
        example=failed("build", "    Blocking waiting for file lock on package cache", "timeout"),
        near_miss=failed(
            "build", "    Blocking waiting for file lock on package cache\n   Compiling a v1", "timeout"
        ),
    ),
    Rule(
        "nothing_said_in_time",
        _never_began,
        "It did not end within its time limit, and printed nothing.",
        (WHY,),
        check=(
            "Whether it waits for something without saying so: the network, a lock, an answer.",
            "Whether it keeps what it prints until it ends.",
        ),
        done_when="It ends by itself within its limit.",
        confidence="guess",
        example=failed("deploy", "", "timeout"),
        near_miss=failed("deploy", "copying", "timeout"),
    ),
    Rule(
        "clone_timed_out",
        ended("timeout", CLONES),
        "The source was not fetched within its time limit.",
        ("git count-objects -vH", "windlass repo list"),
        check=(
            "How far it came: a large repository takes long the first time, and little afterwards.",
            "Whether the forge is slow or hardly reached from here.",
        ),
        done_when="The next fetch ends within its limit.",
        confidence="certain",
        example=failed("clone", "Receiving objects:  41% (52000/126829)", "timeout"),
        near_miss=failed("build", "Receiving objects:  41% (52000/126829)", "timeout"),
    ),
    Rule(
        "build_timed_out",
        ended("timeout", {"build"}),
        "The build did not end within its time limit.",
        (LOGS,),
        check=(
            "What it did in its last minutes: the last lines.",
            "What takes the time: dependencies that are fetched or compiled anew each time can be kept.",
            "Whether its timeout is long enough for a build without any cache.",
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", "compiling 312 of 4000", "timeout"),
        near_miss=failed("deploy", "compiling 312 of 4000", "timeout"),
    ),
)
