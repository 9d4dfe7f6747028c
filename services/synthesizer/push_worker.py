"""Looks at the repository for a push, and gives each of its pipelines exactly one decision.

Reading a repository takes longer than a handler may, so it is durable work. In one process, pushes of
one repository are looked at one by one, in the order they came. Replicas may look at two of them side by
side: whoever writes second, and read the pipeline before the first gave it a revision, looks again. So
decisions are what they would have been one after the other, though not always in the order of arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.synthesizer import ancestry
from services.synthesizer.ancestry import Become, Newest, Skip
from services.synthesizer.store import Decided, Known, Store, read_decided, read_known
from shared.crash import point
from shared.db import ServiceDatabase
from shared.events import (
    Evidence,
    PlanRejected,
    PushReceived,
    PushRefused,
    RevisionPlanned,
    RevisionSkipped,
)
from shared.faults import Refused
from shared.git import BranchMissing, CommitInfo, Mirrors
from shared.ids import Commit, Pipeline
from shared.language import discovery
from shared.language.definition import Definition
from shared.language.discovery import PipelineFile
from shared.language.manifest import read_definition
from shared.language.scope import Facts
from shared.language.source_map import SOURCE_BYTES_MAX
from shared.language.synthesis import Rejection, synthesize
from shared.work import Claim, Workers

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Look:
    """A push whose commit is known to be in its branch."""

    push: PushReceived
    commit: Commit
    info: CommitInfo

    def about(self, pipeline: Pipeline) -> dict[str, object]:
        """Return what every decision says."""
        return {
            "push": self.push.push,
            "pipeline": pipeline,
            "repository": self.push.repository,
            "branch": self.push.branch,
            "commit": self.commit,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision for one pipeline, and what it rests on."""

    decided: Decided
    tracks: str
    seen: Known | None


