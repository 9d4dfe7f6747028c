"""What happened in one pipeline, told from its events alone, and what must hold at each of them.

It knows what the read model should show and what is possible next, without asking either: so both can be
held against it. Pure.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]

STAGES = ("staging", "production")
WHOLE = "*"
GOOD = frozenset({"Succeeded", "Rolled Back", "Rolled Forward"})
BAD = frozenset({"Failed", "Timed Out", "Cancelled"})
STARTED = {"started": "In Progress", "rolling_back": "Rolling Back", "rolling_forward": "Rolling Forward"}
HOLDING = frozenset({*STARTED.values(), "Cancelling"})
URGENT = frozenset({"rollback", "roll_forward"})
STEP_ENDS = frozenset({"succeeded", "failed", "timed_out", "cancelled"})
DECISIONS = frozenset({"revision.planned", "plan.rejected", "revision.skipped"})


@dataclass
class Run:
    """One revision in one stage, once."""

    id: str
    stage: str
    revision: int
    kind: str
    queued_at: str  # as its event says: what happens in two stages is heard in no order
    state: str = "Not Started"
    wait: Body | None = None
    began: bool = False
    ended_at: int | None = None  # events of the pipeline before it
    ended_when: str = ""
    steps: dict[str, str] = field(default_factory=dict)  # running, waiting, or how it ended
    shown: dict[str, str] = field(default_factory=dict)  # gate -> what an approval is of
    undiagnosed: bool = False  # it failed, and nobody said yet how

    @property
    def final(self) -> bool:
        return self.ended_at is not None

    @property
    def gates(self) -> list[str]:
        return [step for step, state in self.steps.items() if state == "waiting"]


@dataclass
class Standing:
    """One stage."""

    live: int | None = None
    past: list[int] = field(default_factory=list)  # revisions that ended well here, the last first
    last_begun: Run | None = None  # that ended last
    last: Run | None = None  # that ended last, and gave way to none
    holds: set[int] = field(default_factory=set)
    blockers: dict[str, bool] = field(default_factory=dict)  # whether its end is a matter of time
    overridden: bool = False


@dataclass
class Story:
    """One pipeline, event by event."""

    windowed: bool = False  # the last stage's window is shut while the test runs
    events: int = 0
    when: str = ""  # the instant of the event told last
    revisions: dict[int, str] = field(default_factory=dict)
    decided: dict[str, list[str]] = field(default_factory=dict)  # push -> what became of it
    runs: dict[str, Run] = field(default_factory=dict)
    stages: dict[str, Standing] = field(default_factory=lambda: {name: Standing() for name in STAGES})
    stops: set[str] = field(default_factory=set)
    firm: set[str] = field(default_factory=set)  # stops that were there at rest, and nobody resumes
    asked: dict[str, Body] = field(default_factory=dict)
    answers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # promises that were broken

    def tell(self, type_: str, body: Body, when: str) -> None:
        """Fold in the next event, said at an instant in ISO 8601."""
        self.events += 1
        self.when = when
        what = type_.removeprefix("windlass.").rpartition(".v")[0]
        subject, _, happened = what.partition(".")
        if what in DECISIONS:
            self._decided(what, body)
        elif what in FOLDS:
            FOLDS[what](self, body)
        elif subject == "run":
            self._run(happened, body)
        elif subject == "step":
            self._step(happened, body)

    def open_runs(self, stage: str) -> list[Run]:
        return [run for run in self.runs.values() if run.stage == stage and not run.final]

    def holder(self, stage: str) -> Run | None:
        return next((run for run in self.open_runs(stage) if run.state in HOLDING), None)

    def waiting(self, stage: str) -> list[Run]:
        """Return what has the queue's place: it waits for no stage before."""
        runs = [run for run in self.open_runs(stage) if run.state not in HOLDING]
        return [run for run in runs if run.wait and run.wait["reason"] != "previous_stage"]

    def stopped(self, stage: str) -> bool:
        return bool(self.stops & {stage, WHOLE})

    def motion(self, held: Collection[int]) -> str:
        """Return what goes on by itself still; the empty string: all rests until somebody acts.

        `held`: the revisions whose step waits for the test.
        """
        for revision in self.revisions:
            for stage in STAGES:
                if not any(run.revision == revision and run.stage == stage for run in self.runs.values()):
                    return f"revision {revision} has no run in {stage}"
        if unanswered := self.asked.keys() - self.answers.keys():
            return f"{sorted(unanswered)} are not answered"
        return next((why for run in self.runs.values() if (why := self._goes_on(run, held))), "")

    def _goes_on(self, run: Run, held: Collection[int]) -> str:
        about = f"revision {run.revision} in {run.stage} ({run.kind}) is {run.state}"
        if run.final:
            return f"{about}, not diagnosed" if run.undiagnosed else ""
        if run.state in HOLDING:
            resting = run.gates if run.wait else []
            if run.revision in held:
                resting += [step for step, state in run.steps.items() if (step, state) == ("work", "running")]
            return f"{about}: {run.steps}" if run.state == "Cancelling" or not resting else ""
        reason = run.wait["reason"] if run.wait else None
        return "" if reason in self.reasons(run) else f"{about} and waits for {reason}"

    def reasons(self, run: Run) -> frozenset[str | None]:
        """Return what a run that has not begun may rightly be waiting for."""
        if run.wait and run.wait["reason"] == "previous_stage":
            return frozenset(() if self._came_through(run) else ("previous_stage",))
        if self.holder(run.stage):
            return frozenset({"lock"})
        if run.kind == "rollback":
            return frozenset()
        if self.stopped(run.stage):
            return frozenset({"stopped"})
        if run.kind == "roll_forward":
            return frozenset()
        here, found = self.stages[run.stage], set[str | None]()
        if here.blockers:
            found.add("blocker")
        if all(here.blockers.values()) and self.shut(run.stage):
            found.add("window")
        return frozenset(found)

    def shut(self, stage: str) -> bool:
        return self.windowed and stage == STAGES[-1] and not self.stages[stage].overridden

    def _came_through(self, run: Run) -> bool:
        """Tell whether its revision succeeded in the stage before since the run is there."""
        before = STAGES[STAGES.index(run.stage) - 1]
        return any(
            each.stage == before and each.revision == run.revision and each.kind != "rollback"
            and each.state in GOOD and each.ended_when > run.queued_at
            for each in self.runs.values()
        )  # fmt: skip

    def _decided(self, what: str, body: Body) -> None:
        decisions = self.decided.setdefault(body["push"], [])
        decisions.append(what)
        if len(decisions) > 1:
            self.wrong.append(f"S3: push {body['push']} was decided upon as {decisions}")
        if what == "revision.planned":
            if body["revision"] in self.revisions:
                self.wrong.append(f"S3: revision {body['revision']} was planned twice")
            self.revisions[body["revision"]] = body["commit"]

    def _run(self, happened: str, body: Body) -> None:
        if happened == "queued":
            self.runs[body["run"]] = Run(
                body["run"], body["stage"], body["revision"], body["kind"], self.when, wait=body["wait"]
            )
            return
        run = self.runs[body["run"]]
        if run.final:
            self.wrong.append(f"S2: run {run.id} ended {run.state}, and then {happened}")
        if happened == "waiting":
            run.wait = body["wait"]
        elif happened in STARTED:
            self._begins(run, STARTED[happened])
        elif happened == "cancelling":
            run.state = "Cancelling"
        else:
            self._ends(run, body)

    def _begins(self, run: Run, state: str) -> None:
        holder = self.holder(run.stage)
        if holder is not None:
            self.wrong.append(f"S1: revision {run.revision} began beside {holder.revision} in {run.stage}")
        if run.revision in self.stages[run.stage].holds and run.kind != "rollback":
            self.wrong.append(f"revision {run.revision}, which is on hold, began in {run.stage}")
        # What is said of the whole pipeline is in no order with this.
        if (run.stage in self.stops or self.firm & {run.stage, WHOLE}) and run.kind != "rollback":
            self.wrong.append(f"revision {run.revision} began in {run.stage}, which is stopped")
        run.state, run.began, run.wait = state, True, None

    def _ends(self, run: Run, body: Body) -> None:
        here = self.stages[run.stage]
        run.state, run.ended_at, run.wait = body["state"], self.events, None
        run.ended_when = self.when
        run.undiagnosed = run.state in {"Failed", "Timed Out"} or body.get("rollback") == "no_candidate"
        if run.state != "Superseded":
            here.last = run
        if run.began:
            here.last_begun = run
        if run.state in GOOD:
            if run.kind != "rollback" and here.live is not None and run.revision <= here.live:
                self.wrong.append(f"S5: {run.stage} went from revision {here.live} to {run.revision}")
            here.live = run.revision
            here.past.insert(0, run.revision)

    def _step(self, happened: str, body: Body) -> None:
        run = self.runs[body["run"]]
        if happened == "started":
            if run.steps.get(body["step"]) == "succeeded":
                self.wrong.append(f"S4: step {body['step']} of run {run.id} began after it succeeded")
            run.steps[body["step"]] = "running"
        elif happened == "waiting":
            run.steps[body["step"]] = "waiting"
            run.shown[body["step"]] = body["shown"]
        elif happened in STEP_ENDS:
            run.steps[body["step"]] = happened

    def _answered(self, body: Body, answer: str) -> None:
        answers = self.answers.setdefault(body["operation"], [])
        answers.append((answer, body["message"]))
        if len(answers) > 1:
            self.wrong.append(f"operation {body['operation']} was answered {answers}")

    def _diagnosed(self, body: Body) -> None:
        self.runs[body["run"]].undiagnosed = False


