"""The JSON Schemas: what they take, what they refuse and where, and that they agree with the reader."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from shared.artifact_types import ARTIFACT_TYPES
from shared.language.criteria import check_criteria
from shared.language.definition_reading import read_definition
from shared.language.manifest.part import OURS
from shared.language.node import Mapping
from shared.language.problem import Problems
from shared.language.reading import plain
from shared.language.schema import DRAFT, Kind, document, schema
from shared.language.schema_form import draft_07, references
from shared.language.source_map import read_source
from shared.plan import Plan
from shared.step_types import STEP_TYPES
from shared.step_types.catalogue import ANY_CUSTOM, DEVRAMPS
from tests.unit.language.schema_file import DEVRAMPS_FILE, OUR_FILE
from tests.unit.language.schema_judge import Judge

ROOT = Path(__file__).parents[3]
KINDS: tuple[Kind, ...] = get_args(Kind)
WORDS = {*Draft7Validator.VALIDATORS, "$schema", "default", "definitions", "description", "examples", "title"}
WORDS |= {"then", "else"}  # of which `if` speaks


def loaded(text: str) -> Any:
    """Return a file's values as the language reads them: `on` is a word there."""
    problems = Problems("pipeline.yaml")
    root = read_source(text.encode(), problems)
    assert isinstance(root, Mapping), problems.listed()
    return plain(root)


