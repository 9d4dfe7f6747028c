"""Which pipelines a commit defines."""

import pytest

from shared.language.discovery import PIPELINES_MAX, discover
from shared.tree import Entry, Kind


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


def test_both_folders_define_pipelines_each_in_its_dialect() -> None:
    found = discover(entries("shop/pipeline.yaml"), entries("api/pipeline.yaml"))
    assert [(file.slug, file.path, file.dialect) for file in found.pipelines] == [
        ("shop", ".windlass/shop/pipeline.yaml", "windlass"),
        ("api", ".devramps/api/pipeline.yaml", "devramps"),
    ]
    assert (found.rejected, found.problems) == ((), ())


def test_one_name_in_both_folders_is_rejected_and_others_are_not() -> None:
    found = discover(entries("shop/pipeline.yaml", "web/pipeline.yaml"), entries("shop/pipeline.yaml"))
    assert [file.slug for file in found.pipelines] == ["web"]
    (shop,) = found.rejected
    assert shop.path == ".windlass/shop/pipeline.yaml"
    (problem,) = shop.problems
    assert problem.message == (
        ".windlass/shop/pipeline.yaml and .devramps/shop/pipeline.yaml both define the pipeline shop"
    )
    assert (problem.file, problem.line, problem.rule) == (shop.path, 0, "location")


def test_a_misnamed_file_rejects_its_pipeline_unless_a_good_one_is_beside_it() -> None:
    found = discover(entries("shop/pipeline.yml", "web/pipeline.yaml", "web/pipelines.yaml"))
    assert [file.slug for file in found.pipelines] == ["web"]
    assert [(file.slug, file.path) for file in found.rejected] == [("shop", ".windlass/shop/pipeline.yml")]
    assert [(problem.file, problem.severity) for problem in found.problems] == [
        (".windlass/shop/pipeline.yml", "error"),
        (".windlass/web/pipelines.yaml", "warning"),
    ]


def test_a_misnamed_file_in_one_folder_is_excused_by_a_good_one_in_the_other() -> None:
    found = discover(entries("shop/pipeline.yml"), entries("shop/pipeline.yaml"))
    assert [file.path for file in found.pipelines] == [".devramps/shop/pipeline.yaml"]
    assert found.rejected == ()
    assert [problem.severity for problem in found.problems] == ["warning"]


def test_two_files_that_are_nearly_a_pipelines_are_one_rejection() -> None:
    found = discover(entries("shop/pipeline.json"), entries("shop/pipeline.yml"))
    (shop,) = found.rejected
    assert [problem.file for problem in shop.problems] == [
        ".windlass/shop/pipeline.json",
        ".devramps/shop/pipeline.yml",
    ]


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
    assert [file.slug for file in found.rejected] == (["shop"] if path.startswith("shop/") else [])


@pytest.mark.parametrize("kind", ["link", "folder", "submodule"])
def test_a_pipeline_file_is_a_file(kind: Kind) -> None:
    found = discover(entries("shop/pipeline.yaml", kind=kind))
    assert found.pipelines == ()
    assert f"this is a {kind}" in found.rejected[0].problems[0].message


def test_more_pipelines_than_any_repository_has_are_not_read() -> None:
    found = discover(entries(*(f"p{number}/pipeline.yaml" for number in range(PIPELINES_MAX + 1))))
    assert len(found.pipelines) == PIPELINES_MAX
    assert "more than 100 pipelines" in found.problems[0].message


def test_the_most_pipelines_are_of_both_folders_together_and_of_the_rejected_too() -> None:
    names = [f"p{number}" for number in range(PIPELINES_MAX)]
    found = discover(entries(*(f"{name}/pipeline.yaml" for name in names)), entries("q/pipeline.yml"))
    assert (len(found.pipelines), found.rejected) == (PIPELINES_MAX, ())
    assert [problem.rule for problem in found.problems] == ["limit", "location"]
