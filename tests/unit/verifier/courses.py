"""Whole courses of a verification, played as a worker would, without one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.verifier.checks import AnyCheck, ProcessCheck
from services.verifier.criteria import Seen
from services.verifier.judgement import (
    Failed,
    Met,
    Passed,
    Verification,
    after_round,
    begin,
    judge,
    told,
    watched,
)
from services.verifier.probe import Answer
from services.verifier.signals import Signals
from services.verifier.soak import Noted
from shared.clock import ManualClock
from shared.events import LocalPlace, ProbeRound, ProbeTarget, VerificationRequested
from shared.ids import Pipeline, Stage
from shared.plan import Criteria

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "http://127.0.0.1:9000"
PLACE = LocalPlace(lives="/data/lives", files="/data/files")
ROUNDS_MAX = 500

Play = Callable[[AnyCheck, int], int | Signals | None]  # what a check sees in a round, counted from 1


def target(service: str = "web", place: LocalPlace | None = None, **criteria: Any) -> ProbeTarget:
    asked = Criteria.model_validate({"interval_seconds": 1.0, **criteria})
    return ProbeTarget(service=service, base_url=BASE, criteria=asked, place=place)


def request(*targets: ProbeTarget, **about: Any) -> VerificationRequested:
    return VerificationRequested(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        verification=UUID(int=1),
        run=UUID(int=2),
        revision=3,
        targets=targets,
        private_addresses=True,
        **{"step": "", "deadline": START + timedelta(seconds=5), **about},
    )


@dataclass
class Course:
    """A verification on its way."""

    verification: Verification
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    played: int = 0
    met_at: list[datetime] = field(default_factory=list)
    tellings: list[Sequence[ProbeRound]] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)  # in each round

    def run(self, play: Play) -> Passed | Failed:
        """Play rounds until there is a verdict."""
        while not isinstance(verdict := judge(self.verification, self.clock.now()), Passed | Failed):
            if isinstance(verdict, Met):
                self._tell()
                self.met_at.append(self.clock.now())
                self.verification = watched(self.verification, verdict.noted, self.clock.now())
                continue
            if self.verification.is_to_be_told(self.clock.now()):
                self._tell()
            assert verdict.at >= self.clock.now()
            self.clock.advance((verdict.at - self.clock.now()).total_seconds())
            self.round(play)
        return verdict

    def round(self, play: Play) -> None:
        """Play one round now."""
        self.played += 1
        assert self.played < ROUNDS_MAX, "the verification does not end"
        now = self.clock.now()
        checks = [tally.check for tally in self.verification.tallies]
        self.asked.append([check.url.removeprefix(BASE) for check in checks])
        seen = [Seen(now, _seen(check, play(check, self.played))) for check in checks]
        self.verification = after_round(self.verification, seen, now)

    @property
    def seconds(self) -> float:
        """Return how long it has taken."""
        return (self.clock.now() - START).total_seconds()

    def _tell(self) -> None:
        self.tellings.append(self.verification.untold)
        self.verification = told(self.verification, self.clock.now())


def course(asked: VerificationRequested, noted: Noted | None = None, late: float = 0.0) -> Course:
    clock = ManualClock(START + timedelta(seconds=late))
    return Course(begin(asked, clock.now(), noted), clock)


def statuses(by_path: Mapping[str, int | Sequence[int]]) -> Play:
    """Answer paths with a status, or with one after another, repeating the last; others with 404."""

    def play(check: AnyCheck, number: int) -> int | Signals:
        if isinstance(check, ProcessCheck):
            return Signals("running")
        answers = by_path.get(check.url.removeprefix(BASE), 404)
        return answers if isinstance(answers, int) else answers[min(number, len(answers)) - 1]

    return play


def _seen(check: AnyCheck, what: int | Signals | None) -> Answer | Signals | None:
    return Answer(check.url, 0.01, what) if isinstance(what, int) else what
