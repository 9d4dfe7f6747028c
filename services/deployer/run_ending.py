"""The event that ends a run, made of how it ended and what follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.deployer import rollback
from services.deployer.records import RunRecord
from services.deployer.run_course import Finish
from services.deployer.run_state import State
from shared.events import Event, Evidence, ProbeTarget, RunCancelled, RunFailed, RunSucceeded, RunTimedOut
from shared.ids import Pipeline, Stage

FOLLOWED = {rollback.RollBack: "started", rollback.NoCandidate: "no_candidate", type(None): ""}
NO_EVIDENCE = Evidence(phase="deploy", kind="error", message="the run ended without evidence")


def about(run: RunRecord) -> dict[str, Any]:
    """Return what every event of a run says."""
    return {
        "pipeline": Pipeline(run.pipeline),
        "stage": Stage(run.stage),
        "run": run.run,
        "revision": run.revision,
        "kind": run.kind,
    }


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a run leaves in its stage."""

    targets: tuple[ProbeTarget, ...]  # that it gave their stable addresses
    services: tuple[str, ...]  # that are looked after from now on
    private_addresses: bool

    @property
    def urls(self) -> dict[str, str]:
        """Return the stable address of each service that it deployed."""
        return {target.service: target.base_url for target in self.targets}


@dataclass(frozen=True, slots=True)
class Ending:
    """What the event that ends a run is made of."""

    run: RunRecord
    finish: Finish
    follow: rollback.RollBack | rollback.NoCandidate | None
    deployed: Deployed

    @property
    def event(self) -> Event:
        """Return the event that ends the run."""
        return ENDINGS.get(self.run.state, Ending.succeeded)(self)

    @property
    def _said(self) -> dict[str, Any]:
        return {**about(self.run), "state": self.run.state}

    @property
    def _why(self) -> dict[str, Any]:
        return {
            **self._said,
            "step": self.finish.step,
            "evidence": self.finish.evidence or NO_EVIDENCE,
            "rollback": FOLLOWED[type(self.follow)],
            "asked_by": self.run.asked_by,
        }

    def succeeded(self) -> Event:
        here = self.deployed
        return RunSucceeded(
            **self._said,
            urls=here.urls,
            targets=here.targets,
            services=here.services,
            private_addresses=here.private_addresses,
        )

    def failed(self) -> Event:
        failed_in = "rollback" if self.run.kind == "rollback" else self.finish.failed_in or "step"
        return RunFailed(**self._why, failed_in=failed_in)

    def timed_out(self) -> Event:
        return RunTimedOut(**self._why)

    def cancelled(self) -> Event:
        actor, reason = self.run.cancel_actor, self.run.cancel_reason
        follows = FOLLOWED[type(self.follow)]
        return RunCancelled(**self._said, actor=actor, reason=reason, rollback=follows)


ENDINGS: Mapping[State, Callable[[Ending], Event]] = {
    State.FAILED: Ending.failed,
    State.TIMED_OUT: Ending.timed_out,
    State.CANCELLED: Ending.cancelled,
}
