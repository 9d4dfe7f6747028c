"""What a push of a working copy, or of one of its commits, would do: planned here, without any server.

Everything comes from git's objects and the repository's name at its forge, so that a commit gives the same
plan in every copy that has the same origin. What only an installation knows is stood in for: the repository
is called as its forge calls it, or `REPOSITORY`; its address is empty; the revision is `REVISION` unless a
server was asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from services.cli.faults import MISUSED, CommandFault
from services.cli.git_copy import GitCopy, GitTree
from shared.ids import Commit, Repository
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.difference import ApprovalNeeded, Change, approval_needed, differences
from shared.language.discovery import FILE, FOLDERS, PipelineFile, discover
from shared.language.problem import quoted
from shared.language.ref_glob import has_wildcard
from shared.language.scope import Facts
from shared.language.source_map import SOURCE_BYTES_MAX
from shared.language.synthesis import synthesize
from shared.language.tracks import EXCLUSION, USUAL_BRANCH, Tracks
from shared.plan import Plan, Problem

REPOSITORY = Repository("repository")  # what it is called where it has no forge
REVISION = 2  # where no server was asked; that which it is compared with is the one before
NOT_COMMITTED = Commit("0" * 40)  # stands for the commit that what is not committed would become


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned."""

    pipeline: str | None = None  # None: all
    rev: str | None = None  # None: the files as they are
    against: str | None = None  # None: chosen by `_base`


@dataclass(frozen=True, slots=True)
class Source:
    """Some files, and what they are called."""

    tree: GitTree
    commit: Commit  # `NOT_COMMITTED` if they are in none
    name: str  # "the working copy", "HEAD", "v1.2"
    why: str = ""  # it was chosen


