"""What is known of a step that broke, put down as evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.deployer.adapters.local.checkout import SourceRefused
from services.deployer.adapters.local.release import ArtifactRefused
from services.deployer.step_order import Broke, StepOrder
from shared.clock import Clock
from shared.events import Evidence, LogLine
from shared.events.evidence import LOG_LINE_CHARACTERS_MAX, LOG_TAIL_LINES_MAX, Stated
from shared.faults import Refused
from shared.process import Exit, Lost, Processes

Phase = Literal["deploy", "rollout"]
Kind = Literal["timeout", "target", "artifact", "source", "error"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Says how a step of one phase broke."""

    phase: Phase
    what: str  # names the thing in a sentence: "the script", "the service"
    processes: Processes
    clock: Clock

    def ended(self, order: StepOrder, process: Path, end: Exit | Lost, until: str = "") -> Broke:
        """Tell of a process that ended, `until` saying what it did not wait for."""
        tail = self._tail(process)
        if isinstance(end, Lost):
            evidence = Evidence(
                phase=self.phase,
                kind="interrupted",
                what=order.step.id,
                message=f"{self.what} was interrupted: its host went down or its supervision was killed",
                finished_at=self.clock.now(),
                log_tail=tail,
            )
            return Broke(evidence)
        evidence = Evidence(
            phase=self.phase,
            kind="timeout" if end.reason == "limit" else "process",
            what=order.step.id,
            message=f"{self.what} {_how(end)}{until}",
            exit_code=end.code,
            signal=end.signal,
            started_at=end.started_at,
            finished_at=end.finished_at,
            log_tail=tail,
        )
        return Broke(evidence)

    def refused(self, order: StepOrder, fault: Refused) -> Broke:
        """Tell of what can never be done as asked."""
        return self.said(order, _kind(fault), str(fault))

    def said(
        self,
        order: StepOrder,
        kind: Kind,
        message: str,
        process: Path | None = None,
        stated: Stated = "",
    ) -> Broke:
        """Tell of anything else in a sentence."""
        evidence = Evidence(
            phase=self.phase,
            kind=kind,
            what=order.step.id,
            message=message,
            finished_at=self.clock.now(),
            log_tail=self._tail(process) if process else (),
            stated=stated,
        )
        return Broke(evidence)

    def _tail(self, process: Path) -> tuple[LogLine, ...]:
        lines = self.processes.tail(process, LOG_TAIL_LINES_MAX)
        return tuple(LogLine(at=line.at, text=line.text[:LOG_LINE_CHARACTERS_MAX]) for line in lines)


def _kind(fault: Refused) -> Kind:
    match fault:
        case ArtifactRefused():
            return "artifact"
        case SourceRefused():
            return "source"
    return "error"


def _how(end: Exit) -> str:
    match end.reason:
        case "not_startable":
            return f"could not be started: {end.message}"
        case "limit":
            return "did not end within its time limit"
        case "stopped":
            return "was stopped"
    return f"was ended by {end.signal}" if end.signal else f"exited with {end.code}"
