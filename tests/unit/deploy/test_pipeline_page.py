"""What the page about pipeline files lists is what the code has."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from services.builder.build_run import BuildOrder
from services.builder.environment import Surroundings
from services.builder.environment import environment as of_build
from services.deployer.adapters.local.environment import environment as of_step
from services.deployer.step_order import StepOrder
from shared.diagnosis.evidence import Setting
from shared.diagnosis.rules import classify
from shared.events import Evidence, LogLine
from shared.ids import BuildKey, Commit, Pipeline, Stage, Step
from shared.language.problem import RULES
from shared.plan import ArtifactPlan, StepPlan

PAGE = (Path(__file__).parents[3] / "docs/pipeline.md").read_text("utf-8")
PIPELINE, COMMIT, HOME = Pipeline("shop"), Commit("c" * 40), Path("/home")
STEP = StepPlan(
    id=Step("say"), name="Say", type="SCRIPT:EXECUTE", params={}, goes_after=(), timeout_seconds=1.0
)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    told = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in told.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def own(environment: dict[str, str]) -> set[str]:
    return {name for name in environment if name.startswith("WINDLASS_")}


def test_a_line_that_is_told_to_be_tried_again_is() -> None:
    told = rows("When a step is tried again")
    assert len(told) >= 5
    for tool, line in told:
        log = (LogLine(at=datetime(2026, 1, 2, tzinfo=UTC), text=line.strip("`")),)
        seen = Evidence(phase="deploy", kind="process", message="", exit_code=1, log_tail=log)
        assert classify(seen, Setting()).answer.retryable, tool


def test_the_rules_are_those_of_the_language() -> None:
    assert [(rule.strip("`"), says) for rule, says in rows("Mistakes")] == [*RULES.items()]


def test_the_variables_are_those_that_steps_and_builds_see() -> None:
    run = UUID(int=1)
    step = of_step(
        StepOrder(PIPELINE, Stage("live"), run, 7, COMMIT, "", "v1", STEP, 1, "shop", "/srv/shop"),
        {},
        "",
        HOME,
    )
    recipe = ArtifactPlan(id="web", name="Web", build_key=BuildKey("a" * 64))
    order = BuildOrder(1, PIPELINE, 7, "remote", COMMIT, recipe)
    build = of_build(order, Surroundings(HOME, HOME, datetime(2026, 1, 2, tzinfo=UTC)))
    told = [({*re.findall("`(.*?)`", names)}, builds) for names, _, builds in rows("What commands see")]
    assert own(step) == {name for names, builds in told if builds != "only" for name in names}
    assert own(build) == {name for names, builds in told if builds for name in names}
    assert (step["WINDLASS_BRANCH"], step["WINDLASS_TAG"]) == ("", "v1")
