"""What the deployer does on each event: note the fact, then let the pipeline go on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from services.deployer.alarm_moves import AlarmMoves, blocker_of
from services.deployer.attempts import Attempts
from services.deployer.declaration_moves import add_stages
from services.deployer.operations import answer
from services.deployer.pipeline_moves import PipelineMoves, locked
from services.deployer.records import RunRecord
from services.deployer.run_picture import VerificationState
from services.deployer.run_state import HOLDS_LOCK
from services.deployer.store import (
    GateStore,
    Revision,
    Store,
    lock_pipelines,
    next_deadline,
    pipelines_at_work,
)
from shared.db import Cause, ServiceDatabase, cause_of
from shared.delivery import failure_of
from shared.events import (
    AlarmChanged,
    ArtifactBuilt,
    ArtifactFailed,
    AttemptClassified,
    Evidence,
    Message,
    OperationRequested,
    RevisionPlanned,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
)
from shared.events.alarms import KNOWN
from shared.events.verification import VerificationEvent
from shared.faults import TryAgain
from shared.ids import derive

REVISIONS_MAX = 25  # in one transaction: it holds the loop up for some tens of milliseconds

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deployer:
    """The handlers."""

    db: ServiceDatabase
    due: Callable[[datetime | None], None]  # told of deadlines, so that somebody wakes up for them

    async def revision_planned(self, message: Message[RevisionPlanned]) -> None:
        """Make the revision's runs, and let it begin its way if nothing of its pipeline file keeps it."""
        await self.revisions_planned([message])

    async def revisions_planned(self, messages: Sequence[Message[RevisionPlanned]]) -> None:
        """Do so for several of a pipeline that follow each other, as after a burst of pushes.

        Where only the newest is deployed, those in between are superseded without having waited. What
        happens then follows, as far as one can tell, from the last of them.
        """
        for first in range(0, len(messages), REVISIONS_MAX):
            some = messages[first : first + REVISIONS_MAX]
            async with self.db.hearing_together(some) as (tx, news):
                store = Store(tx)
                for message in news:
                    tx.cause = cause_of(message)
                    await _add(store, message.body)
                if news:
                    await (await locked(store, news[0].body.pipeline)).go_on()
            self.due(store.nearest_limit)

    async def artifact_built(self, message: Message[ArtifactBuilt]) -> None:
        """Pin the artifact and let the runs that wait for it go on."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            moves = await locked(store, message.body.pipeline)
            await store.answer_request(message.body.request, digest=message.body.digest)
            await moves.go_on()
        self.due(store.nearest_limit)

    async def artifact_failed(self, message: Message[ArtifactFailed]) -> None:
        """Keep why there is no artifact; the run that asked for it fails."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            moves = await locked(store, message.body.pipeline)
            await store.answer_request(message.body.request, evidence=message.body.evidence)
            await moves.go_on()
        self.due(store.nearest_limit)

    async def verification_probed(self, message: Message[VerificationProbed]) -> None:
        """Note until when a release that met its criteria is watched before its run succeeds."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before or message.body.soaks_until is None:
                return
            store, probed = Store(tx), message.body
            moves = await locked(store, probed.pipeline)
            run = await store.run(probed.run)
            news = run is not None and run.soaks_until != probed.soaks_until
            if run is not None and news and run.awaits(probed.verification):
                await store.change_run(run, soaks_until=probed.soaks_until)
            await moves.go_on()
        self.due(store.nearest_limit)

    async def verification_passed(self, message: Message[VerificationPassed]) -> None:
        """Take the candidate or the stage for good."""
        async with self.db.hearing(message) as tx:
            store = Store(tx)
            if not tx.seen_before:
                await _verified(store, message.body, VerificationState.PASSED, None)
        self.due(store.nearest_limit)

    async def verification_failed(self, message: Message[VerificationFailed]) -> None:
        """Take the candidate or the stage for bad."""
        async with self.db.hearing(message) as tx:
            store = Store(tx)
            if not tx.seen_before:
                await _verified(store, message.body, VerificationState.FAILED, message.body.evidence)
        self.due(store.nearest_limit)

    async def alarm_changed(self, message: Message[AlarmChanged]) -> None:
        """Block, undo or let go on what the alarm is about."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store, alarm, gates = Store(tx), message.body, GateStore(tx)
            await _lock_under(store, alarm.alarm)
            is_news = alarm.state in KNOWN and await gates.note_alarm(alarm.alarm, alarm.state, alarm.reason)
            for pipeline in sorted(store.known.locked):
                moves = PipelineMoves(store, await store.stages(pipeline))
                if is_news:
                    await AlarmMoves(moves).changed(alarm)
                await moves.go_on()
        self.due(store.nearest_limit)

    async def attempt_classified(self, message: Message[AttemptClassified]) -> None:
        """Try a step again whose failure may pass."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            moves = await locked(store, message.body.pipeline)
            run = await store.run(message.body.run)
            if run is not None and run.state in HOLDS_LOCK:
                await Attempts(await moves.moves_of(run)).classified(message.body)
            await moves.go_on()
        self.due(store.nearest_limit)

    async def operation_requested(self, message: Message[OperationRequested]) -> None:
        """Do what a person asked for, or say why not."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            moves = await locked(store, message.body.pipeline)
            await answer(moves, message.body)
            await moves.go_on()
        self.due(store.nearest_limit)

    async def resume(self) -> datetime | None:
        """Bring every pipeline on from its rows; returns the next deadline. Safe at any time."""
        begun_at = self.db.clock.now()  # a limit that passes meanwhile is found at the next call
        async with self.db.reading() as reading:
            pipelines = await pipelines_at_work(reading)
        for pipeline in pipelines:
            error = await failure_of(self._bring_on(pipeline))
            if isinstance(error, TryAgain):
                raise error
            if error is not None:
                log.error("pipeline.stuck", pipeline=pipeline, exc_info=error)
        async with self.db.reading() as reading:
            return await next_deadline(reading, begun_at)

    async def _bring_on(self, pipeline: str) -> None:
        async with self.db.transaction(Cause(RESUME), "resume") as tx:
            moves = await locked(Store(tx), pipeline)
            await moves.place_orders_again()
            await moves.go_on()


