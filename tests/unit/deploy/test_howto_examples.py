"""The pipeline files that the how-tos show can be copied as they stand."""

import re
from pathlib import Path

import pytest

from shared.language.definition_reading import read_definition
from shared.language.synthesis import synthesize
from tests.unit.language.sample import FILE, facts

HOWTO = Path(__file__).parents[3] / "docs/howto"
EXAMPLES = [
    pytest.param(example, id=f"{page.stem} {number}")
    for page in sorted(HOWTO.glob("*.md"))
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL), 1)
    if re.search(r"^ *steps:", example, re.MULTILINE)
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_with_steps_becomes_a_plan_as_it_stands(example: str) -> None:
    definition = read_definition(FILE, example.encode())
    synthesis = synthesize(definition, facts(definition))
    assert not definition.problems
    assert synthesis.plan, synthesis.problems
    assert not synthesis.problems
