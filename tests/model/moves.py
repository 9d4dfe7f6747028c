"""What can happen to the two stages: the product's own decisions, carried out on values.

Who starts, waits and gives way, what a stage's stop keeps out, what is rolled back and to what, and every
move of a run come from `services.deployer`. Only the carrying out is written again, without a database,
and tests/unit/deployer/test_enumeration_deployed.py holds it against the real one, state by state.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.deployer import admission, rollback, stage_queue
from services.deployer.admission import Gates, Stop
from services.deployer.run_course import Finish
from services.deployer.run_state import (
    GAVE_WAY,
    HOLDS_LOCK,
    LIVE,
    RETRIED,
    TERMINAL,
    UNSTARTED,
    WORKS,
    State,
    Trigger,
    advance,
)
from services.deployer.stage_moves import GRANTS
from services.deployer.stage_queue import Await, Mark, Queue, QueueDecision, Start, Supersede
from shared.events import Evidence
from shared.events.runs import RunKind
from tests.model.world import NEWEST, STAGES, Ended, Modes, Own, Stage, Told, Urgent, World, entry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OPEN, SHUT = Gates(), Gates(stop=Stop("ada", "", NOW, whole_pipeline=False))
ENDINGS = {
    "passes": Finish(Trigger.WORK_PASSED),
    "fails": Finish(Trigger.WORK_FAILED, "step", evidence=Evidence(phase="deploy", kind="error", message="")),
    "is unfit": Finish(
        Trigger.WORK_FAILED, "step", evidence=Evidence(phase="rollout", kind="error", message="")
    ),
    "stops": Finish(Trigger.WORK_STOPPED),
}


@dataclass(slots=True)
class Moves:
    """One transaction on the world."""

    stages: list[Stage]
    mark: bool = True  # whether the high-water mark is looked at: a guard to be taken away
    gate: bool = True  # whether a stop is looked at: another
    told: list[Told] = field(default_factory=list)

    @property
    def world(self) -> World:
        """Return the world as it now is."""
        return World((self.stages[0], self.stages[1]))

    def plan(self, revision: int, modes: Modes = NEWEST) -> None:
        """A planned revision gets its runs and comes to the first stage; the newest plan is in force."""
        is_newest = revision > max(self.world.planned, default=0)
        for s in STAGES:
            if is_newest:
                self._change(s, queue=modes[s])
            assert self.stages[s].own[revision - 1] is None, "a revision is planned once"
            self._put(s, revision, Own("deploy", State.NOT_STARTED, ready=False))
        self._arrive(0, revision)
        self.go_on()

    def finish(self, s: int, how: str) -> None:
        """The holder's work is over."""
        held = self.stages[s].holder
        assert held, "only what holds the lock works"
        ending = ENDINGS[how]
        follow = self._follow(s, held, ending)
        ended = held._replace(state=advance(held.state, ending.trigger))
        self._end(s, ended)
        if ended.state not in LIVE and self.stages[s].newest > ended.revision:
            self._overtake(s, self.stages[s].newest)
        if isinstance(follow, rollback.RollBack):
            self._hold(s, ended.revision)
            self._change(s, urgent=Urgent("rollback", follow.to_revision, State.NOT_STARTED))
            self._start_urgent(s)
        elif ended.kind != "rollback" and ended.state in LIVE:
            self._promote(s, ended.revision)
        self.go_on()

    def cancel(self, s: int) -> bool:
        """A person ends what holds the lock, or what waits for it."""
        stage = self.stages[s]
        held = stage.holder
        if held and (held.kind == "rollback" or held.state not in WORKS):
            return False
        if held:
            self._advance(s, held, Trigger.CANCEL_ASKED)
        elif stage.waiting:
            self._call_off(s, stage.waiting[0])
        self.go_on()
        return bool(held or stage.waiting)

    def retry(self, s: int) -> bool:
        """A person has the stage's last run tried again."""
        stage, last = self.stages[s], self.stages[s].last
        if last is None or last.kind == "rollback" or last.state not in RETRIED:
            return False
        if s and last.revision not in self.stages[s - 1].good:  # it was ended before it could come here
            return False
        if any(good > last.revision for good in stage.good) or last.revision in stage.held:
            return False
        if s and last.revision not in self.stages[s - 1].good:
            return False
        here = [(r, run.state) for r, run in enumerate(stage.own, start=1) if run and self._is_here(run)]
        here += [(stage.urgent.revision, stage.urgent.state)] if stage.urgent else []
        line = {(r, State.NOT_STARTED) for r in stage.waiting if r > last.revision and stage.queue == "fifo"}
        if any(state not in TERMINAL and r >= last.revision for r, state in set(here) - line):
            return False
        self._put(s, last.revision, Own("retry", State.NOT_STARTED, ready=False))
        for decision in stage_queue.on_retry(self._queue(s), entry(last.revision)):
            self._decide(s, decision, "retry")
        self._requeue_later(s, last.revision)
        self.go_on()
        return True

    def roll_back(self, s: int) -> bool:
        """A person has the stage go back to what was good before."""
        stage = self.stages[s]
        if stage.urgent:
            return False
        held, undone = stage.holder, self._undone(stage)
        good = rollback.older(_past(stage), undone or None, stage.begun.revision if stage.begun else 0)
        wanted = next((r for r in good if r not in stage.held), 0)
        if not wanted:
            return False
        if held and held.state in WORKS:
            self._advance(s, held, Trigger.CANCEL_ASKED)
        if undone:
            self._hold(s, undone)
            for later in STAGES[s:]:
                self._call_off(later, undone)
        self._change(s, urgent=Urgent("rollback", wanted, State.NOT_STARTED))
        self.go_on()
        return True

    def roll_forward(self, s: int) -> bool:
        """A person puts the newest revision into the stage that nothing is in the way of, past its queue."""
        stage = self.stages[s]
        came = self.stages[s - 1].good if s else self.world.planned
        newer = [r for r in came if r > stage.live and r not in stage.held and not self._ended_badly(s, r)]
        revision = max(newer, default=0)
        if stage.holder or stage.stopped or not revision:
            return False
        self._change(s, urgent=Urgent("roll_forward", revision, State.NOT_STARTED))
        for older in range(1, revision + 1):
            run = self.stages[s].own[older - 1]
            if run and run.state in UNSTARTED:
                self._supersede(s, older, revision, "roll_forward", here=older == revision)
        self._change(s, newest=max(stage.newest, revision))
        self._requeue_later(s, revision)
        self.go_on()
        return True

    def stop(self, s: int, *, stopped: bool) -> bool:
        """A person closes the stage, or opens it again."""
        if self.stages[s].stopped == stopped:
            return False
        self._change(s, stopped=stopped)
        self.go_on()
        return True

    def go_on(self) -> None:
        """Let every run begin that can."""
        for s in STAGES:
            for decision in stage_queue.on_mode(self._queue(s)):
                self._decide(s, decision)
        for s in STAGES:
            for decision in stage_queue.admit_next(self._queue(s)):
                self._decide(s, decision)

    def _call_off(self, s: int, revision: int) -> None:
        run = self._own(s, revision)
        if run.state in UNSTARTED:
            cancelled = Urgent(run.kind, revision, advance(run.state, Trigger.CANCEL_ASKED))
            self._end(s, cancelled, began=False)

    def _undone(self, stage: Stage) -> int:
        if stage.holder:
            return stage.holder.revision
        if stage.begun and stage.begun.kind == "rollback" and stage.begun.state in RETRIED:
            return 0
        return stage.begun.revision if stage.begun else stage.live

    def _ended_badly(self, s: int, revision: int) -> bool:
        """Tell whether the revision's last run here came to nothing; one that is open has not yet."""
        return revision in self.stages[s].bad and self._own(s, revision).state not in UNSTARTED

    def _requeue_later(self, s: int, revision: int) -> None:
        """Make anew, in the stage after, what gave way there to a revision that never came."""
        run = self.stages[s + 1].own[revision - 1] if s + 1 in STAGES else None
        if run and run.state in GAVE_WAY and self.stages[s + 1].newest < revision:
            self._put(s + 1, revision, Own("retry", State.NOT_STARTED, ready=False))

    def _is_here(self, run: Own) -> bool:
        return run.ready or run.state not in UNSTARTED

    def _follow(self, s: int, held: Urgent, ending: Finish) -> object:
        if self.stages[s].is_taken_over or not rollback.follows(held.state, ending, switched=False):
            return None
        return rollback.choose(_past(self.stages[s]), held.revision, self.stages[s].held)

    def _queue(self, s: int, arriving: int = 0) -> Queue:
        stage = self.stages[s]
        waiting = [entry(revision) for revision in stage.waiting]
        first = stage_queue.next_of(stage.queue, [*waiting, *([entry(arriving)] if arriving else [])])
        kind: RunKind = self._own(s, first.revision).kind if first else "deploy"
        shut = stage.stopped and self.gate
        return Queue(
            running=entry(stage.holder.revision) if stage.holder else None,
            waiting=waiting,
            newest=entry(stage.newest) if stage.newest and self.mark else None,
            admits=admission.closed_by(SHUT if shut else OPEN, kind, NOW) is None,
            urgent=entry(stage.urgent.revision) if stage.urgent and stage.is_taken_over else None,
            mode=stage.queue,
        )

    def _arrive(self, s: int, revision: int) -> None:
        for decision in stage_queue.on_arrival(self._queue(s, revision), entry(revision)):
            self._decide(s, decision)

    def _decide(self, s: int, decision: QueueDecision, by_kind: RunKind = "deploy") -> None:
        match decision:
            case Start(who):
                urgent = self.stages[s].urgent
                if urgent and urgent.state in UNSTARTED and who.revision == urgent.revision:
                    self._start_urgent(s)
                else:
                    self._advance(s, self._as_run(s, who.revision), Trigger.LOCK_GRANTED)
                    self._say("started", s, self._as_run(s, who.revision))
            case Await(who):
                self._put(s, who.revision, self._own(s, who.revision)._replace(ready=True))
            case Supersede(who, by):
                self._supersede(s, who.revision, by.revision, by_kind)
            case Mark(who):
                self._change(s, newest=who.revision)
                self._overtake(s, who.revision)

    def _supersede(self, s: int, revision: int, by: int, by_kind: RunKind, *, here: bool = False) -> None:
        for later in STAGES[s : s + 1] if here else STAGES[s:]:
            run = self.stages[later].own[revision - 1]
            if run and run.state in UNSTARTED:
                state = advance(run.state, Trigger.NEWER_QUEUED)
                self._put(later, revision, Own(run.kind, state, ready=False))
                self.told.append(Told("superseded", later, run.kind, revision, state, by, by_kind))
                by_kind = "deploy"  # in the stages after, its own run there

    def _overtake(self, s: int, newer: int) -> None:
        for later in STAGES:
            for revision in range(1, newer):
                run = self.stages[later].own[revision - 1]
                if run is None or run.ready or run.state not in UNSTARTED:
                    continue
                before = self._before(revision) if later else run.state
                if later == s or before in TERMINAL - LIVE:
                    self._supersede(later, revision, newer, "deploy")

    def _before(self, revision: int) -> State:
        """Return how the revision stands in the first stage."""
        urgent = self.stages[0].urgent
        if urgent and urgent.kind == "roll_forward" and urgent.revision == revision:
            return urgent.state
        return self._own(0, revision).state

    def _promote(self, s: int, revision: int) -> None:
        following = self.stages[s + 1].own[revision - 1] if s + 1 in STAGES else None
        if following and following.state not in TERMINAL:
            self._arrive(s + 1, revision)

    def _start_urgent(self, s: int) -> None:
        urgent = self.stages[s].urgent
        assert urgent
        self._advance(s, urgent, GRANTS[urgent.kind])
        self._say("started", s, urgent)

    def _advance(self, s: int, run: Urgent, trigger: Trigger) -> None:
        state = advance(run.state, trigger)
        if run.kind in GRANTS:
            self._change(s, urgent=run._replace(state=state))
        else:
            ready = self._own(s, run.revision).ready or state in HOLDS_LOCK
            self._put(s, run.revision, Own(run.kind, state, ready=ready))

    def _end(self, s: int, run: Urgent, *, began: bool = True) -> None:
        if run.kind in GRANTS:
            self._change(s, urgent=None)
        else:
            self._put(s, run.revision, Own(run.kind, run.state, ready=began))
        stage = self.stages[s]
        if run.state in LIVE:
            good = (run.revision, *(each for each in stage.good if each != run.revision))
            self._change(s, good=good)
        bad = stage.bad - {run.revision} | ({run.revision} if run.state in RETRIED else set())
        ended = Ended(run.kind, run.revision, run.state)
        self._change(s, bad=bad, last=ended, begun=ended if began else stage.begun)
        self._say("ended", s, run)

    def _hold(self, s: int, revision: int) -> None:
        self._change(s, held=self.stages[s].held | {revision})

    def _as_run(self, s: int, revision: int) -> Urgent:
        run = self._own(s, revision)
        return Urgent(run.kind, revision, run.state)

    def _own(self, s: int, revision: int) -> Own:
        run = self.stages[s].own[revision - 1]
        assert run, "what is decided about exists"
        return run

    def _put(self, s: int, revision: int, run: Own) -> None:
        own = self.stages[s].own
        self._change(s, own=(*own[: revision - 1], run, *own[revision:]))

    def _change(self, s: int, **values: object) -> None:
        self.stages[s] = self.stages[s]._replace(**values)  # type: ignore[arg-type]  # one of its fields

    def _say(self, what: str, s: int, run: Urgent) -> None:
        self.told.append(Told(what, s, run.kind, run.revision, run.state))


def _past(stage: Stage) -> list[rollback.PastRun]:
    return [rollback.PastRun(entry(r).run, r, State.SUCCEEDED) for r in stage.good]
