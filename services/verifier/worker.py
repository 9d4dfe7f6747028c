"""Carries a verification out: rounds of probes until there is a verdict, or nobody wants one any more."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog

from services.verifier import store
from services.verifier.adapters.prober import Prober
from services.verifier.criteria import Check, judge_answer
from services.verifier.judgement import (
    Failed,
    Passed,
    ProbeAgain,
    Verification,
    after_round,
    begin,
    could_not_be_judged,
    judge,
    probe_for,
)
from shared.clock import Clock
from shared.crash import point
from shared.db import Transaction
from shared.events import ProbeResult, VerificationFailed, VerificationPassed, VerificationRequested
from shared.work import Claim, Workers

PROBES_AT_ONCE_MAX = 16  # of one verification

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VerifyWorker:
    """Probes for one order. Nothing is kept between lives: a restart begins a fresh streak."""

    workers: Workers
    prober: Prober
    clock: Clock

    async def work(self, claim: Claim) -> None:
        """Probe to a verdict and say it; say nothing when the order was called off."""
        request = VerificationRequested.model_validate(claim.order.payload)
        verification = begin(request, self.clock.now())
        while isinstance(verdict := judge(verification, self.clock.now()), ProbeAgain):
            done = await _unless_cancelled(claim, self._round(verification, verdict.at))
            if done is None:
                await self._close(claim, request)
                return
            verification = done
            point("verifier.round.probed")
        await self._say(claim, request, verdict)

    async def give_up(self, claim: Claim, why: str) -> None:
        """Say that it could not be judged, unless nobody asks any more."""
        request = VerificationRequested.model_validate(claim.order.payload)
        if claim.cancelled.is_set():
            await self._close(claim, request)
            return
        now = self.clock.now()
        await self._say(claim, request, Failed(could_not_be_judged(begin(request, now), why, now)))

    async def _round(self, verification: Verification, at: datetime) -> Verification:
        """Wait until then, and probe every check once, side by side."""
        wait = (at - self.clock.now()).total_seconds()
        if wait > 0:
            await self.clock.sleep(wait)
        slots = asyncio.Semaphore(PROBES_AT_ONCE_MAX)
        round_at = self.clock.now()

        async def ask(check: Check) -> ProbeResult:
            async with slots:
                asked_at = self.clock.now()
                answer = await self.prober.ask(probe_for(check, verification, asked_at))
                return judge_answer(check, answer, asked_at)

        asking = [asyncio.ensure_future(ask(tally.check)) for tally in verification.tallies]
        try:
            results = await asyncio.gather(*asking)
        finally:
            for task in asking:
                task.cancel()
        return after_round(verification, results, round_at)

    async def _say(self, claim: Claim, request: VerificationRequested, verdict: Passed | Failed) -> None:
        about = request.model_dump(include=set(VerificationPassed.model_fields) - {"probes"})
        async with self.workers.finishing(claim) as tx:
            await store.forget(tx, request.verification)
            _emit(tx, about, verdict)
        log.info(
            "verification.judged",
            pipeline=request.pipeline,
            stage=request.stage,
            run=str(request.run),
            passed=isinstance(verdict, Passed),
            message=verdict.evidence.message if isinstance(verdict, Failed) else "",
        )

    async def _close(self, claim: Claim, request: VerificationRequested) -> None:
        async with self.workers.finishing(claim) as tx:
            await store.forget(tx, request.verification)
        log.info("verification.called_off", run=str(request.run), reason=claim.cancel_reason)


def _emit(tx: Transaction, about: dict[str, Any], verdict: Passed | Failed) -> None:
    if isinstance(verdict, Passed):
        tx.emit(VerificationPassed(**about, probes=verdict.probes))
    else:
        tx.emit(VerificationFailed(**about, evidence=verdict.evidence))


async def _unless_cancelled(claim: Claim, doing: Coroutine[Any, Any, T]) -> T | None:
    """Return what is done, or None as soon as the claim is cancelled."""
    if claim.cancelled.is_set():
        doing.close()
        return None
    task = asyncio.ensure_future(doing)
    cancelled = asyncio.ensure_future(claim.cancelled.wait())
    try:
        await asyncio.wait({task, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        return None if claim.cancelled.is_set() else task.result()
    finally:
        for each in (task, cancelled):
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each