@dataclass(frozen=True, slots=True)
class Sources:
    """What is planned, and what it is compared with."""

    copy: GitCopy
    new: Source
    old: Source | None  # None: nothing came before
    branch: str  # that is checked out; empty where a commit is planned, or none is


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline, planned or not."""

    file: PipelineFile
    source: bytes  # of the file
    problems: tuple[Problem, ...]
    plan: Plan | None  # None: the file has problems
    before: Plan | None  # of the old files as what they were; None: there was none, or no valid one
    changes: tuple[Change, ...]
    approval: ApprovalNeeded | None
    notes: tuple[str, ...]  # sentences


@dataclass(frozen=True, slots=True)
class _Moment:
    """What all plans of one look have in common."""

    repository: Repository
    branch: str
    today: date | None


@contextmanager
def sources(copy: GitCopy, wanted: Wanted) -> Iterator[Sources]:
    """Give the files that are meant, for as long as they are looked at."""
    head = copy.commit("HEAD")
    if wanted.rev is not None:
        commit = _commit(copy, wanted.rev)
        new = Source(copy.tree(commit), commit, wanted.rev)
        yield Sources(copy, new, _base(copy, wanted, new, head), branch="")
        return
    with copy.as_it_is() as tree:
        committed = head is not None and copy.tree(head).id == tree.id
        new = Source(tree, Commit(head) if head and committed else NOT_COMMITTED, "the working copy")
        yield Sources(copy, new, _base(copy, wanted, new, head), copy.branch)


def slugs(found: Sources, wanted: Wanted) -> Sequence[str]:
    """Return the names of the pipelines that are meant."""
    return [file.slug for file in _meant(found, wanted)]


def planned(found: Sources, wanted: Wanted, today: date, revisions: Mapping[str, int]) -> Sequence[Pipeline]:
    """Return every pipeline that is meant, by name; `revisions` are the numbers they would get, if known."""
    old = {file.slug: file for file in _files(found.old.tree)} if found.old else {}
    return [
        _planned(found, file, old.get(file.slug), today, revisions.get(file.slug, REVISION))
        for file in _meant(found, wanted)
    ]


def _planned(
    found: Sources, file: PipelineFile, old: PipelineFile | None, today: date, revision: int
) -> Pipeline:
    source, definition = _read(found.new.tree, file)
    branch = _branch(definition.tracks, found.branch)
    moment = _Moment(Repository(found.copy.forge_name) or REPOSITORY, branch, today)
    facts = _facts(moment, file, definition, found.new, revision)
    synthesis = synthesize(definition, facts)
    plan = None if file.problems else synthesis.plan
    before, like = _earlier(found, old, moment, revision)
    return Pipeline(
        file=file,
        source=source,
        problems=(*file.problems, *synthesis.problems),
        plan=plan,
        before=before,
        changes=differences(like, plan) if like and plan else (),
        approval=approval_needed(like, plan) if plan else None,
        notes=(
            *_notes(found, definition.tracks, branch),
            *_skipped(found, file, definition.tracks),
            *_about(found, plan, old, before),
        ),
    )


def _earlier(
    found: Sources, old: PipelineFile | None, moment: _Moment, revision: int
) -> tuple[Plan | None, Plan | None]:
    """Return the old file's plan as it was, and as it would be now.

    What is built again follows from the first. The second is what the new definition is compared with: what
    a commit says of itself, its id, its number, is no change of a definition.
    """
    if found.old is None or old is None or old.problems:
        return None, None
    _, definition = _read(found.old.tree, old)
    then = replace(moment, today=None)
    now = replace(found.old, commit=found.new.commit)
    was = _facts(then, old, definition, found.old, revision - 1)
    would_be = _facts(then, old, definition, now, revision)
    before, like = (synthesize(definition, replace(facts, of_commit=False)) for facts in (was, would_be))
    return before.plan, like.plan


def _facts(
    moment: _Moment, file: PipelineFile, definition: Definition, source: Source, revision: int
) -> Facts:
    return Facts(
        pipeline=file.slug,
        repository=moment.repository,
        remote="",
        branch=moment.branch,
        commit=source.commit,
        revision=revision,
        entries=source.tree.entries(definition.sources),
        pipeline_name=definition.name,
        today=moment.today,
        for_deployment=False,
    )


def _read(tree: GitTree, file: PipelineFile) -> tuple[bytes, Definition]:
    entry = tree.entries([file.path])[file.path]
    is_file = entry is not None and entry.kind in {"file", "program"}
    source = tree.blob(entry, SOURCE_BYTES_MAX) if entry and is_file else b""
    return source, read_definition(file.path, source, file.dialect)


def _files(tree: GitTree) -> Sequence[PipelineFile]:
    found = discover(*(tree.folder(folder) for folder in FOLDERS.values()))
    return sorted((*found.pipelines, *found.rejected), key=lambda file: (file.slug, file.path))


def _meant(found: Sources, wanted: Wanted) -> Sequence[PipelineFile]:
    files = _files(found.new.tree)
    if not files:
        raise CommandFault(
            f"There is no pipeline file in {found.new.name} of {found.copy.root!s}.",
            next_=f"It belongs into .windlass/NAME/{FILE}, and git must not ignore it.",
            code=MISUSED,
        )
    meant = [file for file in files if wanted.pipeline in {None, file.slug}]
    if not meant:
        known = ", ".join(dict.fromkeys(file.slug for file in files))
        name = quoted(wanted.pipeline or "")
        raise CommandFault(
            f"There is no pipeline {name} in {found.new.name}.", next_=f"Known: {known}.", code=MISUSED
        )
    return meant


def _commit(copy: GitCopy, rev: str) -> Commit:
    commit = copy.commit(rev)
    if commit is None:
        raise CommandFault(
            f"There is no commit {quoted(rev)} in {copy.root!s}.",
            next_="Give a branch, a tag or a commit that `git log` shows.",
            code=MISUSED,
        )
    return Commit(commit)


def _base(copy: GitCopy, wanted: Wanted, new: Source, head: str | None) -> Source | None:
    """Return what a person means by "before": what is asked for, or what a push would add to."""
    if wanted.against is not None:
        commit = _commit(copy, wanted.against)
        return Source(copy.tree(commit), commit, wanted.against)
    if wanted.rev is None and head:
        upstream = copy.commit("@{upstream}")
        if upstream and upstream != head and copy.is_ancestor(upstream, head):
            return Source(copy.tree(upstream), Commit(upstream), copy.upstream_name, "a push would add to it")
        if new.commit == NOT_COMMITTED:
            return Source(copy.tree(head), Commit(head), "HEAD", "the last commit")
    parent = copy.commit(f"{new.commit}^1")
    return Source(copy.tree(parent), Commit(parent), "the commit before") if parent else None


def _branch(tracks: Tracks, current: str) -> str:
    """Return the branch that a push is taken to be of: the current one, if that is tracked."""
    if current and tracks.branch(current):
        return current
    names = (text for text in tracks.branches if not has_wildcard(text) and not text.startswith(EXCLUSION))
    return next(names, current or USUAL_BRANCH)


def _notes(found: Sources, tracks: Tracks, branch: str) -> Iterator[str]:
    if found.branch and not tracks.branch(found.branch):
        yield (
            f"A push of {found.branch} starts nothing: the pipeline {tracks.describe()}. "
            f"It is planned as a push of {branch}."
        )


def _skipped(found: Sources, file: PipelineFile, tracks: Tracks) -> Iterator[str]:
    """Yield why a push may start nothing, as far as that can be known without a server."""
    new, old = found.new, found.old
    having = _having(found)
    if having:
        yield f"{having} has this commit already: where {having} is deployed, a push of it is skipped."
    elif old and tracks.paths and not file.problems:
        paths = (file.path, *tracks.paths)
        if new.tree.entries(paths) == old.tree.entries(paths):
            yield (
                f"Where {old.name} is the newest revision, a push is skipped: "
                f"nothing in {tracks.paths_shown()} or the pipeline file differs."
            )


def _having(found: Sources) -> str:
    """Return what has the planned commit in its history: what it is compared with, or the upstream branch."""
    copy, commit = found.copy, found.new.commit
    if commit == NOT_COMMITTED:
        return ""
    if found.old and copy.is_ancestor(commit, found.old.commit):
        return found.old.name
    upstream = copy.commit("@{upstream}") if found.branch else None
    return copy.upstream_name if upstream and copy.is_ancestor(commit, upstream) else ""


def _about(found: Sources, plan: Plan | None, old: PipelineFile | None, before: Plan | None) -> Iterator[str]:
    if plan and plan.commit == NOT_COMMITTED and plan.model_dump_json().count(NOT_COMMITTED) > 1:
        yield f"{NOT_COMMITTED} stands for the id of the commit that this becomes."
    if found.old and old is None:
        yield f"It is new: {found.old.name} does not have it."
    elif found.old and before is None:
        yield f"Nothing is compared: its file has problems in {found.old.name}."
