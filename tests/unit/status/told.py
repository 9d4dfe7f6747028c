"""A stage's story, told event by event."""

from datetime import datetime, timedelta
from typing import Any

from services.status.projection import Kind, Placed, Row, fold
from services.status.views import RunView, StageView
from shared.events import (
    BlockerLifted,
    DefinitionAnswered,
    DefinitionHeld,
    Event,
    Evidence,
    FailedTest,
    GateAnswered,
    HoldReleased,
    Message,
    ProposedChanges,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageBlocked,
    StageDeclared,
    StageHeld,
    StageResumed,
    StageStopped,
    StepKept,
    StepStarted,
    StepWaiting,
    TestResults,
    Wait,
    WindowOverridden,
)
from shared.events.runs import RunKind
from shared.ids import Commit, Pipeline, Stage
from tests.builders import START, named
from tests.unit.status.stories import message

SHOP, STAGING = Pipeline("shop"), Stage("staging")
HERE: dict[str, Any] = {"pipeline": SHOP, "stage": STAGING}
BY_ANN: dict[str, Any] = {"actor": "ann", "reason": "flags"}
WAIT = Wait(reason="lock", blocked_by="revision 1", released_by="its end", since=START)
TESTS = TestResults(
    exit_code=1,
    passed=117,
    failed=7,
    skipped=1,
    failures=tuple(FailedTest(name=f"checkout {number}", message="29.99") for number in range(6)),
)
PASSING = TestResults(exit_code=0, passed=2, failed=0, skipped=0)
CHANGES = ProposedChanges(
    summary="1 to add, 1 to destroy", destructive=True, changes=("replace web", "add db"), digest="c1"
)


def approval_wait(since: datetime) -> Wait:
    deadline = since + timedelta(hours=1)
    said = {"blocked_by": "step 'Smoke' has 0 of 1 approvals", "released_by": "somebody"}
    return Wait(reason="approval", since=since, deadline=deadline, **said)


def evidence(said: str = "exit code 1") -> Evidence:
    return Evidence(phase="deploy", kind="process", message=said)


