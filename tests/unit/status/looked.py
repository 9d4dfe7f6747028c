"""What the verifier says of a stage: verifications round by round, and how services do."""

from datetime import datetime, timedelta
from typing import Any

from shared.events import (
    HealthChanged,
    HealthCounts,
    HealthEnded,
    HealthSampled,
    ProbeResult,
    ProbeRound,
    RunSucceeded,
    VerificationPassed,
    VerificationProbed,
    VerificationRequested,
)
from shared.events.targets import ProbeTarget
from shared.plan import Criteria
from tests.builders import START, named
from tests.unit.status.told import HERE, Told

URL = "http://127.0.0.1:8081/health"
USUAL = Criteria()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def probe(seconds: float, *, good: bool = True, **more: Any) -> ProbeResult:
    said: dict[str, Any] = (
        {"status": 200} if good else {"fault": "refused", "problem": "refused the connection"}
    )
    return ProbeResult(**{"at": at(seconds), "url": URL, "service": "web", "passed": good, **said, **more})


def round_of(number: int, seconds: float, *, good: bool = True) -> ProbeRound:
    return ProbeRound(number=number, at=at(seconds), probes=(probe(seconds, good=good),))


def rounds(first: int, last: int, *, since: float = 0, good: bool = True) -> tuple[ProbeRound, ...]:
    """Return rounds a second apart, the first of the count at `since`."""
    return tuple(round_of(number, since + number - 1, good=good) for number in range(first, last + 1))


def verification(told: Told, revision: int = 1, step: str = "", name: str = "verification") -> dict[str, Any]:
    return {
        **HERE,
        "verification": named(name),
        "run": told.run_id(revision),
        "revision": revision,
        "step": step,
    }


def asked(told: Told, soak_seconds: float = 0.0, **which: Any) -> Told:
    about = verification(told, **which)
    more: dict[str, Any] = {"targets": (), "deadline": at(60), "private_addresses": True}
    return told.tell(VerificationRequested(**about, **more, soak_seconds=soak_seconds))


def probed(told: Told, *seen: ProbeRound, soaks_until: datetime | None = None, **which: Any) -> Told:
    return told.tell(VerificationProbed(**verification(told, **which), rounds=seen, soaks_until=soaks_until))


def passed(told: Told, *seen: ProbeRound, **which: Any) -> Told:
    return told.tell(VerificationPassed(**verification(told, **which), probes=(probe(0),), rounds=seen))


def live(
    told: Told, revision: int, *services: str, kept: tuple[str, ...] = (), criteria: Criteria = USUAL
) -> Told:
    """Tell that a run succeeded that brought these services."""
    targets = tuple(ProbeTarget(service=each, base_url="http://x", criteria=criteria) for each in services)
    about = {**told.about(revision), "state": "Succeeded", "targets": targets, "services": (*services, *kept)}
    return told.queued(revision).started(revision).tell(RunSucceeded(**about))


def about_service(told: Told, revision: int, service: str) -> dict[str, Any]:
    return {**HERE, "service": service, "run": told.run_id(revision), "revision": revision}


def doing(told: Told, health: Any, revision: int = 1, service: str = "web", **more: Any) -> Told:
    said = {"before": "unknown", "reason": "3 looks in a row found no answer", "since": told.now, **more}
    return told.tell(HealthChanged(**about_service(told, revision, service), health=health, **said))


def over(told: Told, revision: int = 1, service: str = "web") -> Told:
    return told.tell(HealthEnded(**about_service(told, revision, service)))


def counts(begins: float, **more: Any) -> HealthCounts:
    said = {"seconds": 300.0, "looks": 10, "good": 10, "slow": 0, "bad": 0, "silent": 0, "worst": "healthy"}
    timed = {"latency_seconds": 0.1, "latency_seconds_max": 0.5}
    return HealthCounts(**{"begins_at": at(begins), **said, **timed, **more})


def sampled(told: Told, begins: float, revision: int = 1, service: str = "web", **more: Any) -> Told:
    about = about_service(told, revision, service)
    return told.tell(HealthSampled(**about, counts=counts(begins, **more)))