async def _add(store: Store, event: RevisionPlanned) -> None:
    """Make a revision's runs, of which none has begun its way."""
    await store.lock(event.pipeline)
    await add_stages(store, event.plan)
    moves = await locked(store, event.pipeline)
    revision = Revision(event.revision, event.commit, event.plan_hash, event.plan, event.pusher)
    await store.add_revision(event.pipeline, revision)
    before: RunRecord | None = None
    for plan in event.plan.stages:
        stage = next(each for each in moves.stages if each.stage == plan.name)
        before = await moves.stage_moves.queue_run(stage, revision, before)


RESUME = derive(UUID(int=0), "windlass deployer resume")  # roles tell its events apart by run and version


async def _lock_under(store: Store, alarm: str) -> None:
    """Lock the pipelines that an alarm is about, and the alarm itself, in the order of all locks."""
    gates, blocker = GateStore(store.tx), blocker_of(alarm)
    await lock_pipelines(store, await gates.pipelines_under(alarm, blocker))
    await gates.lock_alarms(alarm)
    if not store.known.locked.issuperset(await gates.pipelines_under(alarm, blocker)):
        raise TryAgain(f"a pipeline named alarm {alarm} meanwhile")


async def _verified(
    store: Store, event: VerificationEvent, verdict: VerificationState, evidence: Evidence | None
) -> None:
    """Note a verdict where it is still waited for, and go on."""
    moves = await locked(store, event.pipeline)
    document = evidence.model_dump(mode="json") if evidence else None
    run = await store.run(event.run)
    if run is None:
        return
    if event.step:
        step = (await store.steps(run.run)).get(event.step)
        if step and step.awaits(event.verification):
            await store.change_step(step, verification_state=verdict, evidence=document)
    elif run.awaits(event.verification):
        await store.change_run(run, verification_state=verdict, verification_evidence=document)
    await moves.go_on()