@pytest.fixture(scope="module")
def judges() -> dict[Kind, Judge]:
    return {kind: Judge(schema(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_on_disk_is_what_the_code_says(kind: Kind) -> None:
    assert (ROOT / f"docs/schemas/{kind}.json").read_text("utf-8") == document(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_the_same_each_time_and_plain_json(kind: Kind) -> None:
    assert document(kind) == document(kind)
    assert json.loads(document(kind)) == schema(kind)
    assert schema(kind)["$schema"] == DRAFT
    assert next(iter(OURS)) not in document(kind)


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(part, dict):
        return
    yield part
    for word in ("properties", "patternProperties", "definitions"):
        for each in part.get(word, {}).values():
            yield from _schemas(each)
    for word in ("items", "additionalProperties", "not", "if", "then", "else"):
        yield from _schemas(part.get(word))
    for word in ("anyOf", "oneOf", "allOf"):
        for each in part.get(word, ()):
            yield from _schemas(each)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_refers_to_what_it_has_and_has_what_it_refers_to(kind: Kind) -> None:
    made = schema(kind)
    assert {*references(made)} == {*made["definitions"]}
    assert [each for each in _schemas(made) if "$ref" in each and len(each) > 1] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one_of_draft_07(kind: Kind) -> None:
    Draft7Validator.check_schema(schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_is_one_of_draft_07_and_every_pattern_compiles(kind: Kind) -> None:
    for each in _schemas(schema(kind)):
        assert each.keys() <= WORDS
        for pattern in [each["pattern"]] if "pattern" in each else each.get("patternProperties", {}):
            re.compile(pattern)


@pytest.mark.parametrize("kind", KINDS)
def test_mappings_with_keys_of_ours_are_strict(kind: Kind) -> None:
    made = schema(kind)
    loose = [
        name
        for name, each in made["definitions"].items()
        if each.get("type") == "object" and each.get("additionalProperties") is not False
    ]
    assert loose == []


@pytest.mark.parametrize("kind", ["pipeline", "devramps"])
def test_every_example_in_a_schema_is_taken_by_it(kind: Kind, judges: dict[Kind, Judge]) -> None:
    for each in _schemas(judges[kind].schema):
        for example in each.get("examples", ()):
            assert judges[kind].takes(example, each), (example, each)


@pytest.mark.parametrize("kind", ["pipeline", "devramps"])
def test_every_key_of_a_file_is_described(kind: Kind) -> None:
    bare = [
        f"{name}.{key}"
        for name, each in schema(kind)["definitions"].items()
        for key, value in each.get("properties", {}).items()
        if "description" not in value
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("devramps", DEVRAMPS_FILE, id="DevRamps'"),
        pytest.param("pipeline", OUR_FILE, id="ours"),
        pytest.param("pipeline", DEVRAMPS_FILE, id="DevRamps' in our folder"),
    ],
)
def test_a_whole_file_is_taken(kind: Kind, text: str, judges: dict[Kind, Judge]) -> None:
    assert judges[kind].refused(loaded(text)) == []


def test_the_example_of_the_readme_is_taken(judges: dict[Kind, Judge]) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert judges["pipeline"].refused(loaded(example)) == []


@pytest.mark.parametrize("prefix", ["", DEVRAMPS])
@pytest.mark.parametrize("kind", ["pipeline", "devramps"])
@pytest.mark.parametrize("row", STEP_TYPES.values(), ids=lambda row: row.name)
def test_the_catalogues_steps_are_taken_in_both_notations(
    row: Any, kind: Kind, prefix: str, judges: dict[Kind, Judge]
) -> None:
    step = loaded(row.example)
    step["type"] = prefix + step["type"]
    assert judges[kind].refused(step, "Step") == []


@pytest.mark.parametrize("prefix", ["", DEVRAMPS])
@pytest.mark.parametrize("row", ARTIFACT_TYPES.values(), ids=lambda row: row.name)
def test_the_catalogues_artifacts_are_taken_in_both_notations(
    row: Any, prefix: str, judges: dict[Kind, Judge]
) -> None:
    [artifact] = loaded(row.example).values()
    artifact["type"] = prefix + artifact["type"]
    assert judges["pipeline"].refused(artifact, "Artifact") == []


@pytest.mark.parametrize("row", [*STEP_TYPES.values(), *ARTIFACT_TYPES.values()], ids=lambda row: row.name)
def test_a_parameter_that_a_type_does_not_have_is_refused(row: Any, judges: dict[Kind, Judge]) -> None:
    entry = loaded(row.example)
    name = "Step" if row.name in STEP_TYPES else "Artifact"
    entry = entry if name == "Step" else next(iter(entry.values()))
    entry["params"]["clutser_name"] = "shop"
    found = judges["pipeline"].refused(entry, name)
    assert found == ([] if row.name == ANY_CUSTOM else [("params", "clutser_name")])


def _changed(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy with one value changed; `...` takes it out."""
    copied = deepcopy(document)
    inner = copied
    for part in path[:-1]:
        inner = inner[part]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copied


STAGE = ("pipeline", "stages", 0)
STEPS = ("pipeline", "steps")
SMOKE = (*STEPS, 4)
STOREFRONT = ("pipeline", "artifacts", "Storefront")
ROLL_OUT = (*STEPS, 3, "params")


@pytest.mark.parametrize(
    ("path", "value", "refused"),
    [
        pytest.param(("version",), "2", ("version",), id="another version"),
        pytest.param(("version",), 1.0, ("version",), id="a version without quotes"),
        pytest.param(("pipeline", "stages"), ..., ("pipeline", "stages"), id="no stages"),
        pytest.param(("pipeline", "steps"), [], STEPS, id="an empty list of steps"),
        pytest.param(("pipeline", "trakcs"), "main", ("pipeline", "trakcs"), id="a misspelt key"),
        pytest.param((*STAGE, "variables"), {}, (*STAGE, "variables"), id="vars by another name"),
        pytest.param((*STAGE, "name"), "Beta Stage", (*STAGE, "name"), id="a stage that is no slug"),
        pytest.param((*STAGE, "account_id"), 100000000001, (*STAGE, "account_id"), id="a number"),
        pytest.param((*STAGE, "account_id"), "1234", (*STAGE, "account_id"), id="a short account"),
        pytest.param((*STAGE, "region"), "Frankfurt", (*STAGE, "region"), id="no region"),
        pytest.param((*STAGE, "skip"), "soak", (*STAGE, "skip"), id="a text for a list"),
        pytest.param((*STAGE, "timeout_minutes"), 0, (*STAGE, "timeout_minutes"), id="no time at all"),
        pytest.param((*STEPS, 0, "type"), "ECS:DEPLOI", (*STEPS, 0, "type"), id="a type that is none"),
        pytest.param((*STEPS, 0, "type"), "CUSTOM:", (*STEPS, 0, "type"), id="custom without a name"),
        pytest.param((*STEPS, 0, "host_size"), "small", (*STEPS, 0), id="a host of its own"),  # nearest told
        pytest.param((*STEPS, 0, "params"), ..., (*STEPS, 0, "params"), id="parameters that are needed"),
        pytest.param((*STEPS, 0, "params", "source"), "terraform", (*STEPS, 0, "params", "source"),
                     id="a path without its slash"),
        pytest.param((*STEPS, 0, "params", "requires_approval"), "SOMETIMES",
                     (*STEPS, 0, "params", "requires_approval"), id="a mode that is none"),
        pytest.param((*STEPS, 0, "params", "timeout"), "40", (*STEPS, 0, "params", "timeout"),
                     id="minutes in quotes"),
        pytest.param((*STEPS, 0, "params", "timeout"), "${{ vars.a }}", (*STEPS, 0, "params", "timeout"),
                     id="minutes of an expression"),
        pytest.param((*ROLL_OUT, "desired_count"), "3", (*ROLL_OUT, "desired_count"),
                     id="a number in quotes"),
        pytest.param((*ROLL_OUT, "circuit_breaker"), "yes", (*ROLL_OUT, "circuit_breaker"),
                     id="a word for a switch"),
        pytest.param((*STEPS, 6, "params", "duration_minutes"), 0, (*STEPS, 6, "params", "duration_minutes"),
                     id="a bake of no minutes"),
        pytest.param((*STOREFRONT, "rebuild_when_changed"), ["/web/*.ts"],
                     (*STOREFRONT, "rebuild_when_changed", 0), id="a glob of sources"),
        pytest.param((*STOREFRONT, "params", "file_path"), ...,
                     (*STOREFRONT, "params", "file_path"), id="nothing to keep"),
        pytest.param(("pipeline", "artifacts"), [], ("pipeline", "artifacts"), id="a list of artifacts"),
        pytest.param(("pipeline", "notifications", "slack", "events"), ["stage_fialed"],
                     ("pipeline", "notifications"), id="an event that is none"),
    ],
)  # fmt: skip
def test_a_seeded_mistake_is_refused_where_it_stands(
    path: tuple[str | int, ...], value: Any, refused: tuple[str | int, ...], judges: dict[Kind, Judge]
) -> None:
    wrong = _changed(loaded(DEVRAMPS_FILE), path, value)
    assert judges["pipeline"].refused(wrong) == [refused]


@pytest.mark.parametrize("judged", ["pipeline", "devramps"])
def test_what_a_schema_refuses_the_reader_refuses_too(judged: Kind, judges: dict[Kind, Judge]) -> None:
    text = DEVRAMPS_FILE.replace('account_id: "100000000001"', "account_id: 100000000001")
    assert judges[judged].refused(loaded(text)) != []
    assert read_definition("pipeline.yaml", text.encode(), "devramps").problems


@pytest.mark.parametrize(
    ("path", "value", "refused"),
    [
        pytest.param(("version",), "1", ("version",), id="our version"),
        pytest.param(("pipeline", "windows"), {}, ("pipeline", "windows"), id="windows of its own"),
        pytest.param(("pipeline", "tracks"), ["main"], ("pipeline", "tracks"), id="several branches"),
        pytest.param((*STAGE, "deployment_time_window"), "berlin", (*STAGE, "deployment_time_window"),
                     id="a window that is no preset"),
        pytest.param((*STAGE, "target"), "local", (*STAGE, "target"), id="a target"),
        pytest.param((*STAGE, "region"), ..., (*STAGE, "region"), id="a stage without a region"),
        pytest.param((*STEPS, 0, "attempts"), 3, (*STEPS, 0, "attempts"), id="attempts"),
        pytest.param((*STOREFRONT, "timeout_minutes"), 3,
                     (*STOREFRONT, "timeout_minutes"), id="a build's time limit"),
        pytest.param((*SMOKE, "params", "results"), "r.xml", (*SMOKE, "params", "results"),
                     id="a parameter"),
    ],
)  # fmt: skip
def test_what_is_ours_is_refused_in_a_devramps_file(
    path: tuple[str | int, ...], value: Any, refused: tuple[str | int, ...], judges: dict[Kind, Judge]
) -> None:
    wrong = _changed(loaded(DEVRAMPS_FILE), path, value)
    assert judges["devramps"].refused(wrong) == [refused]


def test_a_plan_is_taken_and_nothing_beside_it(judges: dict[Kind, Judge]) -> None:
    plan = Plan.model_validate(
        {
            "pipeline": "shop", "repository": "acme/shop", "remote": "r", "branch": "main",
            "commit": "1f" * 20, "artifacts": [], "stages": [
                {"name": "live", "target": "local", "steps": [
                    {"id": "a", "name": "A", "type": "SCRIPT:EXECUTE", "params": {"env": {"T": None}},
                     "goes_after": [], "timeout_seconds": 3.0,
                     "late": [{"at": ["env", "T"], "value": {"kind": "joined", "parts": [
                         {"kind": "constant", "value": "x"},
                         {"kind": "secret", "owner": "stage", "name": "T"}]}}]}]}],
        }
    )  # fmt: skip
    dumped = plan.model_dump(mode="json")
    assert judges["plan"].refused(dumped) == []
    assert judges["plan"].refused({**dumped, "version": "2"}) == [("version",)]
    assert judges["plan"].refused({**dumped, "colour": "red"}) == [("colour",)]


def test_a_tuple_of_several_types_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        draft_07({"type": "array", "prefixItems": []})


@pytest.mark.parametrize("value", [None, [], "text", 7, {"version": None}, {"pipeline": [[]]}])
def test_a_file_of_nonsense_is_refused(value: Any, judges: dict[Kind, Judge]) -> None:
    assert judges["pipeline"].refused(value) != []


VALUES: tuple[Any, ...] = (None, True, 7, 1.5, "", "x", "/x", [], ["x"], [7], {}, {"x": "y"}, {"x": 7})


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _places(each, (*path, key))


def _is_beyond_limits(params: dict[str, Any]) -> bool:
    """Tell whether the reader refuses a verification that the model takes."""
    problems = Problems("pipeline.yaml")
    nowhere = read_source(b"{}", problems)
    assert isinstance(nowhere, Mapping)
    check_criteria(params, nowhere, "a step", problems)
    return bool(problems.listed())


@pytest.mark.parametrize(
    ("key", "inside", "outside"),
    [
        pytest.param(("successes",), (1, 100), (0, 101), id="successes"),
        pytest.param(("interval_seconds",), (0.05, 60), (0.04, 60.5), id="interval"),
        pytest.param(("latency_seconds_max",), (0.01, 120), (0, 120.5), id="latency"),
        pytest.param(("deadline_seconds",), (0.1, 3600), (0.05, 3601), id="deadline"),
        pytest.param(("paths",), ([{}], [{}] * 50), ([], [{}] * 51), id="how many paths"),
        pytest.param(("paths", 0, "path"), ("/", "/" + "a" * 1999),
                     ("", "a", "/a b", "/\xe9", "/" + "a" * 2000), id="a path"),
        pytest.param(("paths", 0, "status"), (100, 599), (99, 600), id="a status"),
    ],
)  # fmt: skip
def test_the_limits_of_a_verification_are_those_that_the_reader_holds_it_to(
    key: tuple[str | int, ...], inside: tuple[Any, ...], outside: tuple[Any, ...], judges: dict[Kind, Judge]
) -> None:
    verify: dict[str, Any] = {"paths": [{}]}
    for value, refused in [*((each, False) for each in inside), *((each, True) for each in outside)]:
        changed = _changed(verify, key, value)
        assert bool(judges["pipeline"].refused(changed, "Criteria")) == refused, value
        assert _is_beyond_limits({"verify": changed}) == refused, value


@pytest.mark.parametrize(("seconds", "refused"), [(0, False), (600, False), (-1, True), (600.5, True)])
def test_the_limits_of_a_grace_are_those_that_the_reader_holds_it_to(
    seconds: float, refused: bool, judges: dict[Kind, Judge]
) -> None:
    params = {"artifact": "shop", "command": ["run"], "grace_seconds": seconds}
    assert bool(judges["pipeline"].refused(params, "LocalServiceDeploy")) == refused
    assert _is_beyond_limits(params) == refused


@pytest.mark.parametrize("row", [*STEP_TYPES.values(), *ARTIFACT_TYPES.values()], ids=lambda row: row.name)
def test_what_a_types_model_takes_its_schema_takes_too(row: Any, judges: dict[Kind, Judge]) -> None:
    judge = judges["pipeline"]
    if row.name == ANY_CUSTOM:
        return
    entry = loaded(row.example)
    params = entry.get("params") or next(iter(entry.values()))["params"]
    params = {**{name: None for name in row.params.model_fields if name not in params}, **params}
    taken = 0
    for place in [*_places(params)][1:]:
        for value in VALUES:
            changed = {key: each for key, each in _changed(params, place, value).items() if each is not None}
            try:
                row.params.model_validate(changed)
            except ValidationError:
                continue
            if _is_beyond_limits(changed):
                continue
            taken += 1
            assert judge.refused(changed, row.params.__name__) == [], (place, value)
    assert taken
