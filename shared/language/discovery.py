"""Which pipelines a commit defines: the folders in `.windlass/` that hold a `pipeline.yaml`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.ids import Pipeline
from shared.language.problem import Place, Problems, did_you_mean, quoted
from shared.language.section import SLUG
from shared.plan import Problem
from shared.tree import Entry

FOLDER = ".windlass"
FILE = "pipeline.yaml"
LISTING_DEPTH = 2  # of FOLDER: the folders, and what is in them
PIPELINES_MAX = 100

_SLUG_RULE = "lower-case letters, digits and hyphens, at most 63, no hyphen first"
_NEARLY = re.compile(r"pipelines?\.(?:ya?ml|json)|windlass\.ya?ml", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """A pipeline file that was found."""

    slug: Pipeline
    path: str  # in the repository


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a commit defines, and what looks as if it should."""

    pipelines: tuple[PipelineFile, ...]
    problems: tuple[Problem, ...]


def discover(listing: Sequence[Entry] | None) -> Discovery:
    """Return the pipelines in a listing of `.windlass`, two levels deep; None: there is none."""
    found: list[PipelineFile] = []
    problems: list[Problem] = []
    for entry in listing or ():
        folder, _, name = entry.path.rpartition("/")
        complaint = _complaint(folder, name, entry)
        if complaint:
            gathered = Problems(_shown(entry.path))
            gathered.add(Place(0, 1), *complaint)
            problems.extend(gathered.listed())
        elif folder and name == FILE:
            found.append(PipelineFile(Pipeline(folder), f"{FOLDER}/{entry.path}"))
    if len(found) > PIPELINES_MAX:
        gathered = Problems(FOLDER)
        gathered.add(Place(0, 1), f"there are more than {PIPELINES_MAX} pipelines")
        problems.extend(gathered.listed())
    return Discovery(tuple(found[:PIPELINES_MAX]), tuple(problems))


def _complaint(folder: str, name: str, entry: Entry) -> tuple[str, str] | None:
    """Return what is wrong with an entry that is, or nearly is, a pipeline file."""
    if name != FILE:
        if entry.kind == "folder" or not _NEARLY.fullmatch(name):
            return None
        return f"{quoted(name)} is not read", did_you_mean(name, [FILE])
    if not folder:
        return "the file must be in a folder of its own", f"{FOLDER}/<pipeline>/{FILE}"
    if entry.kind not in {"file", "program"}:
        return f"this is a {entry.kind}, not a file", ""
    if not SLUG.fullmatch(folder):
        return f"the folder {quoted(folder)} cannot name a pipeline", _SLUG_RULE
    return None


def _shown(path: str) -> str:
    return f"{FOLDER}/{path}".encode("utf-8", "backslashreplace").decode()
