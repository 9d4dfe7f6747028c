"""Brings a whole pipeline to where its rows say it should be: the one path for events and `resume`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.deployer import waits
from services.deployer.admission import wakes_at
from services.deployer.definition_moves import DefinitionMoves
from services.deployer.gate import wait_for
from services.deployer.gate_moves import GateMoves
from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_course import RequestArtifact, next_moves, waits_for_build
from services.deployer.run_ending import about
from services.deployer.run_moves import ORDERED, RunMoves, picture_of
from services.deployer.run_picture import AWAITED, UNASKED
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, UNSTARTED, WORKS, State
from services.deployer.stage_moves import StageMoves
from services.deployer.step_state import IDLE
from services.deployer.store import Revision, Store, WhereaboutsStore
from shared.events import RunWaiting, Wait
from shared.plan import StagePlan

ROUNDS_MAX = 10_000  # moves in one transaction; more is a loop, and a bug


@dataclass(frozen=True, slots=True)
class PipelineMoves:
    """One pipeline in one transaction that has locked it."""

    store: Store
    stages: Sequence[StageRecord]

    @property
    def stage_moves(self) -> StageMoves:
        """Return the moves of the stages."""
        return StageMoves(self.store, self.stages)

    async def go_on(self) -> None:
        """Do all that can be done now, then say what is waited for."""
        if not self.stages:
            return
        pipeline = self.stages[0].pipeline
        await DefinitionMoves(self, pipeline).go_on()
        await replace(self, stages=await self.store.stages(pipeline)).come_to_rest()

    async def come_to_rest(self) -> None:
        """Move until nothing can; to be asked of moves that know the stages as they are now."""
        await self.stage_moves.follow_modes()
        for _ in range(ROUNDS_MAX):
            if not await self._round():
                break
        else:
            raise AssertionError(f"pipeline {self.stages[0].pipeline} never comes to rest")
        await self._say_waits()

    async def place_orders_again(self) -> None:
        """Order again what should be under way; an order that exists is left alone."""
        for run in await self._holders():
            moves = await self.moves_of(run)
            for step in moves.steps.values():
                if step.state in ORDERED:
                    await moves.order(step.step, step.attempt, ORDERED[step.state])

    async def moves_of(self, run: RunRecord) -> RunMoves:
        """Return the moves of one run that holds its stage's lock."""
        revision, stage = await self._plan(run)
        return RunMoves(self.stage_moves, run, revision, stage, await self.store.steps(run.run))

    async def _round(self) -> bool:
        moved = await self._time_out() or await self._admit()
        for run in await self._holders():
            moves = await self.moves_of(run)
            if run.still_since is not None and await GateMoves(moves).fail_lacking():
                moved = True
                continue
            artifacts = await self.store.artifacts(run.pipeline, run.revision)
            plan = (moves.revision, moves.stage)
            picture = picture_of(run, plan, moves.steps, artifacts, self.store.tx.now)
            for move in next_moves(picture):
                await moves.carry_out(move)
                moved = True
        return moved

    async def _time_out(self) -> bool:
        """End the runs that have not begun of deployments whose time is over."""
        over = False
        pipeline = self.stages[0].pipeline
        runs = await self.store.open_runs(pipeline)
        limited = [run for run in runs if run.state in UNSTARTED and run.kind == "deploy"]
        late = await self.store.late_revisions(pipeline) if limited else {}
        for run in limited:
            if run.revision in late:
                await self.stage_moves.time_out_unstarted(run, late[run.revision])
                over = True
        return over

    async def _admit(self) -> bool:
        """Let every run go on that waits for a lock nobody holds."""
        runs = await self.store.open_runs(self.stages[0].pipeline)
        held = {run.stage_key for run in runs if run.state in HOLDS_LOCK}
        free = {run.stage_key for run in runs if run.ready and run.stage_key not in held}
        return any([await self.stage_moves.admit_next(key) for key in sorted(free)])

    async def _holders(self) -> Sequence[RunRecord]:
        runs = await self.store.open_runs(self.stages[0].pipeline)
        return [run for run in runs if run.state in HOLDS_LOCK]

    async def _plan(self, run: RunRecord) -> tuple[Revision, StagePlan]:
        revision = await self.store.revision(run.pipeline, run.revision)
        return revision, next(stage for stage in revision.plan.stages if stage.name == run.stage)

    async def _say_waits(self) -> None:
        """Write down, for every open run, what it waits for; say so where that changed."""
        pipeline = self.stages[0].pipeline
        runs = await self.store.open_runs(pipeline)
        ways = any(not run.ready for run in runs)  # some revision has not come through a stage yet
        before = await self.store.stages_before(pipeline) if ways else {}
        lines = _lines(runs)
        ahead = {run.run: _ahead(line, place) for line in lines.values() for place, run in enumerate(line)}
        turns = {key: await self._turn(line[0], runs) for key, line in lines.items()}
        for key, line in lines.items():
            if turns[key].reason == "window":
                await self._build_ahead(line[0])
        holders = [run for run in runs if run.state in HOLDS_LOCK]
        for run in runs:
            wait = await self._wait(run, holders, before)
            if wait is None and run.ready and run.state in UNSTARTED:
                wait = waits.behind(turns[run.stage_key], ahead[run.run])
            document = wait.model_dump(mode="json") if wait else None
            if _same(document, run.wait_said):
                continue
            changed = await self.store.change_run(run, wait=document, wakes_at=wakes_at(wait))
            self.stage_moves.say(changed, RunWaiting(**about(run), wait=wait, deadline=changed.deadline_at))

    async def _wait(
        self, run: RunRecord, holders: Sequence[RunRecord], before: Mapping[UUID, tuple[str, State]]
    ) -> Wait | None:
        now = self.store.tx.now
        if run.state in HOLDS_LOCK:
            idle = await self._gate_wait(run) or await self._build_wait(run) or await self._attempt_wait(run)
            return idle or self._soak_wait(run)
        if run.is_withheld:
            return await DefinitionMoves(self, run.pipeline).wait(run)
        if not run.ready:
            stage, state = before[run.run]
            there = [r for r in holders if r.stage_key == run.comes_after and r.revision == run.revision]
            ahead = there[0] if there else None
            ends_by, remedy = await self._ends_by(ahead), await self._remedy(run, state)
            return waits.for_previous_stage(stage, state, run.revision, now, ends_by, remedy)
        return None

    async def _remedy(self, run: RunRecord, before: State) -> str:
        """Return what somebody can do about a run in the stage before that did not come through."""
        if before not in TERMINAL:
            return ""
        there = WhereaboutsStore(self.store, run.pipeline)
        return (await there.of(run.comes_after, run.revision)).remedy

    async def _turn(self, first: RunRecord, runs: Sequence[RunRecord]) -> Wait:
        """Return what whoever is next in a stage waits for."""
        holder = next((r for r in runs if r.stage_key == first.stage_key and r.state in HOLDS_LOCK), None)
        if holder is not None:
            ends_by = await self._ends_by(holder)
            return waits.for_lock(holder.revision, holder.state, ends_by, self.store.tx.now)
        closed = await self.stage_moves.gate_wait(first)
        assert closed is not None, "a ready run waits for the lock, or for what keeps the stage closed"
        return closed

    async def _build_ahead(self, next_: RunRecord) -> None:
        """Ask for what the next run deploys: builds are never held by a window."""
        moves = await self.moves_of(next_)
        known = await self.store.artifacts(next_.pipeline, next_.revision)
        for artifact in moves.revision.plan.artifacts:
            if known[artifact.id].state in UNASKED:
                await moves.carry_out(RequestArtifact(artifact))

    async def _ends_by(self, holder: RunRecord | None) -> datetime | None:
        if holder is None or holder.state not in WORKS:
            return None
        revision = await self.store.revision(holder.pipeline, holder.revision)
        last_moment = revision.deadline_at if holder.kind != "rollback" else None
        still = holder.still_since is not None
        gates = await GateMoves(await self.moves_of(holder)).open_gates() if still else []
        return waits.ends_by(holder, [gate.deadline for gate, _ in gates], last_moment)

    async def _gate_wait(self, run: RunRecord) -> Wait | None:
        if run.still_since is None:
            return None
        gates = await GateMoves(await self.moves_of(run)).open_gates()
        return wait_for(gates[0][0]) if gates else None

    async def _attempt_wait(self, run: RunRecord) -> Wait | None:
        moves = await self.moves_of(run)
        between = [(moves.steps[step.id], step) for step in moves.stage.steps]
        idle = [(record, step) for record, step in between if record.state in IDLE]
        return waits.for_attempt(*idle[0], self.store.tx.now) if idle else None

    def _soak_wait(self, run: RunRecord) -> Wait | None:
        if run.soaks_until is None or run.verification_state not in AWAITED or run.state not in WORKS:
            return None
        return waits.for_soak(run.revision, run.soaks_until, self.store.tx.now)

    async def _build_wait(self, run: RunRecord) -> Wait | None:
        if run.state not in WORKS:
            return None
        moves = await self.moves_of(run)
        artifacts = await self.store.artifacts(run.pipeline, run.revision)
        plan = (moves.revision, moves.stage)
        building = waits_for_build(picture_of(run, plan, moves.steps, artifacts, self.store.tx.now))
        assert run.deadline_at is not None
        return waits.for_build(list(building), run.deadline_at, self.store.tx.now) if building else None


