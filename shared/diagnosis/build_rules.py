"""Rules about builds where nothing more precise is known: how a build, or its output, ended."""

import re

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import IN_THE_END, Finding, Rule, ended, first_of
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILDS, BUILT, LOGS, NPM

LAST_LINES_READ = 20
_BUILD_FAILED = re.compile(  # what build tools say at a bad end, whatever its cause was
    r"(?:g?make)(?:\[\d{1,3}\])?: \*\*\* \[(?!.{0,60}\b(?:deploy|release|migrate|publish|push|start"
    r"|run|up)\]).{1,200}\]"
    r" Error \d|"
    + NPM
    + r"(?:Lifecycle script `(?:pre|post)?(?:build|test|lint|compile)\S{0,20}` failed|code ELIFECYCLE)"
    r"|\s?ELIFECYCLE\s{1,3}Command failed|error Command failed with exit code \d"
    r"|\[INFO\] BUILD FAILURE|BUILD FAILED(?: in \d.{0,20})?$|FAILURE: Build failed with "
    r"an exception|Build FAILED\.$"
    r"|ninja: build stopped|error: build failed|ERROR: Build did NOT complete|> Build failed"
    r"|Build failed (?:in|with) "
)


def _ended_badly(case: Case) -> Finding | None:
    """Find, in a log of which nothing is known, that it is a build's and that the build failed."""
    if case.phase != "unknown" or case.kind != "unknown":
        return None
    places = range(len(case.lines))[-LAST_LINES_READ:]
    place = next((each for each in places if _BUILD_FAILED.match(case.lines[each])), None)
    return None if place is None else Finding(IN_THE_END, (place,))


BUILD_RULES: tuple[Rule, ...] = (
    Rule(
        "output_missing",
        ended("artifact", BUILDS | {"publish"}),
        "The build's commands ended well, but the artifact's path is missing or cannot be packed.",
        (LOGS, "windlass plan"),
        check=(
            "The artifact's path in the pipeline file, against where the build puts what it makes.",
            "Whether the build makes it at all: the last lines say what it did.",
        ),
        done_when="The next build is followed by an artifact with a digest.",
        confidence="certain",
        example=failed("build", "done", "artifact", exit_code=0),
        near_miss=failed("build", "done", exit_code=1),
    ),
    Rule(
        "build_command_failed",
        first_of(ended("process", BUILDS), _ended_badly),
        "A command of the build ended with an error.",
        (LOGS,),
        home="build",
        check=(
            "The lines before the last ones: the first that speaks of an error is most often the cause.",
            "Whether the same command ends well in a fresh checkout on another machine.",
        ),
        done_when=BUILT,
        confidence="guess",
        example=failed("build", "make: *** [all] Error 2", exit_code=2),
        near_miss=failed("build", "sh: 1: tsc: not found", exit_code=127),
    ),
)
