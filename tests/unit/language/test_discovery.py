"""Which pipelines a commit defines."""

import pytest

from shared.git import Entry
from shared.language.discovery import PIPELINES_MAX, discover
from shared.tree import Kind


def entries(*paths: str, kind: Kind = "file") -> list[Entry]:
    folders = {path.partition("/")[0] for path in paths if "/" in path}
    return [Entry(folder, "folder", "0" * 40) for folder in sorted(folders)] + [
        Entry(path, kind, "1" * 40) for path in paths
    ]


def test_each_folder_with_a_pipeline_file_is_a_pipeline() -> None:
    found = discover(entries("shop/pipeline.yaml", "shop/notes", "web-2/pipeline.yaml", "empty/x", "README"))
    assert [(file.slug, file.path) for file in found.pipelines] == [
        ("shop", ".windlass/shop/pipeline.yaml"),
        ("web-2", ".windlass/web-2/pipeline.yaml"),
    ]
    assert found.problems == ()


def test_a_repository_without_the_folder_defines_nothing() -> None:
    assert discover(None).pipelines == ()
    assert discover([]).problems == ()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("Shop/pipeline.yaml", 'the folder "Shop" cannot name a pipeline'),
        ("-x/pipeline.yaml", "cannot name a pipeline"),
        ("a_b/pipeline.yaml", "cannot name a pipeline"),
        ("x" * 64 + "/pipeline.yaml", "cannot name a pipeline"),
        ("bad\udcff\n/pipeline.yaml", "cannot name a pipeline"),
        ("pipeline.yaml", "in a folder of its own"),
        ("shop/pipeline.yml", '"pipeline.yml" is not read'),
        ("shop/Pipeline.yaml", '"Pipeline.yaml" is not read'),
        ("windlass.yaml", "is not read"),
    ],
)
def test_what_nearly_is_a_pipeline_is_said_to_be_none(path: str, message: str) -> None:
    found = discover(entries(path))
    assert found.pipelines == ()
    assert message in found.problems[0].message
    found.problems[0].model_dump_json().encode()


@pytest.mark.parametrize("kind", ["link", "folder", "submodule"])
def test_a_pipeline_file_is_a_file(kind: Kind) -> None:
    found = discover(entries("shop/pipeline.yaml", kind=kind))
    assert found.pipelines == ()
    assert f"this is a {kind}" in found.problems[0].message


def test_more_pipelines_than_any_repository_has_are_not_read() -> None:
    found = discover(entries(*(f"p{number}/pipeline.yaml" for number in range(PIPELINES_MAX + 1))))
    assert len(found.pipelines) == PIPELINES_MAX
    assert "more than 100 pipelines" in found.problems[0].message