class Told:
    """Collects what is told and what the views make of it."""

    def __init__(self) -> None:
        self.heard: list[Message[Event]] = []
        self.views: dict[Row, Placed] = {}

    def tell(self, body: Event) -> "Told":
        self.heard.append(message(body, len(self.heard) + 1, "told"))
        self.views |= fold(self.views, self.heard[-1:])
        return self

    def declared(self, place: int = 0) -> "Told":
        return self.tell(StageDeclared(pipeline=SHOP, stage=STAGING, place=place, target="local"))

    def queued(
        self, revision: int, kind: RunKind = "deploy", wait: Wait | None = WAIT, **more: Any
    ) -> "Told":
        more = {"restores": revision, **more} if kind == "rollback" else more
        commit = Commit(f"{revision:040x}")
        about = self.about(revision, kind)
        return self.tell(RunQueued(**about, commit=commit, plan_hash="p", wait=wait, **more))

    def waits(self, revision: int, wait: Wait | None, deadline: datetime | None = None) -> "Told":
        return self.tell(RunWaiting(**self.about(revision), wait=wait, deadline=deadline))

    def started(self, revision: int, kind: RunKind = "deploy") -> "Told":
        return self.tell(RunStarted(**self.about(revision, kind), deadline=START + timedelta(hours=1)))

    def rolling_back(self, revision: int) -> "Told":
        about = self.about(revision, "rollback")
        return self.tell(RunRollingBack(**about, deadline=START + timedelta(hours=1)))

    def rolling_forward(self, revision: int) -> "Told":
        about = self.about(revision, "roll_forward")
        return self.tell(RunRollingForward(**about, deadline=START + timedelta(hours=1)))

    def kept(self, revision: int, step: str, of_run: Any) -> "Told":
        about = self.about(revision, "retry")
        del about["kind"]
        return self.tell(StepKept(**about, step=step, attempt=0, outputs={"schema": "42"}, of_run=of_run))

    def succeeded(self, revision: int, kind: RunKind = "deploy") -> "Told":
        state = {"rollback": "Rolled Back", "roll_forward": "Rolled Forward"}.get(kind, "Succeeded")
        about = self.about(revision, kind)
        return self.tell(RunSucceeded(**about, state=state, urls={"web": "http://127.0.0.1:1"}))

    def failed(self, revision: int) -> "Told":
        about = self.about(revision)
        return self.tell(RunFailed(**about, state="Failed", failed_in="step", evidence=evidence()))

    def cancelled(self, revision: int) -> "Told":
        about = self.about(revision)
        return self.tell(RunCancelled(**about, state="Cancelled", actor="ann", reason="no"))

    def superseded(self, revision: int, by: int) -> "Told":
        by_run = self.run_id(by)
        about = self.about(revision)
        return self.tell(RunSuperseded(**about, state="Superseded", by_run=by_run, by_revision=by))

    def held(self, revision: int) -> "Told":
        return self.tell(StageHeld(pipeline=SHOP, stage=STAGING, revision=revision, reason="it failed"))

    def definition_held(self, revision: int, shown: str = "d1", changes: tuple[str, ...] = ("a",)) -> "Told":
        about = self.about(revision)
        told = {"mode": "ALWAYS", "changes": changes, "further": 2, "plan_hash": "p"}
        return self.tell(DefinitionHeld(**about, **told, shown=shown))

    def definition_answered(self, revision: int, verdict: Any = "approved") -> "Told":
        about = self.about(revision)
        return self.tell(DefinitionAnswered(**about, actor="ann", verdict=verdict, comment="talked over"))

    def step(self, of: type[Event], revision: int, step: str = "smoke", **more: Any) -> "Told":
        """Tell something of a step: what its event says besides."""
        about = self.about(revision)
        del about["kind"]
        return self.tell(of(**{**about, "step": step, "attempt": 1, **more}))

    def step_started(self, revision: int, step: str = "smoke", **more: Any) -> "Told":
        return self.step(StepStarted, revision, step, **{"step_type": "SCRIPT:EXECUTE", "log": "l", **more})

    def gate(self, revision: int, step: str = "smoke", **more: Any) -> "Told":
        """Tell that a step waits for somebody's approval."""
        wait = approval_wait(self.now)
        shown = {"shown": "5b0f", "plan_hash": "p", "artifacts": {"web": "sha256:1"}}
        told = {"step_type": "APPROVAL:MANUAL", "needed": 1, "approvers": (), "wait": wait, **shown, **more}
        return self.step(StepWaiting, revision, step, **told)

    def approved(self, revision: int, step: str = "smoke", verdict: str = "approved") -> "Told":
        said = {"actor": "ann", "verdict": verdict, "comment": "fine", "approvals": 1, "needed": 1}
        return self.step(GateAnswered, revision, step, **said)

    @property
    def now(self) -> datetime:
        """When the next thing is told."""
        return START + timedelta(seconds=len(self.heard) + 1)

    def released(self, revision: int) -> "Told":
        return self.tell(HoldReleased(**HERE, revision=revision, **BY_ANN))

    def stopped(self, **changes: Any) -> "Told":
        return self.tell(StageStopped(**{**HERE, **BY_ANN, **changes}))

    def resumed(self, **changes: Any) -> "Told":
        return self.tell(StageResumed(**{**HERE, **BY_ANN, **changes}))

    def blocked(self) -> "Told":
        released_by = "it clearing"
        return self.tell(StageBlocked(**HERE, blocker="alarm a", reason="5xx", released_by=released_by))

    def lifted(self, at: datetime, actor: str = "") -> "Told":
        return self.tell(BlockerLifted(**HERE, blocker="alarm a", actor=actor, reason="quiet", at=at))

    def overridden(self, until: datetime) -> "Told":
        return self.tell(WindowOverridden(**HERE, until=until, **BY_ANN))

    @staticmethod
    def run_id(revision: int, kind: RunKind = "deploy") -> Any:
        return named(f"{kind} of {revision}")

    @property
    def stage(self) -> StageView:
        view = self.views[Kind.STAGE, "shop/staging"].view
        assert isinstance(view, StageView)
        return view

    def run(self, revision: int, kind: RunKind = "deploy") -> RunView:
        view = self.views[Kind.RUN, str(self.run_id(revision, kind))].view
        assert isinstance(view, RunView)
        return view

    def about(self, revision: int, kind: RunKind = "deploy") -> dict[str, Any]:
        return {
            "pipeline": SHOP,
            "stage": STAGING,
            "run": self.run_id(revision, kind),
            "revision": revision,
            "kind": kind,
        }
