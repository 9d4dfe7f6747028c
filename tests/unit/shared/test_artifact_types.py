"""The catalogue of artifact types: what each takes and refuses."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.artifact_types import ARTIFACT_TYPES, ArtifactType
from shared.ids import Step
from shared.placeholder import Late, OutputOf
from shared.step_types import canonical, written

LATE = Late(OutputOf(step=Step("infra"), name="value"))
ROWS = [pytest.param(row, id=row.name) for row in ARTIFACT_TYPES.values()]


def refused(type_: str, params: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return where and what a model says against parameters."""
    try:
        ARTIFACT_TYPES[type_].params.model_validate(params)
    except ValidationError as exc:
        return [(error["loc"], error["msg"]) for error in exc.errors()]
    return []


def example(row: ArtifactType) -> dict[str, Any]:
    [artifact] = yaml.safe_load(row.example).values()
    return dict(artifact)


@pytest.mark.parametrize("row", ROWS)
def test_an_example_is_an_artifact_of_its_type(row: ArtifactType) -> None:
    artifact = example(row)
    assert ARTIFACT_TYPES[canonical("DEVRAMPS:" + artifact["type"])] is row
    params = row.params.model_validate(artifact["params"])
    assert row.params.model_validate(json.loads(json.dumps(written(params)))) == params
    assert all(field.description for field in row.params.model_fields.values())


def test_images_and_bundles_are_built_or_imported() -> None:
    made = {(row.kind, row.imported): row.name for row in ARTIFACT_TYPES.values()}
    assert made == {
        ("bundle", False): "BUNDLE:BUILD",
        ("bundle", True): "BUNDLE:IMPORT",
        ("image", False): "DOCKER:BUILD",
        ("image", True): "DOCKER:IMPORT",
    }


@pytest.mark.parametrize(
    ("params", "lines"),
    [
        pytest.param({"build_commands": "make\nmake dist"}, ["make\nmake dist"], id="a text"),
        pytest.param({"build_commands": ["make", "make dist"]}, ["make", "make dist"], id="a list"),
        pytest.param({}, [], id="none"),
    ],
)
def test_build_commands_are_a_text_or_a_list(params: dict[str, Any], lines: list[str]) -> None:
    checked = ARTIFACT_TYPES["BUNDLE:BUILD"].params.model_validate({"file_path": "/dist", **params})
    assert written(checked) == {"build_commands": lines, "file_path": "/dist", "env": {}}


def test_only_the_environment_may_come_late() -> None:
    assert refused("BUNDLE:BUILD", {"file_path": "/a", "env": {"A": LATE}}) == []
    assert refused("DOCKER:BUILD", {"dockerfile": "/a", "env": {"A": LATE}}) == []
    for row in ARTIFACT_TYPES.values():
        for name in row.params.model_fields.keys() - {"env"}:
            params = {**example(row)["params"], name: LATE}
            assert [location[0] for location, _ in refused(row.name, params)] == [name]


IMAGE = "must be an image's name, with its registry and a tag or digest"
OBJECT = "must be the address of an object: s3://bucket/key"
S3: dict[str, Any] = {"source_s3_url": "s3://acme-releases/a.zip"}


@pytest.mark.parametrize(
    ("type_", "params", "location", "message"),
    [
        pytest.param("DOCKER:BUILD", {}, ("dockerfile",), "Field required", id="no Dockerfile"),
        pytest.param("DOCKER:BUILD", {"dockerfile": "/a", "args": ["RELEASE"]}, ("args", 0),
                     "must be NAME=value", id="an argument without a value"),
        pytest.param("DOCKER:BUILD", {"dockerfile": "/a", "args": ["--squash=1"]}, ("args", 0),
                     "must be NAME=value", id="an option for an argument"),
        pytest.param("DOCKER:BUILD", {"dockerfile": "/a", "build_root": "/.."}, ("build_root",),
                     "leaves the place it is in", id="a context outside"),
        pytest.param("BUNDLE:BUILD", {"file_path": "dist"}, ("file_path",),
                     "must start with a slash, which stands for the repository", id="no slash"),
        pytest.param("DOCKER:IMPORT", {"source_image_url": "https://a.example/b"}, ("source_image_url",),
                     IMAGE, id="a web page"),
        pytest.param("DOCKER:IMPORT", {"source_image_url": "-v"}, ("source_image_url",), IMAGE, id="a dash"),
        pytest.param("DOCKER:IMPORT", {"source_image_url": "a b"}, ("source_image_url",), IMAGE, id="two"),
        pytest.param("BUNDLE:IMPORT", {"source_s3_url": "s3://acme-releases"}, ("source_s3_url",), OBJECT,
                     id="a whole bucket"),
        pytest.param("BUNDLE:IMPORT", {"source_s3_url": "https://a.example/b"}, ("source_s3_url",), OBJECT,
                     id="another address"),
        pytest.param("BUNDLE:IMPORT", {**S3, "source_account": "123"}, ("source_account",),
                     "must be an AWS account id: exactly 12 digits", id="a short account"),
        pytest.param("BUNDLE:IMPORT", {**S3, "source_region": "Frankfurt"}, ("source_region",),
                     "must be an AWS region, like eu-west-1", id="no region"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused_in_a_plain_sentence(
    type_: str, params: Any, location: tuple[str | int, ...], message: str
) -> None:
    assert refused(type_, params) == [(location, message)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("row", ROWS)
@settings(max_examples=40)
@given(data=st.data())
def test_no_input_does_more_than_be_refused(row: ArtifactType, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*row.params.model_fields]))
    params = {**example(row)["params"], name: data.draw(JSON)}
    try:
        json.dumps(written(row.params.model_validate(params)))
    except ValidationError:
        return
