"""The list of a pipeline file's keys says all that the models say."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from deploy.docs import key_reference
from deploy.docs.schema_words import default_in_words, in_words
from shared.language.manifest import PipelineFile
from shared.language.manifest.part import OURS
from shared.language.model_error import models_in

PAGE = key_reference.render()
SECTIONS = {each.model: each for each in key_reference.reference().sections()}


def models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield root
    for field in root.model_fields.values():
        for inner in models_in(field.annotation):
            yield from models(inner)


MODELS = {model.__name__: model for model in models(PipelineFile)}


def rows(model: str) -> dict[str, str]:
    heading = f"`{SECTIONS[model].title}`" if SECTIONS[model].title else "The file"
    told = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {line.split("`")[1]: line for line in told.splitlines() if line.startswith("| `")}


def test_every_mapping_of_a_file_is_told_once() -> None:
    assert SECTIONS.keys() == MODELS.keys()
    assert len(re.findall("^## ", PAGE, re.MULTILINE)) == len(MODELS)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.__name__)
def test_every_key_is_told_with_its_meaning_and_an_example(model: type[BaseModel]) -> None:
    told = rows(model.__name__)
    assert [*told] == [field.alias or name for name, field in model.model_fields.items()]
    for name, field in model.model_fields.items():
        line = told[field.alias or name]
        assert str(field.description) in line
        assert "needed" in line or not field.is_required()
        examples = [json.dumps(each, ensure_ascii=False, sort_keys=True) for each in field.examples or ()]
        assert all(f"`{example}`" in line for example in examples)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.__name__)
def test_what_is_windlass_s_own_is_not_told_as_devramps(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if field.json_schema_extra == OURS:
            assert "| DevRamps |" not in rows(model.__name__)[field.alias or name]


@pytest.mark.parametrize(
    ("model", "row"),
    [
        pytest.param(
            "Pipeline",
            '| `tracks` | text or list of text or [mapping](#pipelinetracks) | `"main"` | DevRamps |',
            id="several forms and what is usual",
        ),
        pytest.param("Pipeline", "| `steps` | list of [mapping](#pipelinesteps) | needed | DevRamps |",
                     id="what the reader asks for beyond the model"),
        pytest.param("Pipeline", "| `windows` | names to [mapping](#pipelinewindowsname) |  |  |", id="ours"),
        pytest.param("Tracks", "| `branches` | list of text |  |  |", id="a form that is ours"),
        pytest.param("Step", "| `attempts` | whole number, 1 to 10 or [mapping](#pipelinestepsattempts) |",
                     id="a number or more"),
        pytest.param("Stage", "| `timeout_minutes` | number above 0, at most 1440 |", id="bounds"),
        pytest.param("PathCheck", "| `status` | whole number, 100 to 599 |  |  |", id="bounds of one form"),
        pytest.param("Artifact", "| `envs` | names to text |", id="what is turned into a text"),
    ],
)  # fmt: skip
def test_a_key_is_told_in_words(model: str, row: str) -> None:
    assert any(line.startswith(row) for line in rows(model).values())


def test_every_link_leads_to_a_heading() -> None:
    headings = re.findall("^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub("[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert {*re.findall(r"\(#(.*?)\)", PAGE)} <= anchors


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        pytest.param({}, "anything", id="anything"),
        pytest.param({"const": "1"}, "`1`", id="one value"),
        pytest.param({"enum": ["", "a"]}, "empty · `a`", id="some values"),
        pytest.param({"type": "integer", "minimum": 1}, "whole number", id="half a bound"),
        pytest.param({"anyOf": [{"type": "string"}, {"type": ["number", "boolean"]}]}, "text", id="turned"),
        pytest.param({"anyOf": [{"type": "number"}, {"type": "null"}], "minimum": 0.5, "maximum": 2},
                     "number, 0.5 to 2", id="bounds beside the forms"),
        pytest.param({"type": "array", "items": {"allOf": [{"$ref": "Model"}]}}, "list of it", id="a model"),
    ],
)  # fmt: skip
def test_a_schema_is_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert in_words(schema, {"Model": "it"}) == words


def test_a_default_is_told_where_it_says_something() -> None:
    values: list[Any] = [None, "", [], {}, False, 0, "x"]
    told = [default_in_words({"default": value}) for value in values]
    assert told == ["", "", "", "", "`false`", "`0`", '`"x"`']
