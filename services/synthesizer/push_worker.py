"""Looks at the repository for a push, and gives each of its pipelines exactly one decision.

Reading a repository takes longer than a handler may, so it is durable work. In one process, pushes of
one repository are looked at one by one, in the order they came. Replicas may look at two of them side by
side: whoever writes second, and read the pipeline before the first gave it a revision, looks again. So
decisions are what they would have been one after the other, though not always in the order of arrival.

What waits of the same repository by then is looked at, too, each push for itself, and written in the same
transaction: of a burst, every push gets its own decision, and few commits have them all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from uuid import UUID

import structlog

from services.synthesizer import ancestry, answers
from services.synthesizer.ancestry import Become, Compared, Mark, Newest, Skip
from services.synthesizer.answers import Look
from services.synthesizer.finding import Finding
from services.synthesizer.store import Known, Store, Verdict, read_decided, read_known
from shared.crash import point
from shared.db import ServiceDatabase, Transaction
from shared.events import PlanRejected, PushReceived, PushRefused, RevisionPlanned
from shared.faults import Refused, TryAgain
from shared.git import BranchMissing, CommitMissing, Mirrors
from shared.ids import Commit
from shared.language import discovery
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.discovery import Discovery, PipelineFile
from shared.language.problem import is_refused
from shared.language.scope import Facts
from shared.language.source_map import SOURCE_BYTES_MAX
from shared.language.synthesis import synthesize
from shared.language.tracks import USUAL_BRANCH, Tracks
from shared.work import Beside, Claim, Order, Workers

BESIDE_MAX = 24  # pushes decided along with one: their transaction holds up the loop for a few milliseconds

Answer = PushRefused | Sequence[Verdict]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known from the pushes looked at before, which are not written yet."""

    left: dict[str, Known | None] = field(default_factory=dict)  # pipelines, as the decisions leave them
    tips: dict[tuple[str, str], Commit] = field(default_factory=dict)  # by remote and branch
    _read: dict[str, tuple[bytes, Definition]] = field(default_factory=dict)  # by path, as read last

    def definition_in(self, file: PipelineFile, source: bytes) -> Definition:
        """Return what a pipeline file says: few pushes of a burst change it, and to read it takes long."""
        read = self._read.get(file.path)
        if read is None or read[0] != source:
            read = self._read[file.path] = source, read_definition(file.path, source, file.dialect)
        return read[1]


