"""Which pipelines a commit defines: the folders in `.windlass/` and `.devramps/` with a `pipeline.yaml`.

A name stands for one pipeline, whichever of the two folders it lies in; the same in both is nobody's, and
is rejected rather than guessed. Of a folder that can name a pipeline and has no file that is read, the one
that nearly is gets the blame: a push then answers for that name, too.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shared.ids import Pipeline
from shared.language.problem import WHOLE_FILE, Problems, Rule, did_you_mean, quoted
from shared.language.reference import SLUG
from shared.plan import Problem
from shared.tree import Entry

Dialect = Literal["windlass", "devramps"]

FOLDERS: Mapping[Dialect, str] = {"windlass": ".windlass", "devramps": ".devramps"}
FOLDER = FOLDERS["windlass"]  # where we tell people to put theirs
FILE = "pipeline.yaml"
SCHEMA_FILE = "pipeline.schema.json"  # beside the pipelines' folders, for editors
LISTING_DEPTH = 2  # of a folder: the folders in it, and what is in them
PIPELINES_MAX = 100  # in both folders together

_SLUG_RULE = "lower-case letters, digits and hyphens, at most 63, no hyphen first"
_NEARLY = re.compile(r"pipelines?\.(?:ya?ml|json)|windlass\.ya?ml", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """A pipeline file that was found, or what stands in its place."""

    slug: Pipeline
    path: str  # in the repository
    dialect: Dialect = "windlass"
    problems: tuple[Problem, ...] = ()  # why it cannot be read where it is


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a commit defines, and what looks as if it should."""

    pipelines: tuple[PipelineFile, ...]
    rejected: tuple[PipelineFile, ...]  # names that somebody wants to be a pipeline's, and that are none
    problems: tuple[Problem, ...]  # all of them, those of the rejected ones among them


def discover(listing: Sequence[Entry] | None, devramps: Sequence[Entry] | None = None) -> Discovery:
    """Return the pipelines in listings of `.windlass` and `.devramps`; None: there is no such folder."""
    good: dict[Pipeline, PipelineFile] = {}
    bad: list[PipelineFile] = []
    listings: dict[Dialect, Sequence[Entry]] = {"windlass": listing or (), "devramps": devramps or ()}
    for dialect, entries in listings.items():
        for entry in entries:
            file = _file(entry, dialect)
            if file and not file.problems and file.slug in good:
                bad.append(_told_twice(good.pop(file.slug), file))
            elif file and not file.problems:
                good[file.slug] = file
            elif file:
                bad.append(file)
    blamed = tuple(_excused(file) if file.slug in good else file for file in bad)
    return _limited(
        tuple(good.values()), _rejected(good, blamed), tuple(p for f in blamed for p in f.problems)
    )


def _file(entry: Entry, dialect: Dialect) -> PipelineFile | None:
    """Return an entry that is, or nearly is, a pipeline file."""
    folder, _, name = entry.path.rpartition("/")
    file = PipelineFile(Pipeline(folder), f"{FOLDERS[dialect]}/{entry.path}", dialect)
    complaint = _complaint(folder, name, entry, FOLDERS[dialect])
    if complaint:
        return replace(file, problems=(_problem(file.path, *complaint),))
    return file if folder and name == FILE else None


def _complaint(folder: str, name: str, entry: Entry, around: str) -> tuple[str, str] | None:
    """Return what is wrong with an entry that is, or nearly is, a pipeline file."""
    if name != FILE:
        if entry.kind == "folder" or not _NEARLY.fullmatch(name):
            return None
        return f"{quoted(name)} is not read", did_you_mean(name, [FILE])
    if not folder:
        return "the file must be in a folder of its own", f"{around}/<pipeline>/{FILE}"
    if entry.kind not in {"file", "program"}:
        return f"this is a {entry.kind}, not a file", ""
    if not SLUG.fullmatch(folder):
        return f"the folder {quoted(folder)} cannot name a pipeline", _SLUG_RULE
    return None


def _told_twice(first: PipelineFile, second: PipelineFile) -> PipelineFile:
    message = f"{first.path} and {second.path} both define the pipeline {first.slug}"
    problem = _problem(first.path, message, "keep one of them, or rename the other's folder")
    return replace(first, problems=(problem,))


def _excused(file: PipelineFile) -> PipelineFile:
    """Return it with what is only worth telling, because another file defines the pipeline."""
    warnings = (problem.model_copy(update={"severity": "warning"}) for problem in file.problems)
    return replace(file, problems=tuple(warnings))


def _rejected(good: Container[str], blamed: Iterable[PipelineFile]) -> tuple[PipelineFile, ...]:
    """Return one file for each name that a pipeline can have and that has none that is read."""
    rejected: dict[str, PipelineFile] = {}
    for file in blamed:
        if file.slug not in good and SLUG.fullmatch(file.slug):
            first = rejected.get(file.slug, replace(file, problems=()))
            rejected[file.slug] = replace(first, problems=(*first.problems, *file.problems))
    return tuple(rejected.values())


def _limited(
    good: tuple[PipelineFile, ...], rejected: tuple[PipelineFile, ...], problems: tuple[Problem, ...]
) -> Discovery:
    if len(good) + len(rejected) <= PIPELINES_MAX:
        return Discovery(good, rejected, problems)
    too_many = _problem(FOLDER, f"there are more than {PIPELINES_MAX} pipelines", "", "limit")
    room = PIPELINES_MAX - len(good[:PIPELINES_MAX])
    return Discovery(good[:PIPELINES_MAX], rejected[:room], (too_many, *problems))


def _problem(path: str, message: str, hint: str, rule: Rule = "location") -> Problem:
    shown = path.encode("utf-8", "backslashreplace").decode()
    gathered = Problems(shown)
    gathered.add(WHOLE_FILE, message, hint, rule)
    return gathered.listed()[0]
