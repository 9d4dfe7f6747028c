"""What `windlass init` does: a scan of a working copy, a proposal from it, and its file."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from services.cli import settings, working_copy
from services.cli.faults import FAILED, MISUSED, CommandFault
from services.cli.folder_tree import FolderTree
from services.cli.git_copy import open_copy
from shared.clock import SystemClock
from shared.language import schema
from shared.language.check import Given, check
from shared.language.discovery import FILE, FOLDER, FOLDERS, SCHEMA_FILE
from shared.language.reference import SLUG
from shared.language.tracks import USUAL_BRANCH
from shared.scan import Tree, scan
from shared.scan.health import health_paths
from shared.scan.proposal import Proposal, propose, slug_of
from shared.scan.tree import FILES_MAX

USUAL_BRANCHES = (USUAL_BRANCH, "master")
SCHEMA_HEAD_BYTES = 1024  # in which its title stands
SHOWN_MAX = 10  # services in the report, and names of pipelines


@dataclass(frozen=True, slots=True)
class Listed:
    """A tree whose files are listed once, or those of one of its folders."""

    tree: Tree
    files: tuple[str, ...]

    def paths(self) -> Iterable[str]:
        """Return the files' paths, from the tree's root."""
        return self.files

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Return the beginning of a file."""
        return self.tree.read(path, bytes_max)


@dataclass(frozen=True, slots=True)
class Begun:
    """A pipeline that is proposed and not written yet."""

    root: Path  # of the repository
    slug: str
    is_named: bool  # by whoever asks; else its name is the folder's
    proposal: Proposal

    @property
    def file(self) -> Path:
        """Return where it belongs."""
        return self.root / FOLDER / self.slug / FILE

    def write(self, *, force: bool) -> None:
        """Write the file, and the schema that its first line names."""
        if not self.is_named:
            _check_alone(self.root, self.slug)
        _check_place(self.root, self.slug, self.file, force=force)
        for folder in (self.root / FOLDER, self.file.parent):
            _make_folder(folder)
        _write(self.file, self.proposal.text)
        place = self.root / FOLDER / SCHEMA_FILE
        if _is_ours(place):
            _write(place, schema.document("pipeline"))


def initialize(path: Path, slug: str | None) -> Begun:
    """Return the pipeline that is proposed for a repository, or for a folder of one."""
    folder = _folder(path)
    root = working_copy.root_around(folder) or folder
    inside = folder.relative_to(root).as_posix()
    pipeline = _slug(slug, folder.name)
    tree = _listed(FolderTree(root, settings.git_environment()), inside)
    found = scan(tree, folder.name or "app")
    entries = working_copy.Tree(root)
    proposal = propose(found, pipeline, _branch(root), health_paths(tree, found), entries)
    _check_valid(entries, proposal)
    return Begun(root, pipeline, slug is not None, proposal)


def report(begun: Begun) -> Iterator[str]:
    """Yield what was written, what it does, and what to do next."""
    proposal = begun.proposal
    yield f"Wrote {begun.file!s}."
    if proposal.deployed:
        where = "to Amazon ECS, once you have filled in the account" if proposal.needs_account else "here"
        yield f"It deploys {_listing(proposal.deployed)} {where}: to staging, then to production."
    elif proposal.undone:
        yield "It deploys nothing yet: what was found cannot be run here as it is."
    else:
        yield "It deploys nothing yet, because nothing was found that could be: it is a frame to fill in."
    if proposal.needs_account:
        yield "This release can plan that and cannot carry it out: a push of it is refused."
    for each in proposal.undone[:SHOWN_MAX]:
        yield f"  not deployed: {each.name} in {each.root}: {each.reason}"
    yield ""
    yield "Next: read it, then"
    shown = begun.file.relative_to(begun.root).as_posix()
    yield f"  windlass validate                 # after every change of {shown}"
    yield f"  git add {FOLDER} && git commit"
    yield "  windlass repo add .               # once, and Windlass must run: windlass up"
    deploy = f"windlass deploy {begun.slug}"
    yield f"  {deploy:<33} # or git push, where a webhook tells Windlass of it"


