"""Carries out what the queue decides: who starts, waits, gives way; and how a run ends.

Every function runs inside a transaction that has locked the pipeline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.deployer import admission, rollback, stage_queue, waits
from services.deployer.kept_moves import add_steps
from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_course import Finish
from services.deployer.run_ending import Deployed, Ending, about
from services.deployer.run_picture import VerificationState
from services.deployer.run_state import HOLDS_LOCK, LIVE, TERMINAL, UNSTARTED, State, Trigger, advance
from services.deployer.stage_queue import Await, Entry, Mark, Queue, QueueDecision, Start, Supersede
from services.deployer.store import GateStore, Revision, Store
from shared.events import (
    Event,
    Evidence,
    RunCancelled,
    RunQueued,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSuperseded,
    RunTimedOut,
    StageHeld,
    Wait,
)
from shared.events.runs import RunKind
from shared.ids import Commit, Pipeline, Stage, derive

GRANTS = {"rollback": Trigger.ROLLBACK_GRANTED, "roll_forward": Trigger.ROLL_FORWARD_GRANTED}
STARTS = {
    State.ROLLING_BACK: RunRollingBack,
    State.ROLLING_FORWARD: RunRollingForward,
}  # the others: RunStarted


@dataclass(frozen=True, slots=True)
class StageMoves:
    """The moves of one pipeline's stages in one transaction."""

    store: Store
    stages: Sequence[StageRecord]

    def say(self, run: RunRecord, event: Event) -> None:
        """Emit an event of the run; its version keeps two of one type apart."""
        self.store.tx.emit(event, f"{run.run} {run.version}")

    async def queue_run(self, stage: StageRecord, revision: Revision, before: RunRecord | None) -> RunRecord:
        """Make the run that will deploy the revision in the stage, after its run in the stage before."""
        place = (stage.pipeline, stage.stage, stage.key)
        id_ = derive(self.store.tx.cause.id, f"run {stage.stage}")
        unstarted = unstarted_run(id_, place, revision.revision, "deploy", self.store.tx.now)
        wait = None
        if before:
            wait = waits.for_previous_stage(before.stage, before.state, revision.revision, self.store.tx.now)
        document = wait.model_dump(mode="json") if wait else None
        run = replace(unstarted, wait_said=document, comes_after=before.stage_key if before else "")
        await self.store.add_run(run)
        queued = RunQueued(
            **about(run), commit=Commit(revision.commit), plan_hash=revision.plan_hash, wait=wait
        )
        self.say(run, queued)
        return run

    async def arrive(self, run: RunRecord) -> None:
        """Bring a run whose revision is ready to its stage's queue."""
        queue = await self._queue(run.stage_key, run)
        for decision in stage_queue.on_arrival(queue, run.entry):
            await self._decide(decision)

    async def arrive_again(self, run: RunRecord) -> RunRecord:
        """Bring a run that a person asked for once more to its stage's queue."""
        for decision in stage_queue.on_retry(await self._queue(run.stage_key), run.entry):
            await self._decide(decision)
        return await self._open(run.entry)

    async def follow_modes(self) -> None:
        """Let those who wait do so as the modes of their stages are by now."""
        runs = await self.store.open_runs(self.stages[0].pipeline)
        fifo = {stage.key for stage in self.stages if stage.queue == "fifo"}
        changed = {run.stage_key for run in runs if run.waits and run.in_line != (run.stage_key in fifo)}
        for key in sorted(changed):
            for decision in stage_queue.on_mode(await self._queue(key)):
                await self._decide(decision)

    async def admit_next(self, key: str) -> bool:
        """Let the run that is next go on if nothing keeps it; tell whether one did."""
        decisions = stage_queue.admit_next(await self._queue(key))
        for decision in decisions:
            await self._decide(decision)
        return bool(decisions)

    async def cancel_unstarted(self, run: RunRecord, actor: str, reason: str) -> None:
        """End a run that holds nothing yet."""
        state = advance(run.state, Trigger.CANCEL_ASKED)
        now = self.store.tx.now
        run = await self.store.change_run(run, state=state, ready=False, wait=None, finished_at=now)
        self.say(run, RunCancelled(**about(run), state=state, actor=actor, reason=reason))

    async def cancel_later(self, run: RunRecord, actor: str, reason: str) -> Sequence[RunRecord]:
        """End what has not begun of its revision in the stages after, and return that; it may come back."""
        later = [each for each in await self.later_runs(run) if each.state in UNSTARTED]
        for each in later:
            marked = await self.store.change_run(each, ended_along=True)
            await self.cancel_unstarted(marked, actor, reason)
        return later

    async def finish(self, run: RunRecord, finish: Finish, deployed: Deployed) -> None:
        """End a run that holds the lock, and do what follows: promote, roll back, admit the next."""
        state = advance(run.state, finish.trigger)
        follow = await self._what_follows(run, finish, switched=bool(deployed.targets))
        now = self.store.tx.now
        ended = await self.store.change_run(run, state=state, finished_at=now, wait=None)
        self.say(ended, Ending(ended, finish, follow, deployed).event)
        if state not in LIVE:
            await self._give_way(ended)
        if isinstance(follow, rollback.RollBack):
            await self._roll_back(ended, follow.to_revision, finish)
            return
        if ended.kind != "rollback" and state in LIVE:
            await self._promote(ended)
        await self.admit_next(ended.stage_key)

    async def _what_follows(
        self, run: RunRecord, finish: Finish, *, switched: bool
    ) -> rollback.RollBack | rollback.NoCandidate | None:
        if not rollback.follows(run.state, finish, switched=switched, undo=run.undo) or await self._is_undone(
            run
        ):
            return None
        past = await self.store.past_runs(run.stage_key)
        held = await self.store.held_revisions(run.stage_key)
        return rollback.choose(past, run.revision, held)

    async def _begin_way(self, run: RunRecord, revision: Revision) -> None:
        """Note by when the whole deployment must be through, as its first run begins.

        Not where a person tried that one again or put it past the queue: then none of it is limited.
        """
        seconds = revision.plan.timeout_seconds
        if seconds is not None and run.kind == "deploy" and not run.comes_after:
            deadline = self.store.tx.now + timedelta(seconds=seconds)
            await self.store.limit_revision(run.pipeline, run.revision, deadline)

    async def time_out_unstarted(self, run: RunRecord, deadline: datetime) -> None:
        """End a run that never began, because its deployment's time is over."""
        state = advance(run.state, Trigger.DEADLINE_PASSED)
        now = self.store.tx.now
        run = await self.store.change_run(run, state=state, ready=False, wait=None, finished_at=now)
        evidence = Evidence(
            phase="deploy",
            kind="timeout",
            what=run.stage,
            message=f"the deployment did not come here by {deadline:%Y-%m-%d %H:%M:%S} UTC, its time limit",
            finished_at=now,
            stated="not_begun",
        )
        self.say(run, RunTimedOut(**about(run), state=state, evidence=evidence))

    async def _is_undone(self, run: RunRecord) -> bool:
        """Tell whether a person's rollback waits for this run's end: then none follows by itself."""
        runs = await self.store.open_runs(run.pipeline)
        return any(
            other.is_urgent and other.stage_key == run.stage_key and other.run != run.run for other in runs
        )

    async def _queue(self, key: str, arriving: RunRecord | None = None) -> Queue:
        stage = await self._stage(key)
        here = [run for run in await self.store.open_runs(stage.pipeline) if run.stage_key == key]
        running = next((run.entry for run in here if run.state in HOLDS_LOCK), None)
        urgent = next((run.entry for run in here if run.is_urgent and run.state in UNSTARTED), None)
        asking = {run.entry: run for run in here if run.waits}
        waiting = sorted(asking, key=lambda entry: entry.revision)
        if arriving:
            asking[arriving.entry] = arriving
        first = stage_queue.next_of(stage.queue, [*asking])
        admits = first is None or await self.gate_wait(asking[first]) is None
        return Queue(running, waiting, stage.newest, admits, urgent, stage.queue)

    async def gate_wait(self, run: RunRecord) -> Wait | None:
        """Return what keeps the stage from beginning this run, were its lock free."""
        revision = await self.store.revision(run.pipeline, run.revision)
        plan = next(stage for stage in revision.plan.stages if stage.name == run.stage)
        gates = await GateStore(self.store.tx).gates(run.pipeline, run.stage, plan.window)
        return admission.closed_by(gates, run.kind, self.store.tx.now)

    async def _stage(self, key: str) -> StageRecord:
        """Return the stage as it is by now: its mark rises on the way."""
        fresh = await self.store.stages(self.stages[0].pipeline)
        return next(each for each in fresh if each.key == key)

    async def _decide(self, decision: QueueDecision) -> None:
        match decision:
            case Start(entry):
                await self._start(await self._open(entry))
            case Await(entry):
                await self._await(await self._open(entry))
            case Supersede(entry, by):
                await self.supersede(await self._open(entry), by)
            case Mark(entry):
                await self.mark(await self._open(entry))

    async def _await(self, run: RunRecord) -> None:
        in_line = (await self._stage(run.stage_key)).queue == "fifo"
        if not run.ready or run.in_line != in_line:
            await self.store.change_run(run, ready=True, in_line=in_line)

    async def mark(self, run: RunRecord) -> None:
        """Let what is older come too late to the stage from now on."""
        await self.store.raise_newest(run.stage_key, run.entry)
        await self._overtake(run)

    async def _open(self, entry: Entry) -> RunRecord:
        run = await self.store.run(entry.run)
        assert run is not None, "an entry of the queue is a run"
        return run

    async def _start(self, run: RunRecord) -> None:
        """Give the run the lock: from here on it works."""
        revision = await self.store.revision(run.pipeline, run.revision)
        plan = next(stage for stage in revision.plan.stages if stage.name == run.stage)
        state = advance(run.state, GRANTS.get(run.kind, Trigger.LOCK_GRANTED))
        now = self.store.tx.now
        deadline = now + timedelta(seconds=plan.timeout_seconds)
        await self._begin_way(run, revision)
        started = await self.store.change_run(
            run, state=state, ready=True, wait=None, wakes_at=None, started_at=now, deadline_at=deadline
        )
        said = STARTS.get(state, RunStarted)
        self.say(started, said(**about(started), deadline=deadline))
        await add_steps(self.store, started, plan)  # which may say what it keeps

    async def supersede(self, run: RunRecord, by: Entry) -> None:
        """End a run that a newer revision's took the place of, here and in the stages after."""
        await self.supersede_here(run, by)
        for later in await self.later_runs(run):
            if later.state in UNSTARTED:
                newer = (await self.store.deploy_runs(run.pipeline, by.revision)).get(later.stage_key)
                await self.supersede_here(later, newer.entry if newer else by)

    async def _supersede_open(self, entry: Entry, by: Entry) -> None:
        """Supersede a run unless one before it has taken it along."""
        run = await self._open(entry)
        if run.state in UNSTARTED:
            await self.supersede(run, by)

    async def supersede_here(self, run: RunRecord, by: Entry) -> None:
        """End a run that another took the place of in this stage alone."""
        state = advance(run.state, Trigger.NEWER_QUEUED)
        now = self.store.tx.now
        run = await self.store.change_run(run, state=state, ready=False, wait=None, finished_at=now)
        superseded = RunSuperseded(**about(run), state=state, by_run=by.run, by_revision=by.revision)
        self.say(run, superseded)

    async def _overtake(self, run: RunRecord) -> None:
        """End older runs that never got ready here, or whose revision got stuck in a stage before.

        What they waited for can only be too late.
        """
        before = await self.store.stages_before(run.pipeline)
        newer = await self.store.deploy_runs(run.pipeline, run.revision)
        for older in await self.store.open_runs(run.pipeline):
            if older.ready or older.state not in UNSTARTED or older.revision >= run.revision:
                continue
            _, stuck = before.get(older.run, ("", older.state))
            if older.stage_key == run.stage_key or stuck in TERMINAL - LIVE:
                await self._supersede_open(older.entry, newer.get(older.stage_key, run).entry)

    async def _give_way(self, ended: RunRecord) -> None:
        """Let what the ended revision had ahead of it go to a newer one that is here already."""
        newest = (await self._stage(ended.stage_key)).newest
        if newest and newest.revision > ended.revision:
            await self._overtake(await self._open(newest))

    async def _promote(self, run: RunRecord) -> None:
        following = next(iter(await self.later_runs(run)), None)
        if following and following.state in UNSTARTED and not following.ready:  # or a retry waits there
            await self.arrive(following)

    async def later_runs(self, run: RunRecord) -> Sequence[RunRecord]:
        """Return the revision's runs in the stages after this one, in the order of its own plan.

        Not in that of the newest plan, which may have moved the stages since.
        """
        runs = await self.store.deploy_runs(run.pipeline, run.revision)
        following = {each.comes_after: each for each in runs.values()}
        later: list[RunRecord] = []
        while (last := later[-1] if later else run).stage_key in following:
            later.append(following[last.stage_key])
        return later

    async def _roll_back(self, failed: RunRecord, to_revision: int, finish: Finish) -> None:
        """Take the lock over for a run that restores what was good before the failed one."""
        why = finish.evidence.message if finish.evidence else _cancelled_by(failed)
        reason = f"its run ended {failed.state} and was rolled back{f': {why}' if why else ''}"
        if await self.store.hold(failed.stage_key, failed.revision, reason):
            held = StageHeld(
                pipeline=Pipeline(failed.pipeline),
                stage=Stage(failed.stage),
                revision=failed.revision,
                reason=reason,
            )
            self.say(failed, held)
        restored = await self.store.revision(failed.pipeline, to_revision)
        run = await self._queue_rollback(failed, restored)
        await self._start(run)

    async def _queue_rollback(self, failed: RunRecord, restored: Revision) -> RunRecord:
        place = (failed.pipeline, failed.stage, failed.stage_key)
        id_ = derive(failed.run, "rollback")
        run = unstarted_run(id_, place, restored.revision, "rollback", self.store.tx.now)
        await self.store.add_run(run)
        queued = RunQueued(
            **about(run),
            commit=Commit(restored.commit),
            plan_hash=restored.plan_hash,
            wait=Wait(
                reason="lock",
                blocked_by=f"revision {failed.revision}, which ended {failed.state} here",
                released_by="this rollback taking the lock over at once",
                since=self.store.tx.now,
            ),
            restores=restored.revision,
            rolls_back=failed.run,
        )
        self.say(run, queued)
        return run


def _cancelled_by(run: RunRecord) -> str:
    """Return who ended it, an alarm perhaps, and why; empty: it ended by itself."""
    return ": ".join(each for each in (run.cancel_actor, run.cancel_reason) if each)


def unstarted_run(
    run: UUID, stage: tuple[str, str, str], revision: int, kind: RunKind, now: datetime
) -> RunRecord:
    """Return a run as it begins: it has no place in the queue yet."""
    pipeline, name, key = stage
    return RunRecord(
        run=run,
        pipeline=pipeline,
        stage=name,
        stage_key=key,
        revision=revision,
        kind=kind,
        state=State.NOT_STARTED,
        ready=False,
        comes_after="",
        wait_said=None,
        version=0,
        created_at=now,
        deadline_at=None,
        verification=None,
        verification_state=VerificationState.NONE,
        verification_evidence=None,
        cancel_actor="",
        cancel_reason="",
    )
