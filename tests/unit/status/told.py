"""A stage's story, told event by event."""

from datetime import timedelta
from typing import Any

from services.status.projection import Kind, Placed, Row, fold
from services.status.views import RunView, StageView
from shared.events import (
    Event,
    Evidence,
    Message,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunRollingBack,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageDeclared,
    StageHeld,
    Wait,
)
from shared.events.runs import RunKind
from shared.ids import Commit, Pipeline, Stage
from tests.builders import START, named
from tests.unit.status.stories import message

SHOP, STAGING = Pipeline("shop"), Stage("staging")
WAIT = Wait(reason="lock", blocked_by="revision 1", released_by="its end", since=START)


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

    def queued(self, revision: int, kind: RunKind = "deploy", wait: Wait | None = WAIT) -> "Told":
        more: dict[str, Any] = {"restores": revision} if kind == "rollback" else {}
        commit = Commit(f"{revision:040x}")
        about = self._about(revision, kind)
        return self.tell(RunQueued(**about, commit=commit, plan_hash="p", wait=wait, **more))

    def waits(self, revision: int, wait: Wait | None) -> "Told":
        return self.tell(RunWaiting(**self._about(revision), wait=wait))

    def started(self, revision: int) -> "Told":
        return self.tell(RunStarted(**self._about(revision), deadline=START + timedelta(hours=1)))

    def rolling_back(self, revision: int) -> "Told":
        about = self._about(revision, "rollback")
        return self.tell(RunRollingBack(**about, deadline=START + timedelta(hours=1)))

    def succeeded(self, revision: int, kind: RunKind = "deploy") -> "Told":
        state = "Rolled Back" if kind == "rollback" else "Succeeded"
        about = self._about(revision, kind)
        return self.tell(RunSucceeded(**about, state=state, urls={"web": "http://127.0.0.1:1"}))

    def failed(self, revision: int) -> "Told":
        about = self._about(revision)
        return self.tell(RunFailed(**about, state="Failed", failed_in="step", evidence=evidence()))

    def cancelled(self, revision: int) -> "Told":
        about = self._about(revision)
        return self.tell(RunCancelled(**about, state="Cancelled", actor="ann", reason="no"))

    def superseded(self, revision: int, by: int) -> "Told":
        by_run = self.run_id(by)
        about = self._about(revision)
        return self.tell(RunSuperseded(**about, state="Superseded", by_run=by_run, by_revision=by))

    def held(self, revision: int) -> "Told":
        return self.tell(StageHeld(pipeline=SHOP, stage=STAGING, revision=revision, reason="it failed"))

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

    def _about(self, revision: int, kind: RunKind = "deploy") -> dict[str, Any]:
        return {
            "pipeline": SHOP,
            "stage": STAGING,
            "run": self.run_id(revision, kind),
            "revision": revision,
            "kind": kind,
        }
