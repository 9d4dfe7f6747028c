"""What the classifier does when it hears of a failed run."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from shared.db import ServiceDatabase
from shared.diagnosis.evidence import Setting
from shared.events import (
    AttemptClassified,
    AttemptFailed,
    Evidence,
    FailureClassified,
    Message,
    RunFailed,
    RunTimedOut,
)

if TYPE_CHECKING:
    from shared.diagnosis.rules import Classification

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Handlers:
    """One method per event heard."""

    db: ServiceDatabase

    async def run_failed(self, message: Message[RunFailed]) -> None:
        """Name the failure."""
        await self._name(message, _setting(message))

    async def run_timed_out(self, message: Message[RunTimedOut]) -> None:
        """Name the failure."""
        await self._name(message, replace(_setting(message), whole_stage=not message.body.step))

    async def attempt_failed(self, message: Message[AttemptFailed]) -> None:
        """Say whether it may pass, so that the step may be tried again."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            attempt = message.body
            setting = Setting(attempt.pipeline, attempt.stage, str(attempt.revision), attempt.run_kind)
            found = _classify(attempt.evidence, setting)
            said = attempt.model_dump(include={"pipeline", "stage", "run", "revision", "step", "attempt"})
            answer = found.answer
            tx.emit(AttemptClassified(**said, code=answer.code, retryable=answer.retryable, rule=found.rule))

    async def _name(self, message: Message[RunFailed] | Message[RunTimedOut], setting: Setting) -> None:
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            run = message.body
            found = _classify(run.evidence, setting)
            tx.emit(
                FailureClassified(
                    pipeline=run.pipeline,
                    stage=run.stage,
                    run=run.run,
                    revision=run.revision,
                    failure_stage=found.answer.stage,
                    category=found.answer.category,
                    code=found.answer.code,
                    retryable=found.answer.retryable,
                    rule=found.rule,
                    likely_cause=found.likely_cause,
                    lines=found.lines,
                    commands=found.fix.commands,
                    confidence=found.confidence,
                    evidence=found.evidence,
                    fix=found.fix,
                    rolled_back=run.rollback == "started",
                )
            )
        log.info("failure.classified", run=str(run.run), code=found.answer.code, rule=found.rule)


def _classify(evidence: Evidence, setting: Setting) -> "Classification":
    from shared.diagnosis.rules import classify  # noqa: PLC0415 - 200 rules that no start waits for

    return classify(evidence, setting)


def _setting(message: Message[RunFailed] | Message[RunTimedOut]) -> Setting:
    run = message.body
    return Setting(
        run.pipeline,
        run.stage,
        str(run.revision),
        run.kind,
        asked_by=run.asked_by,
        no_candidate=run.rollback == "no_candidate",
    )
