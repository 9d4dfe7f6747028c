"""The pipeline file that the README shows to newcomers is one."""

import re
from pathlib import Path

from shared.git import Entry
from shared.ids import Commit, Pipeline, Repository
from shared.language.definition_reading import read_definition
from shared.language.scope import Facts
from shared.language.synthesis import synthesize

README = Path(__file__).parents[3] / "README.md"


def test_the_example_of_the_readme_becomes_a_plan() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    definition = read_definition(".windlass/shop/pipeline.yaml", example.encode())
    facts = Facts(
        pipeline=Pipeline("shop"),
        repository=Repository("acme/shop"),
        remote="https://git.example/acme/shop.git",
        branch="main",
        commit=Commit("1f" * 20),
        revision=1,
        entries={source: Entry(source, "folder", "2e" * 20) for source in definition.sources},
    )
    synthesis = synthesize(definition, facts)
    plan = synthesis.plan
    assert plan, synthesis.problems
    assert [stage.name for stage in plan.stages] == ["staging", "production"]