def _folder(path: Path) -> Path:
    try:
        folder = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        folder = None
    if folder is None or not folder.is_dir():
        raise CommandFault(f"{path!s} is no folder.", next_="Give the folder of a repository.", code=MISUSED)
    return folder


def _slug(given: str | None, name: str) -> str:
    if given is None:
        return slug_of(name)
    if not SLUG.fullmatch(given):
        raise CommandFault(
            f"{given[:100]!a} cannot name a pipeline.",
            next_="Lower-case letters, digits and hyphens can, at most 63, no hyphen first.",
            code=MISUSED,
        )
    return given


def _listed(tree: Tree, inside: str) -> Listed:
    start = "" if inside == "." else f"{inside}/"
    files = (path for path in tree.paths() if path.startswith(start))
    return Listed(tree, tuple(islice(files, FILES_MAX + 1)))


def _branch(root: Path) -> str:
    """Return the branch to deploy: main or master if there is one, or else what is checked out."""
    try:
        copy = open_copy(root, settings.git_environment())
    except CommandFault:
        return USUAL_BRANCH
    known = (branch for branch in USUAL_BRANCHES if copy.commit(f"refs/heads/{branch}"))
    return next(known, None) or copy.branch or USUAL_BRANCH


def _check_alone(root: Path, pipeline: str) -> None:
    """Refuse to propose a second pipeline to somebody who may not know of the first."""
    places = (root / name for name in FOLDERS.values())
    names = sorted({file.parent.name for place in places for file in place.glob(f"*/{FILE}")})
    if names and names != [pipeline]:
        raise CommandFault(
            f"There is a pipeline already: {_listing(names)}.",
            next_="`--slug NAME` adds another, or with `--force` writes over the one of that name.",
        )


def _check_valid(entries: working_copy.Tree, proposal: Proposal) -> None:
    """Hold the proposal against the working copy, as `windlass validate` will."""
    given = Given(entries=entries, today=SystemClock().now().date())
    problems = check(FILE, proposal.text.encode(), given).problems
    wrong = next((problem for problem in problems if problem.severity == "error"), None)
    if wrong:
        raise CommandFault(
            f"What would be written is not valid, which is a defect of Windlass: {wrong.message}.",
            next_="Please report it with the output of `windlass scan --json`.",
        )


def _check_place(root: Path, slug: str, file: Path, *, force: bool) -> None:
    theirs = root / FOLDERS["devramps"] / slug / FILE
    if os.path.lexists(theirs):
        raise CommandFault(
            f"{theirs!s} defines a pipeline of that name.", next_="Choose another: `--slug NAME`."
        )
    if os.path.lexists(file) and not force:
        raise CommandFault(
            f"{file!s} is there already.",
            next_="`--force` writes over it, and `--print` only shows.",
        )


def _make_folder(folder: Path) -> None:
    if folder.is_symlink():
        raise CommandFault(f"{folder!s} is a link: a push finds no pipelines behind it.")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise CommandFault(f"{folder!s} cannot be made: {error.strerror}.", code=FAILED) from None


def _write(file: Path, text: str) -> None:
    """Have the file appear whole, in the place of whatever was there."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with fresh.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise CommandFault(f"{file!s} cannot be written: {error.strerror}.", code=FAILED) from None


def _is_ours(place: Path) -> bool:
    """Tell whether a schema may be written there: nothing is there, or an older one of ours."""
    if not os.path.lexists(place):
        return True
    try:
        head = working_copy.read(place, SCHEMA_HEAD_BYTES, follow=False)
    except working_copy.Unreadable:
        return False
    return schema.TITLES["pipeline"].encode() in head


def _listing(names: Iterable[str]) -> str:
    told = list(names)
    shown = ", ".join(told[:SHOWN_MAX])
    return shown if len(told) <= SHOWN_MAX else f"{shown} and {len(told) - SHOWN_MAX} more"
