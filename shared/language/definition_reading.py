"""Reading a pipeline file into a definition with all its problems.

Artifacts, steps and stages are read in their own modules. What depends on facts of the revision
(expressions, parameters of steps and artifacts) is judged by `synthesis`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from shared.language.artifact_reading import read_artifacts
from shared.language.criteria import check_criteria
from shared.language.definition import Definition, StageDefinition
from shared.language.discovery import Dialect
from shared.language.environment_reading import read_environments
from shared.language.infrastructure import with_infrastructure
from shared.language.manifest import Pipeline, StageDefaults
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Problems, did_you_mean, nearest, quoted
from shared.language.reading import Reader, is_empty, key_place, plain
from shared.language.reference import References, references
from shared.language.source_map import read_source
from shared.language.stage_reading import StageReader, check_vars, read_windows
from shared.language.step_reading import link_steps, read_step

VERSIONS: dict[Dialect, tuple[str, ...]] = {"windlass": ("1", "1.0.0"), "devramps": ("1.0.0",)}
STAGES_MAX = 100  # every stage plans every step: together with
STEPS_MAX = 100  # this, more than the largest plan has room for

MISSPELT_MAX = 20  # keys of the pipeline that are looked at for what they may mean

_OURS_APART = ("windows",)
_APART = ("stages", "steps", "artifacts", "windows", "ephemeral_environments", "stage_defaults")

Item = TypeVar("Item")


def read_definition(file: str, source: bytes, dialect: Dialect = "windlass") -> Definition:
    """Return what a pipeline file says, and everything that is wrong with it. Never raises."""
    problems = Problems(file)
    root = read_source(source, problems)
    body = _body(root, dialect, problems) if root else None
    if body is None:
        return Definition(file, dialect, Pipeline(), (), (), (), problems.listed(), tuple(problems.lines))
    return _read_pipeline(file, body, Reader(dialect, problems))


def _body(root: Node, dialect: Dialect, problems: Problems) -> Mapping | None:
    """Return the pipeline's own mapping, after the version was judged."""
    if not isinstance(root, Mapping):
        hint = f'version: "{VERSIONS[dialect][0]}", then pipeline:'
        problems.add(root.place, "the file must be a mapping", hint, "wrong-type")
        return None
    meant = _check_keys(root, problems)
    if "version" not in meant:
        _check_version(root, dialect, problems)
    body = root.get("pipeline")
    if body is None or is_empty(body):
        if "pipeline" not in meant:
            place = key_place(root, ("pipeline",))
            problems.add(place, "pipeline is missing in the file", "it holds stages and steps", "missing-key")
        return None
    if not isinstance(body, Mapping):
        problems.add(body.place, "pipeline must be a mapping", "it holds stages and steps", "wrong-type")
        return None
    return body


def _check_keys(root: Mapping, problems: Problems) -> set[str]:
    """Report what is no key of the file; return the keys that are probably meant."""
    known = ("version", "pipeline")
    meant: set[str] = set()
    for key, _ in root.entries:
        if key.text in known or problems.is_full:
            continue
        below = key.text in Pipeline.model_fields
        hint = "it belongs below pipeline:" if below else did_you_mean(key.text, known)
        problems.add(key.place, f"{quoted(key.text)} is not a key of the file", hint, "unknown-key")
        meant.add("pipeline" if below else nearest(key.text, known))
    return meant - set(root.keys())


def _check_version(root: Mapping, dialect: Dialect, problems: Problems) -> None:
    node = root.get("version")
    hint = f'write version: "{VERSIONS[dialect][0]}"'
    if node is None or is_empty(node):
        problems.add(root.place, "version is missing in the file", hint, "version")
    elif not isinstance(node, Scalar) or node.text not in VERSIONS[dialect]:
        shown = quoted(node.text) if isinstance(node, Scalar) else "this"
        problems.add(node.place, f"{shown} is not a version of the language", hint, "version")