def _lines(runs: Sequence[RunRecord]) -> Mapping[str, Sequence[RunRecord]]:
    """Return who waits for each stage's lock, whoever goes first first."""
    lines: dict[str, list[RunRecord]] = {}
    ready = (run for run in runs if run.ready and run.state in UNSTARTED)
    for run in sorted(ready, key=lambda run: (not run.is_urgent, run.revision)):
        lines.setdefault(run.stage_key, []).append(run)
    return lines


def _ahead(line: Sequence[RunRecord], place: int) -> Sequence[int]:
    """Return the revisions right before a place in a line, as many as are told of and one more."""
    return [each.revision for each in line[max(0, place - waits.AHEAD_TOLD_MAX - 1) : place]]


def _same(wait: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Tell whether two waits say the same; when it began does not count, nor what time it was then."""
    if wait is None or other is None:
        return wait is other
    apart = {"since"}
    if wait["reason"] == "window" and other["reason"] == "window":
        apart.add("blocked_by")  # names the time of day
    return all(value == other.get(name) for name, value in wait.items() if name not in apart)


async def locked(store: Store, pipeline: str) -> PipelineMoves:
    """Lock the pipeline and return its moves."""
    await store.lock(pipeline)
    return PipelineMoves(store, await store.stages(pipeline))
