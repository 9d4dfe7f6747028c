"""Reading a pipeline file, version 1 of the language, into a definition with all its problems.

Sections of artifacts, steps and stages are read in their own modules. What depends on facts of the
revision (expressions, the steps' parameters) is judged by `synthesis`.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.language.artifact_section import read_artifacts
from shared.language.definition import Definition
from shared.language.node import Node, Scalar
from shared.language.problem import Problems, quoted
from shared.language.reference import references
from shared.language.section import Section, read_section
from shared.language.source_map import read_source
from shared.language.stage_section import read_stage
from shared.language.step_section import link_steps, read_step

VERSION = "1"
TRACKS = "main"  # the branch that is deployed, unless the file says otherwise
STAGES_MAX = 20  # every stage plans every step: together with
STEPS_MAX = 100  # this, somewhat more than the largest plan has room for

Item = TypeVar("Item")


def read_definition(file: str, source: bytes) -> Definition:
    """Return what a pipeline file says, and everything that is wrong with it. Never raises."""
    problems = Problems(file)
    root = read_section(
        read_source(source, problems), "the file", ("version", "pipeline"), problems, ("pipeline",)
    )
    if root:
        _check_version(root, problems)
    keys = ("name", "tracks", "stages", "artifacts", "steps")
    body = root.node("pipeline") if root else None
    pipeline = read_section(body, "the pipeline", keys, problems, ("stages", "steps"))
    if pipeline is None:
        return Definition(file, "", TRACKS, (), (), (), problems.listed())
    return _read_pipeline(file, pipeline, problems)


def _read_pipeline(file: str, pipeline: Section, problems: Problems) -> Definition:
    artifacts = read_artifacts(pipeline.mapping("artifacts"), problems)
    drafts = _each(pipeline, "steps", STEPS_MAX, read_step)
    known = references("step", [draft.step for draft in drafts], problems)
    steps = link_steps(drafts, known, problems)
    stages = _each(pipeline, "stages", STAGES_MAX, lambda node, found: read_stage(node, known, found))
    names = [stage.name for stage in stages]
    for position, stage in enumerate(stages):
        if stage.name and stage.name in names[:position]:
            problems.add(stage.place, f"there is another stage named {quoted(stage.name)}")
    tracks = pipeline.text("tracks", TRACKS)
    name = pipeline.text("name")
    return Definition(file, name, tracks, artifacts, tuple(stages), steps, problems.listed())


def _check_version(root: Section, problems: Problems) -> None:
    node = root.node("version")
    hint = f'write version: "{VERSION}"'
    if node is None:
        problems.add(root.place, "the file needs version", hint)
    elif not isinstance(node, Scalar) or node.text != VERSION:
        problems.add(node.place, "this is not a version of the language", hint)


def _each(
    pipeline: Section,
    key: str,
    items_max: int,
    read: Callable[[Node, Problems], Item | None],
) -> Sequence[Item]:
    """Read every entry of a list that must not be empty."""
    listing = pipeline.listing(key)
    if listing is None:
        return []
    if not listing.items:
        pipeline.problems.add(listing.place, f"{key} must not be empty")
    if len(listing.items) > items_max:
        message = f"there are more than {items_max} {key}"
        pipeline.problems.add(listing.items[items_max].place, message)
    found = [read(node, pipeline.problems) for node in listing.items[:items_max]]
    return [item for item in found if item is not None]
