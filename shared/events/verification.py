"""Asking whether a deployment is good, the answer, and what a failure is called."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.evidence import Evidence, Fact, ProbeResult
from shared.events.stages import StageEvent
from shared.plan import Criteria

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


class ProbeTarget(Fact):
    """One service to probe."""

    service: str
    base_url: str
    criteria: Criteria
    release: str = ""  # expected in the Windlass-Release header; empty: no marker is asked for


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


class VerificationPassed(VerificationEvent):
    """Every target met its criteria."""

    type: ClassVar[str] = "windlass.verification.passed.v1"

    probes: tuple[ProbeResult, ...]


class VerificationFailed(VerificationEvent):
    """At least one target did not by the deadline."""

    type: ClassVar[str] = "windlass.verification.failed.v1"

    evidence: Evidence


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

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"
