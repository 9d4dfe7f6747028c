"""Carries a verification out: rounds of probes until there is a verdict, or nobody wants one any more."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog

from services.verifier import failure
from services.verifier.failure import Course
from services.verifier.judgement import (
    Failed,
    Met,
    Passed,
    ProbeAgain,
    Verification,
    begin,
    judge,
    told,
    watched,
)
from services.verifier.round_worker import Rounds
from services.verifier.soak import Noted
from services.verifier.store import verifications
from shared.clock import Clock
from shared.crash import point
from shared.db import ServiceDatabase, Transaction
from shared.events import (
    ProbeRound,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
    VerificationRequested,
)
from shared.events.verification import VerificationEvent
from shared.faults import TryAgain
from shared.work import Claim, Workers

TELLING = "verification.probed"

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VerifyWorker:
    """Probes for one order. Of its rounds nothing is kept between lives: a restart begins a fresh streak."""

    db: ServiceDatabase
    workers: Workers
    rounds: Rounds

    @property
    def clock(self) -> Clock:
        """Return the clock that rounds go by."""
        return self.rounds.clock

    async def work(self, claim: Claim) -> None:
        """Probe to a verdict and say it; say nothing when the order was called off."""
        request = VerificationRequested.model_validate(claim.order.payload)
        verification = begin(request, self.clock.now(), await self._noted(request))
        while not isinstance(verdict := judge(verification, self.clock.now()), Passed | Failed):
            if isinstance(verdict, Met):
                verification = await self._watch(claim, request, verification, verdict)
                continue
            done = await _unless_cancelled(claim, self._go_on(claim, request, verification, verdict))
            if done is None:
                await self._close(claim, request)
                return
            verification = done
            point("verifier.round.probed")
        await self._say(claim, request, verification, await self._diagnosed(verification, verdict))

    async def give_up(self, claim: Claim, why: str) -> None:
        """Say that it could not be judged, unless nobody asks any more."""
        request = VerificationRequested.model_validate(claim.order.payload)
        if claim.cancelled.is_set():
            await self._close(claim, request)
            return
        now = self.clock.now()
        verification = begin(request, now)
        evidence = failure.could_not_be_judged(Course(verification.tallies, now, now), why)
        await self._say(claim, request, verification, Failed(evidence))

    async def _noted(self, request: VerificationRequested) -> Noted | None:
        """Return what an earlier life noted of its watch; most are not watched, and cost no look."""
        if not request.soak_seconds:
            return None
        async with self.db.reading() as reading:
            return await verifications.soak_noted(reading, request.verification)

    async def _go_on(
        self, claim: Claim, request: VerificationRequested, verification: Verification, then: ProbeAgain
    ) -> Verification:
        if verification.is_to_be_told(self.clock.now()):
            verification = await self._tell(claim, request, verification)
        return await self.rounds.make(verification, then.at)

    async def _tell(
        self, claim: Claim, request: VerificationRequested, verification: Verification
    ) -> Verification:
        """Say what was seen so far. It is not worth beginning anew when the database is away."""
        with suppress(TryAgain):
            async with self.workers.holding(claim, TELLING) as tx:
                if await verifications.is_wanted(tx, request.verification):
                    probed = VerificationProbed(
                        **_about(request), rounds=verification.untold, soaks_until=_soaks_until(verification)
                    )
                    tx.emit(probed, _role(claim, verification))
        return told(verification, self.clock.now())

    async def _watch(
        self, claim: Claim, request: VerificationRequested, verification: Verification, met: Met
    ) -> Verification:
        """Note and say that it met its criteria, and until when it is watched."""
        async with self.workers.holding(claim, TELLING) as tx:
            if await verifications.note_soak(tx, request.verification, met.noted):
                probed = VerificationProbed(
                    **_about(request), rounds=verification.untold, soaks_until=met.noted.until
                )
                tx.emit(probed, f"{_role(claim, verification)} met")
        log.info("verification.met", run=str(request.run), soaks_until=met.noted.until.isoformat())
        point("verifier.soak.begun")
        now = self.clock.now()
        return watched(told(verification, now), met.noted, now)

    async def _diagnosed(self, verification: Verification, verdict: Passed | Failed) -> Passed | Failed:
        """Add to a failure what is found on its target at this moment."""
        if isinstance(verdict, Passed):
            return verdict
        target = failure.target_of(verification.tallies, verdict.evidence)
        if target is None or target.place is None:
            return verdict
        return Failed(
            failure.diagnosed(verdict.evidence, await self.rounds.observer.diagnostics(target.place))
        )

    async def _say(
        self,
        claim: Claim,
        request: VerificationRequested,
        verification: Verification,
        verdict: Passed | Failed,
    ) -> None:
        """Say the verdict, unless the run has ended beside it and nobody asks any more."""
        async with self.workers.finishing(claim) as tx:
            wanted = await verifications.is_wanted(tx, request.verification)
            if wanted:
                await verifications.forget(tx, request.verification)
                _emit(tx, _about(request), verdict, verification.untold)
        if not wanted:
            log.info("verification.called_off", run=str(request.run), reason="the run is over")
            return
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
            await verifications.forget(tx, request.verification)
        log.info("verification.called_off", run=str(request.run), reason=claim.cancel_reason)


def _about(request: VerificationRequested) -> dict[str, Any]:
    return request.model_dump(include=set(VerificationEvent.model_fields))


def _emit(
    tx: Transaction, about: dict[str, Any], verdict: Passed | Failed, rounds: tuple[ProbeRound, ...]
) -> None:
    if isinstance(verdict, Passed):
        tx.emit(VerificationPassed(**about, probes=verdict.probes, rounds=rounds))
    else:
        tx.emit(VerificationFailed(**about, evidence=verdict.evidence, rounds=rounds))


def _role(claim: Claim, verification: Verification) -> str:
    """Tell one telling from another: rounds are counted anew in each life, and each life has its fence."""
    return f"{claim.fence} {verification.rounds}"


def _soaks_until(verification: Verification) -> datetime | None:
    return verification.soak.until if verification.soak else None


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
