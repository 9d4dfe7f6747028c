"""Which files `windlass validate` is to look at: a repository's, those of a folder, or one anywhere."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from services.cli import working_copy
from services.cli.faults import MISUSED, CommandFault
from shared.language.discovery import FILE, FOLDERS, Dialect, Discovery, discover
from shared.language.problem import WHOLE_FILE, Problems
from shared.plan import Problem

_MAKE_ONE = "`windlass init` proposes one; it belongs into .windlass/NAME/pipeline.yaml."
_NAMES = tuple(FOLDERS.values())


class FoundFile(NamedTuple):
    """A file to look at, and what is wrong with it before it is read."""

    path: str  # from the repository's root, with slashes; absolute outside of any repository
    place: Path
    root: Path | None  # of the repository
    pipeline: str  # its slug; empty if it lies where no push finds it
    readable: bool  # false: it is no file that could be read, and its problems say so
    problems: tuple[Problem, ...] = ()

    @property
    def is_placed(self) -> bool:
        """Tell whether it lies among a repository's pipelines: then a link in its place is none."""
        return self.path.startswith(tuple(f"{name}/" for name in _NAMES))


@dataclass(slots=True)
class Search:
    """Finds what paths mean; each repository is listed once."""

    _known: dict[Path, Sequence[FoundFile]] = field(default_factory=dict)

    def find(self, paths: Iterable[Path]) -> Sequence[FoundFile]:
        """Return the files, each once, in the order of their paths."""
        found = {file.place: file for path in paths for file in self._meant(path)}
        return sorted(found.values(), key=lambda file: file.path)

    def _meant(self, path: Path) -> Sequence[FoundFile]:
        try:
            if path.is_dir():
                return self._in_folder(path.resolve())
            if not os.path.lexists(path):
                raise CommandFault(f"There is no {path!s}.", next_=_MAKE_ONE, code=MISUSED)
            return self._file(path.parent.resolve() / path.name)
        except (OSError, RuntimeError) as error:  # too long, not permitted, a circle of links
            why = error.strerror if isinstance(error, OSError) else "links that lead to each other"
            raise CommandFault(f"{path!s} cannot be looked at: {why}.", code=MISUSED) from None

    def _in_folder(self, folder: Path) -> Sequence[FoundFile]:
        root, inside = _root_and_inside(folder)
        root = root or working_copy.root_around(folder) or folder
        found = [file for file in self._of(root) if _is_in(file.path, inside)]
        if not found:
            raise CommandFault(
                f"There is no pipeline file in {root / inside!s}.", next_=_MAKE_ONE, code=MISUSED
            )
        return found

    def _file(self, place: Path) -> Sequence[FoundFile]:
        root, inside = _root_and_inside(place)
        if root:
            found = [file for file in self._of(root) if file.path == inside]
            return found or [FoundFile(inside, place, root, "", readable=True)]
        root = working_copy.root_around(place.parent)
        path = place.relative_to(root) if root else place
        return [FoundFile(path.as_posix(), place, root, "", readable=True)]

    def _of(self, root: Path) -> Sequence[FoundFile]:
        if root not in self._known:
            self._known[root] = tuple(_found(root))
        return self._known[root]


def dialect_of(path: str) -> Dialect:
    """Return the language of a file, as the folder it lies in says."""
    top = path.partition("/")[0]
    return next((dialect for dialect, folder in FOLDERS.items() if folder == top), "windlass")


def _root_and_inside(place: Path) -> tuple[Path | None, str]:
    """Return the repository and the path in it, of what lies in, or is, a folder of pipelines."""
    for folder in (place, *place.parents[:2]):
        if folder.name in _NAMES:
            return folder.parent, place.relative_to(folder.parent).as_posix()
    return None, ""


def _is_in(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _found(root: Path) -> Iterator[FoundFile]:
    """Yield every pipeline file of a repository, and what nearly is one."""
    listings = {name: working_copy.listing(root / name) for name in _NAMES}
    ours, devramps = (found.entries if found else None for found in listings.values())
    discovery = discover(ours, devramps)
    problems: dict[str, list[Problem]] = {}
    for problem in discovery.problems:
        problems.setdefault(problem.file, []).append(problem)
    for name, found in listings.items():
        for path, message in found.problems if found else ():
            _add(problems, f"{name}/{path}".rstrip("/"), message)
    slugs = _slugs(discovery)
    for path in _files(listings):
        told = tuple(problems.pop(_shown(path), ()))
        yield FoundFile(path, root / path, root, slugs.get(path, ""), readable=True, problems=told)
    for path, others in problems.items():
        slug = slugs.get(path, "")
        yield FoundFile(path, root / path, root, slug, readable=False, problems=tuple(others))


def _slugs(discovery: Discovery) -> dict[str, str]:
    return {file.path: file.slug for file in (*discovery.rejected, *discovery.pipelines)}


def _files(listings: dict[str, working_copy.Listing | None]) -> Iterator[str]:
    for name, found in listings.items():
        for entry in found.entries if found else ():
            if entry.path.endswith(f"/{FILE}") and entry.kind in {"file", "program"}:
                yield f"{name}/{entry.path}"


def _add(problems: dict[str, list[Problem]], path: str, message: str) -> None:
    gathered = Problems(_shown(path))
    gathered.add(WHOLE_FILE, message, rule="location")
    problems.setdefault(_shown(path), []).extend(gathered.listed())


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()