@dataclass(frozen=True, slots=True)
class PushWorker:
    """The worker for pushes."""

    db: ServiceDatabase
    workers: Workers
    mirrors: Mirrors

    async def work(self, claim: Claim) -> None:
        """Fetch the commit, read its pipeline files, decide; safe to repeat from any point."""
        push = PushReceived.model_validate(claim.order.payload)
        try:
            answer = await self._look(push)
        except Refused as fault:
            code = "commit_unreachable" if isinstance(fault, BranchMissing) else "source_unreachable"
            answer = _refused(push, code, str(fault))
        point("synthesizer.synthesize.decided")
        await self._write(claim, answer)
        if not isinstance(answer, PushRefused):
            await self.mirrors.tidy(push.remote)  # every fetch leaves a pack; seldom is there enough to do

    async def give_up(self, claim: Claim, why: str) -> None:
        """Answer that the repository could not be read."""
        push = PushReceived.model_validate(claim.order.payload)
        await self._write(claim, _refused(push, "source_unreachable", why))

    async def _write(self, claim: Claim, answer: PushRefused | Sequence[Verdict]) -> None:
        async with self.workers.finishing(claim) as tx:
            if isinstance(answer, PushRefused):
                tx.emit(answer)
                return
            store = Store(tx)
            await store.lock(verdict.decided.pipeline for verdict in answer)
            for verdict in answer:
                await store.keep(verdict.decided, verdict.tracks, verdict.seen)

    async def _look(self, push: PushReceived) -> PushRefused | Sequence[Verdict]:
        tip = await self.mirrors.fetch(push.remote, push.branch, push.commit)
        commit = push.commit or tip
        point("synthesizer.synthesize.fetched")
        if commit != tip and not await self.mirrors.is_ancestor(push.remote, commit, tip):
            message = (
                f"commit {commit} is not in branch {push.branch} of {push.repository}; "
                "push it to that branch, or name a commit that is in it"
            )
            return _refused(push, "commit_unreachable", message)
        listing = await self.mirrors.read_tree(push.remote, commit, discovery.FOLDER, discovery.LISTING_DEPTH)
        found = discovery.discover(listing)
        wanted = [file for file in found.pipelines if push.pipeline in {None, file.slug}]
        if not wanted:
            return _refused(push, "no_pipeline", _nothing_to_do(push, found))
        look = Look(push, commit, await self.mirrors.commit_info(push.remote, commit))
        async with self.db.reading() as reading:
            decided = await read_decided(reading, push.push)
        return [await self._decide(look, file) for file in wanted if file.slug not in decided]

    async def _decide(self, look: Look, file: PipelineFile) -> Verdict:
        push = look.push
        async with self.db.reading() as reading:
            known = await read_known(reading, file.slug)
        if known and known.repository != push.repository:
            message = (
                f"the name {file.slug} belongs to a pipeline of {known.repository}; "
                f"rename the folder {discovery.FOLDER}/{file.slug}"
            )
            return _skipped(look, file, known, "foreign_slug", message)
        blob = await self.mirrors.read_blob(push.remote, look.commit, file.path, SOURCE_BYTES_MAX + 1)
        definition = read_definition(file.path, blob or b"")
        tracks = definition.tracks if not definition.problems or known is None else known.tracks
        if tracks != push.branch:
            message = f"pipeline {file.slug} tracks {tracks}, and the push was to {push.branch}"
            return _skipped(look, file, known, "not_tracked", message)
        return await self._number(look, file, definition, known)

    async def _number(
        self, look: Look, file: PipelineFile, definition: Definition, known: Known | None
    ) -> Verdict:
        """Decide which revision the commit is, and plan it."""
        push = look.push
        newest = Newest(known.newest_revision, known.newest_commit) if known else None
        contained = newest is not None and await self.mirrors.is_ancestor(
            push.remote, look.commit, newest.commit
        )
        match ancestry.decide(newest, look.commit, push.trigger, contained=contained):
            case Skip(contained_in, message):
                return _skipped(look, file, known, "contained", message, contained_in)
            case Become(revision):
                entries = await self.mirrors.tree_entries(push.remote, look.commit, definition.sources)
                facts = Facts(
                    pipeline=file.slug,
                    repository=push.repository,
                    remote=push.remote,
                    branch=push.branch,
                    commit=look.commit,
                    revision=revision,
                    entries=entries,
                )
                return Verdict(_planned(look, definition, facts), definition.tracks, known)


def _planned(look: Look, definition: Definition, facts: Facts) -> RevisionPlanned | PlanRejected:
    plan = synthesize(definition, facts)
    about = look.about(facts.pipeline)
    if isinstance(plan, Rejection):
        return PlanRejected(**about, problems=plan.problems)
    return RevisionPlanned(
        **about,
        revision=facts.revision,
        plan_hash=plan.content_hash(),
        plan=plan,
        title=look.info.title,
        author=look.info.author,
        trigger=look.push.trigger,
        pusher=look.push.pusher,
        received_at=look.push.received_at,
    )


def _skipped(
    look: Look,
    file: PipelineFile,
    known: Known | None,
    reason: str,
    message: str,
    contained_in: int | None = None,
) -> Verdict:
    skipped = RevisionSkipped(
        **look.about(file.slug), reason=reason, contained_in=contained_in, message=message
    )
    return Verdict(skipped, known.tracks if known else "", known)


def _refused(push: PushReceived, code: str, message: str) -> PushRefused:
    phase = "detect" if code == "no_pipeline" else "clone"
    return PushRefused(
        push=push.push,
        repository=push.repository,
        branch=push.branch,
        commit=push.commit,
        code=code,
        message=message,
        evidence=Evidence(phase=phase, kind="source", message=message),
    )


def _nothing_to_do(push: PushReceived, found: discovery.Discovery) -> str:
    """Return the sentence for a push that no pipeline file answers."""
    for problem in found.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        return f"{problem.file}: {problem.message}{hint}"
    name = push.pipeline or "<name>"
    which = f" {push.pipeline}" if push.pipeline else ""
    return (
        f"{push.repository} defines no pipeline{which} at this commit: "
        f"add {discovery.FOLDER}/{name}/{discovery.FILE}"
    )
