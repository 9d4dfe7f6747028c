"""Asking whether a deployment is good, the answer, and what a failure is called."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.evidence import Evidence, Fact, ProbeResult, ProbeRound
from shared.events.stages import StageEvent
from shared.events.targets import ProbeTarget

FailureStage = Literal[
    "clone",
    "detect",
    "auth",
    "build",
    "publish",
    "setup",
    "deploy",
    "rollout",
    "verify",
    "rollback",
    "unknown",
]
FailureCategory = Literal[
    "auth_failure",
    "build_failure",
    "startup_failure",
    "health_check_failure",
    "rollback_failure",
    "infrastructure_failure",
    "unknown_failure",
]
FailureCode = Literal[
    "AUTHENTICATION_FAILED",
    "CODEBUILD_DOCKER_IMAGE_BUILD_FAILED",
    "DEPLOYMENT_VERIFICATION_FAILED",
    "AUTOMATIC_ROLLBACK_FAILED",
    "AUTOMATIC_ROLLBACK_NO_CANDIDATE",
    "MANUAL_ROLLBACK_FAILED",
    "INFRASTRUCTURE_NETWORK_FAILURE",
    "DEPLOYMENT_FAILED_GENERIC",
]


class VerificationEvent(StageEvent):
    """What asking and answering have in common."""

    verification: UUID
    run: UUID
    revision: int
    step: str  # the step whose candidate is verified; empty: the run's stable URLs

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class VerificationRequested(VerificationEvent):
    """Probe these until they pass or `deadline`."""

    type: ClassVar[str] = "windlass.verification.requested.v1"

    targets: tuple[ProbeTarget, ...]
    deadline: datetime
    private_addresses: bool  # the target is local: loopback and private ranges may be probed
    soak_seconds: float = 0.0  # how long it is watched after it met its criteria


class VerificationProbed(VerificationEvent):
    """What was seen since this was last told of a verification that goes on."""

    type: ClassVar[str] = "windlass.verification.probed.v1"

    rounds: tuple[ProbeRound, ...]
    soaks_until: datetime | None = None  # it met its criteria and is watched until then


class VerificationPassed(VerificationEvent):
    """Every target met its criteria, and went on to for as long as it was watched."""

    type: ClassVar[str] = "windlass.verification.passed.v1"

    probes: tuple[ProbeResult, ...]
    rounds: tuple[ProbeRound, ...] = ()  # since the last that were told of


class VerificationFailed(VerificationEvent):
    """At least one target did not by the deadline, or stopped to while it was watched."""

    type: ClassVar[str] = "windlass.verification.failed.v1"

    evidence: Evidence
    rounds: tuple[ProbeRound, ...] = ()  # since the last that were told of


Confidence = Literal[
    "certain",  # typed facts say it, or the tool that failed names it as its last word
    "likely",  # a line says it, and others could have been the cause
    "guess",  # only how it ended is known
]


class EvidenceLine(Fact):
    """A line that a classification rests on."""

    line: int | None  # in the whole log, from 1; None: it is no line of the log
    text: str


class FixCard(Fact):
    """What to do about a failure."""

    check: tuple[str, ...] = ()  # what to look at, most likely first
    commands: tuple[str, ...] = ()  # worth trying, ready to be copied
    done_when: str = ""  # how to know that it worked


class FailureClassified(StageEvent):
    """What a run's failure is, in the fixed vocabulary (DESIGN 9)."""

    type: ClassVar[str] = "windlass.failure.classified.v1"

    run: UUID
    revision: int
    failure_stage: FailureStage
    category: FailureCategory
    code: FailureCode
    retryable: bool
    rule: str  # the rule that matched
    likely_cause: str  # a sentence for people
    lines: tuple[str, ...]  # the evidence it rests on
    commands: tuple[str, ...]  # worth trying
    confidence: Confidence = "likely"
    evidence: tuple[EvidenceLine, ...] = ()  # the same lines, with their places
    fix: FixCard = FixCard()
    rolled_back: bool = False  # the stage goes back to an earlier revision by itself

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"
