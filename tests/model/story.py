"""The stories that a stage can tell: an automaton over its events, made of the deployer's own tables.

Each event of a run or a step is a trigger of `run_state` or `step_state`; what the tables do not allow is no
story of ours, nor is a second holder of the lock, an older revision that starts after a newer one, or a
start in a stage that is stopped, or of a revision that is on hold. A story may end anywhere, for
a crash does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.deployer import run_state, step_state
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, State, Trigger
from services.deployer.stage_moves import GRANTS
from services.deployer.step_state import StepState, StepTrigger
from services.deployer.ways_out import way_out
from shared.events import (
    AttemptFailed,
    Event,
    HoldReleased,
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunQueued,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    RunWaiting,
    StageHeld,
    StageResumed,
    StageStopped,
    StepBackingOff,
    StepCancelled,
    StepFailed,
    StepKept,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTimedOut,
    StepWaiting,
)
from shared.events.runs import RunEvent, RunFinished
from shared.events.steps import StepEvent

ENDED_BY: Mapping[type[Event], Trigger] = {
    RunCancelling: Trigger.CANCEL_ASKED,
    RunSucceeded: Trigger.WORK_PASSED,
    RunFailed: Trigger.WORK_FAILED,
    RunTimedOut: Trigger.DEADLINE_PASSED,
    RunSuperseded: Trigger.NEWER_QUEUED,
}
STARTED_AS: Mapping[type[Event], str] = {RunRollingBack: "rollback", RunRollingForward: "roll_forward"}
OF_A_STEP: Mapping[type[Event], StepTrigger] = {
    StepStarted: StepTrigger.STARTED,
    StepWaiting: StepTrigger.GATE_REACHED,
    StepSkipped: StepTrigger.SKIPPED,
    StepKept: StepTrigger.KEPT,
    StepSucceeded: StepTrigger.DONE,
    StepFailed: StepTrigger.BROKE,
    StepTimedOut: StepTrigger.LIMIT_PASSED,
    StepCancelled: StepTrigger.STOPPED,
    AttemptFailed: StepTrigger.ATTEMPT_BROKE,
    StepBackingOff: StepTrigger.TRANSIENT,
}
UNTOLD = frozenset({StepTrigger.CANDIDATE_UP, StepTrigger.VERIFIED, StepTrigger.DISCARD_ORDERED})


class NoPath(AssertionError):  # noqa: N818 - named for what happened
    """The story leaves the model here."""


def told(event: Event, why: str) -> NoPath:
    """Return what to raise for an event that no story goes on with."""
    return NoPath(f"{why}: {event!r}")


@dataclass
class Path:
    """How far the story of one stage has come."""

    runs: dict[UUID, State] = field(default_factory=dict)
    steps: dict[tuple[UUID, str], frozenset[StepState]] = field(default_factory=dict)  # may be in any of them
    held: set[int] = field(default_factory=set)
    stopped: bool = False
    newest: int = 0  # of the revisions whose deploy run has started

    def go_on(self, event: Event) -> None:
        """Take the next event; raises `NoPath` if the story cannot go on with it."""
        match event:
            case RunQueued():
                if event.run in self.runs:
                    raise told(event, "a run is queued again")
                self.runs[event.run] = State.NOT_STARTED
            case RunEvent():
                self._run(event)
            case StepEvent():
                self._step(event)
            case StageStopped() | StageResumed():
                self.stopped = isinstance(event, StageStopped)
            case StageHeld():
                self.held.add(event.revision)
            case HoldReleased():
                self.held.discard(event.revision)

    def _run(self, event: RunEvent) -> None:
        state = self.runs.get(event.run)
        if state is None:
            raise told(event, "a run was never queued")
        if state in TERMINAL:
            raise told(event, f"a run goes on that is {state} (S2)")
        try:
            self.runs[event.run] = self._advanced(event, state)
        except run_state.IllegalTransition as illegal:
            raise told(event, str(illegal)) from illegal
        if isinstance(event, RunFinished) and event.state != self.runs[event.run]:
            raise told(event, f"it says {event.state} of a run that is {self.runs[event.run]}")
        if isinstance(event, RunSuperseded):
            self._superseded(event)
        if isinstance(event, RunWaiting):
            self._waits(event)

    def _advanced(self, event: RunEvent, state: State) -> State:
        match event:
            case RunStarted():
                self._may_start(event)
                return run_state.advance(state, GRANTS.get(event.kind, Trigger.LOCK_GRANTED))
            case RunCancelled():
                begun = state in HOLDS_LOCK
                return run_state.advance(state, Trigger.WORK_STOPPED if begun else Trigger.CANCEL_ASKED)
        trigger = ENDED_BY.get(type(event))
        return run_state.advance(state, trigger) if trigger else state

    def _may_start(self, event: RunStarted) -> None:
        holders = [run for run, state in self.runs.items() if state in HOLDS_LOCK]
        if holders:
            raise told(event, f"a run starts beside {holders} (S1)")
        if STARTED_AS.get(type(event), event.kind) != event.kind:
            raise told(event, f"a {event.kind} starts as something else")
        if event.kind != "rollback" and self.stopped:
            raise told(event, "a run starts in a stage that is stopped")
        if event.kind != "rollback" and event.revision in self.held:
            raise told(event, "a revision starts that is on hold")
        if event.kind == "deploy" and event.revision <= self.newest:
            raise told(event, f"a revision starts after {self.newest} (S5)")
        if event.kind == "deploy":
            self.newest = event.revision

    def _waits(self, event: RunWaiting) -> None:
        reason = event.wait.reason if event.wait else None
        if way_out(self.runs[event.run], reason, event.kind) is None:
            raise told(event, f"a run that is {self.runs[event.run]} waits where nobody can (L2)")

    def _superseded(self, event: RunSuperseded) -> None:
        if event.by_run == event.run or event.by_revision < event.revision:
            raise told(event, "a run gives way to itself or to something older (L1)")

    def _step(self, event: StepEvent) -> None:
        if type(event) not in OF_A_STEP:
            return  # what others say about an attempt, or people at a gate
        if self.runs.get(event.run) not in HOLDS_LOCK:
            raise told(event, f"a step of a run that is {self.runs.get(event.run)}")
        key = (event.run, event.step)
        before = self.steps.get(key, frozenset({StepState.PENDING}))
        if isinstance(event, StepFailed) and event.evidence.stated == "lacking":
            before |= after(before, StepTrigger.GATE_REACHED)  # whose question lacks a value: nobody is asked
        possible = after(before, OF_A_STEP[type(event)])
        if not possible:
            raise told(event, f"a step that is {' or '.join(sorted(before))}")
        self.steps[key] = possible


def after(states: frozenset[StepState], trigger: StepTrigger) -> frozenset[StepState]:
    """Return where a step may be after a trigger that was told, and any that were not before it."""
    reached, todo = set(states), list(states)
    while todo:
        row = step_state.TRANSITIONS[todo.pop()]
        new = {led for each, led in row.items() if each in UNTOLD} - reached
        reached |= new
        todo.extend(new)
    return frozenset(led for state in reached if (led := step_state.TRANSITIONS[state].get(trigger)))


def follow(story: Iterable[Event]) -> dict[str, Path]:
    """Go along a story of many stages; returns how far each has come, or raises `NoPath`."""
    paths: dict[str, Path] = {}
    for event in story:
        paths.setdefault(event.key, Path()).go_on(event)
    return paths