def _blocked(story: Story, body: Body) -> None:
    story.stages[body["stage"]].blockers[body["blocker"]] = False


def _lifted(story: Story, body: Body) -> None:
    blockers = story.stages[body["stage"]].blockers
    if body["actor"]:
        blockers.pop(body["blocker"], None)
    else:
        blockers[body["blocker"]] = True  # after some quiet time


def _overridden(story: Story, body: Body) -> None:
    story.stages[body["stage"]].overridden = True


FOLDS: dict[str, Callable[[Story, Body], object]] = {
    "operation.requested": lambda story, body: story.asked.__setitem__(body["operation"], body),
    "operation.accepted": lambda story, body: story._answered(body, "accepted"),
    "operation.refused": lambda story, body: story._answered(body, "refused"),
    "failure.classified": lambda story, body: story._diagnosed(body),
    "stage.held": lambda story, body: story.stages[body["stage"]].holds.add(body["revision"]),
    "hold.released": lambda story, body: story.stages[body["stage"]].holds.discard(body["revision"]),
    "stage.stopped": lambda story, body: story.stops.add(body["stage"]),
    "stage.resumed": lambda story, body: story.stops.discard(body["stage"]),
    "stage.blocked": lambda story, body: story.stages[body["stage"]].blockers.update(
        {body["blocker"]: False}
    ),
    "blocker.lifted": _lifted,
    "window.overridden": _overridden,
}