@dataclass(frozen=True, slots=True)
class PushWorker:
    """The worker for pushes."""

    db: ServiceDatabase
    workers: Workers
    beside: Beside
    mirrors: Mirrors

    async def work(self, claim: Claim) -> None:
        """Fetch the commit, read its pipeline files, decide; safe to repeat from any point."""
        standing = Standing()
        push = _push_of(claim.order)
        answer = await self._answer(push, standing)
        answered = {claim.order.id: answer}
        refused = isinstance(answer, PushRefused)  # which may have taken long to find out
        along = () if refused else await self._look_at_others(claim, answered, standing)
        point("synthesizer.synthesize.decided")
        await self._write(claim, along, answered)
        if not refused:
            await self.mirrors.tidy(push.remote)  # every fetch leaves a pack; seldom is there enough to do

    async def give_up(self, claim: Claim, why: str) -> None:
        """Answer that the repository could not be read."""
        answer = answers.refused(_push_of(claim.order), "source_unreachable", why)
        await self._write(claim, (), {claim.order.id: answer})

    async def _look_at_others(
        self, claim: Claim, answered: dict[UUID, Answer], standing: Standing
    ) -> Sequence[Order]:
        """Look at the pushes that wait beside this one, if their commits came along with its own.

        The first that asks for more has a turn of its own: nobody waits for what it has fetched.
        """
        along: list[Order] = []
        for order in await self.beside.waiting(claim):
            await asyncio.sleep(0)  # what is known of a mirror is answered without a pause
            push = _push_of(order)
            if push.tag or not push.commit or not await self._was_fetched(push, push.commit, standing):
                break
            try:
                answered[order.id] = await self._answer(push, standing)
            except TryAgain:
                break
            along.append(order)
            if isinstance(answered[order.id], PushRefused):
                break
        return along

    async def _answer(self, push: PushReceived, standing: Standing) -> Answer:
        try:
            return await self._look(push, standing)
        except Refused as fault:
            code = "commit_unreachable" if isinstance(fault, BranchMissing) else "source_unreachable"
            return answers.refused(push, code, str(fault))

    async def _write(self, claim: Claim, along: Sequence[Order], answered: Mapping[UUID, Answer]) -> None:
        pipelines = {
            verdict.decided.pipeline
            for answer in answered.values()
            if not isinstance(answer, PushRefused)
            for verdict in answer
        }

        async def lock(tx: Transaction) -> None:
            await Store(tx).lock(pipelines)

        async with self.workers.finishing(claim, lock) as tx:
            await self.beside.finish(tx, along)
            store = Store(tx)
            for order in (claim.order, *along):
                tx.cause = order.cause
                await store.write(answered[order.id])

    async def _look(self, push: PushReceived, standing: Standing) -> Answer:
        commit = await (self._tagged(push) if push.tag else self._in_branch(push, standing))
        if isinstance(commit, PushRefused):
            return commit
        found = await self._discover(push, commit)
        files = (*found.pipelines, *found.rejected)
        wanted = [file for file in files if push.pipeline in {None, file.slug}]
        if not wanted:
            has_none = not files and not found.problems
            finding = await self._find(push, commit) if has_none else Finding()
            return answers.no_pipeline(push, found, finding)
        look = Look(push, commit, await self.mirrors.commit_info(push.remote, commit))
        async with self.db.reading() as reading:
            decided = await read_decided(reading, push.push)
        verdicts = []
        for file in wanted:
            if file.slug not in decided:
                verdicts.append(await self._decide(look, file, standing))
                standing.left[file.slug] = verdicts[-1].left()
        return verdicts

    async def _known(self, pipeline: str, standing: Standing) -> Known | None:
        if pipeline in standing.left:
            return standing.left[pipeline]
        async with self.db.reading() as reading:
            return await read_known(reading, pipeline)

    async def _was_fetched(self, push: PushReceived, commit: Commit, standing: Standing) -> bool:
        tip = standing.tips.get((push.remote, push.branch))
        return tip is not None and await self.mirrors.is_ancestor(push.remote, commit, tip)

    async def _in_branch(self, push: PushReceived, standing: Standing) -> Commit | PushRefused:
        """Have the commit; it must be in the branch."""
        if push.commit and await self._was_fetched(push, push.commit, standing):
            return push.commit
        tip = await self.mirrors.fetch(push.remote, push.branch, push.commit)
        standing.tips[push.remote, push.branch] = tip
        commit = push.commit or tip
        point("synthesizer.synthesize.fetched")
        if commit != tip and not await self.mirrors.is_ancestor(push.remote, commit, tip):
            return answers.not_in_branch(push)
        return commit

    async def _tagged(self, push: PushReceived) -> Commit | PushRefused:
        """Have the tag's commit; what was pushed must be it, or the tag's own object."""
        tag = await self.mirrors.fetch_tag(push.remote, push.tag, push.commit)
        point("synthesizer.synthesize.fetched")
        return tag.commit if push.commit in {None, *tag.ids} else answers.not_of_tag(push, tag.commit)

    async def _discover(self, push: PushReceived, commit: Commit) -> Discovery:
        listings = [
            await self.mirrors.read_tree(push.remote, commit, folder, discovery.LISTING_DEPTH)
            for folder in discovery.FOLDERS.values()
        ]
        return discovery.discover(*listings)

    async def _find(self, push: PushReceived, commit: Commit) -> Finding:
        """Look over a repository without a pipeline; what cannot be read of it is not told of."""
        from services.synthesizer import scanning  # noqa: PLC0415 - a twentieth of a second, for few pushes
        from shared.scan.proposal import slug_of  # noqa: PLC0415

        slug = slug_of(push.pipeline or push.repository)
        survey = scanning.Survey(slug)
        try:
            async with asyncio.timeout(scanning.SECONDS_MAX):
                while (folder := survey.next_folder()) is not None:
                    entries = await self.mirrors.read_tree(push.remote, commit, folder)
                    survey.take_folder(folder, entries or ())
                while files := survey.next_files():
                    for path, size in files.items():
                        survey.take_file(path, await self.mirrors.read_blob(push.remote, commit, path, size))
        except (Refused, TryAgain, TimeoutError) as fault:
            log.info("scan.ended_early", push=str(push.push), why=str(fault) or "it took too long")
        return survey.finding(slug, push.branch or USUAL_BRANCH)

    async def _decide(self, look: Look, file: PipelineFile, standing: Standing) -> Verdict:
        push = look.push
        known = await self._known(file.slug, standing)
        if known and known.repository != push.repository:
            return Verdict(answers.foreign(look, file, known.repository), known)
        blob = await self.mirrors.read_blob(push.remote, look.commit, file.path, SOURCE_BYTES_MAX + 1)
        definition = standing.definition_in(file, blob or b"")
        broken = is_refused((*file.problems, *definition.problems))
        tracks = Tracks.of(known.tracks) if broken and known else definition.tracks
        if not (tracks.tag(push.tag) if push.tag else tracks.branch(push.branch)):
            return Verdict(answers.not_tracked(look, file, tracks), known)
        return await self._weigh(look, file, definition, tracks, known)

    async def _weigh(
        self, look: Look, file: PipelineFile, definition: Definition, tracks: Tracks, known: Known | None
    ) -> Verdict:
        """Decide for a pipeline that tracks what was pushed."""
        newest = Newest(known.newest_revision, known.newest_commit) if known else None
        marks = known.marks if known else ()
        in_front = ancestry.in_front(newest, marks)
        compared = await self._compare(look, in_front)
        behind = await self._behind(look, compared, in_front) if compared.is_behind else None
        match ancestry.decide(newest, look.commit, look.push.trigger, behind):
            case Skip(contained_in, message):
                skipped = answers.contained(look, file, message, contained_in)
                return Verdict(skipped, known, passed=compared.gone(marks))
            case Become(revision):
                is_here = newest is not None and newest.commit in compared.here
                if newest and is_here and await self._is_untouched(look, file, tracks, newest):
                    unchanged = answers.untouched(look, file, tracks, newest.revision)
                    mark = Mark(look.ref, look.commit, newest.revision, untouched=True)
                    return Verdict(unchanged, known, mark=mark, passed=compared.passed(marks))
                decided = await self._plan(look, file, definition, revision)
                if isinstance(decided, PlanRejected):
                    return Verdict(decided, known, passed=compared.gone(marks))
                mark = Mark(look.ref, look.commit, revision)
                return Verdict(decided, known, definition.tracks.stored(), mark, compared.passed(marks))

    async def _compare(self, look: Look, in_front: Sequence[Mark]) -> Compared:
        """Ask where the commit lies, all at once: there may be a hundred marks."""
        remote = look.push.remote
        wanted = dict.fromkeys(mark.commit for mark in in_front)
        here = frozenset([commit for commit in wanted if await self._has(remote, commit)])
        independent = await self.mirrors.independent(remote, here | {look.commit})
        return Compared(look.commit, here, independent)

    async def _behind(self, look: Look, compared: Compared, in_front: Sequence[Mark]) -> Mark | None:
        """Return the first of these marks that the commit lies behind, or is at."""
        for mark in in_front:
            if mark.commit in compared.here and await self.mirrors.is_ancestor(
                look.push.remote, look.commit, mark.commit
            ):
                return mark
        return None

    async def _is_untouched(self, look: Look, file: PipelineFile, tracks: Tracks, newest: Newest) -> bool:
        """Tell whether nothing the pipeline is for has another content than in the newest revision."""
        remote = look.push.remote
        if look.push.trigger == "manual" or file.problems or not tracks.paths:
            return False
        paths = (file.path, *tracks.paths)
        before = await self.mirrors.tree_entries(remote, newest.commit, paths)
        return before == await self.mirrors.tree_entries(remote, look.commit, paths)

    async def _has(self, remote: str, commit: Commit) -> bool:
        """Have a commit that was decided upon; it may be only in another replica's mirror until now.

        One that was pushed over is gone in the end, here and at the remote.
        """
        try:
            await self.mirrors.fetch_commit(remote, commit)
        except CommitMissing:
            return False
        return True

    async def _plan(
        self, look: Look, file: PipelineFile, definition: Definition, revision: int
    ) -> RevisionPlanned | PlanRejected:
        """Plan the commit as this revision."""
        if file.problems:
            return answers.misplaced(look, file)
        push = look.push
        facts = Facts(
            pipeline=file.slug,
            repository=push.repository,
            remote=push.remote,
            branch=push.branch,
            tag=push.tag,
            commit=look.commit,
            revision=revision,
            entries=await self.mirrors.tree_entries(push.remote, look.commit, definition.sources),
            pipeline_name=definition.name,
            # The push's own day: looked at again, it is the same.
            today=push.received_at.astimezone(UTC).date(),
        )
        return answers.planned(look, synthesize(definition, facts), facts)


def _push_of(order: Order) -> PushReceived:
    return PushReceived.model_validate(order.payload)