def _read_pipeline(file: str, body: Mapping, reader: Reader) -> Definition:
    problems = reader.problems
    head = Mapping(tuple(entry for entry in body.entries if entry[0].text not in _APART), body.place)
    pipeline = reader.part(head, Pipeline, "the pipeline") or Pipeline()
    for key in (key for key, _ in body.entries if key.text in _OURS_APART and reader.dialect == "devramps"):
        reader.refuse_ours(key)
    _check_head(pipeline, body, reader)
    body = _as_meant(body)
    artifacts = read_artifacts(body, reader)
    drafts = _read(reader.entries(body, "steps", STEPS_MAX), lambda node: read_step(node, reader))
    known = references("step", [draft.step for draft in drafts], problems)
    if isinstance(written := body.get("steps"), Mapping) or len(_items(written)) > len(drafts):
        known = replace(known, is_whole=False)
    steps = link_steps(drafts, known, reader)
    stage_reader = _stage_reader(body, known, reader)
    nodes = reader.entries(body, "stages", STAGES_MAX)
    stages = _read(nodes, lambda node: _with_node(stage_reader.read(node), node))
    _check_stage_names([stage for stage, _ in stages], problems)
    environments = reader.mapping(body, "ephemeral_environments", "the pipeline")
    whole = pipeline.model_copy(
        update={
            "stage_defaults": stage_reader.defaults if stage_reader.defaults_node else None,
            "windows": stage_reader.windows,
            "ephemeral_environments": read_environments(environments, known, reader),
            "stages": tuple(stage.part for stage, _ in stages),
            "steps": tuple(step.part for step in steps),
            "artifacts": {artifact.name: artifact.part for artifact in artifacts},
        }
    )
    steps, planned = with_infrastructure(steps, stages, stage_reader.defaults_node, problems)
    return Definition(
        file,
        reader.dialect,
        whole,
        artifacts,
        planned,
        steps,
        problems.listed(),
        tuple(problems.lines),
        {key.text: key.place for key, _ in body.entries},
    )


def _as_meant(body: Mapping) -> Mapping:
    """Return a pipeline with misspelt sections under their names, so that what is in them is judged too."""
    known, there = list(Pipeline.model_fields), set(body.keys())
    unknown = [key for key, _ in body.entries if key.text not in known][:MISSPELT_MAX]
    meant: dict[str, str] = {}
    for key in unknown:
        section = nearest(key.text, known)
        if section in _APART and section not in there:
            there.add(section)
            meant[key.text] = section
    entries = [(replace(key, text=meant.get(key.text, key.text)), node) for key, node in body.entries]
    return Mapping(tuple(entries), body.place)


def _stage_reader(body: Mapping, known: References, reader: Reader) -> StageReader:
    named = reader.mapping(body, "windows", "the pipeline")
    windows = read_windows(named, reader)
    names = frozenset(named.keys()) if named else frozenset()
    node = reader.mapping(body, "stage_defaults", "the pipeline")
    defaults = reader.part(node, StageDefaults, "stage_defaults") if node else None
    if node:
        check_vars(node.get("vars"), reader)
        if isinstance(verify := node.get("verify"), Mapping):
            check_criteria({"verify": plain(verify)}, node, "stage_defaults", reader.problems)
    stage_reader = StageReader(reader, known, windows, names, defaults or StageDefaults(), node)
    stage_reader.judge_default()
    return stage_reader


def _check_head(pipeline: Pipeline, body: Mapping, reader: Reader) -> None:
    if pipeline.infrastructure_provider is not None:
        message = "infrastructure_provider has no effect: steps say what makes infrastructure"
        place = key_place(body, ("infrastructure_provider",))
        reader.problems.warn(place, message, "leave it out", "no-effect")
    tracks = body.get("tracks")
    if reader.dialect == "devramps" and tracks is not None and not isinstance(tracks, Scalar):
        message = "tracks in a DevRamps file must be the name of one branch"
        hint = "move the file to .windlass/<pipeline>/ to track more"
        reader.problems.add(tracks.place, message, hint, "wrong-type")


def _check_stage_names(stages: Sequence[StageDefinition], problems: Problems) -> None:
    seen: set[str] = set()
    for stage in stages:
        if stage.name and stage.name in seen:
            message = f"there is another stage named {quoted(stage.name)}"
            problems.add(stage.place, message, "names are unique in a pipeline", "duplicate")
        seen.add(stage.name)


def _items(node: Node | None) -> Sequence[Node]:
    return node.items if isinstance(node, Listing) else ()


def _with_node(stage: StageDefinition | None, node: Mapping) -> tuple[StageDefinition, Mapping] | None:
    return (stage, node) if stage else None


def _read(nodes: Sequence[Mapping], read: Callable[[Mapping], Item | None]) -> list[Item]:
    return [item for item in map(read, nodes) if item is not None]
