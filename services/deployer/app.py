"""The deployer's wiring: its table of contents."""

from collections.abc import Mapping

from services.deployer.handlers import Deployer
from services.deployer.step_carrier import StepCarrier
from services.deployer.step_worker import StepWorker
from shared.bus import Subscription
from shared.db import ServiceDatabase
from shared.events import (
    ArtifactBuilt,
    ArtifactFailed,
    OperationRequested,
    RevisionPlanned,
    VerificationFailed,
    VerificationPassed,
)
from shared.work import Worker, Workers


def subscription(deployer: Deployer) -> Subscription:
    """Return what the deployer hears, and who takes it."""
    return Subscription(
        deployer.db,
        {
            RevisionPlanned: deployer.revision_planned,
            ArtifactBuilt: deployer.artifact_built,
            ArtifactFailed: deployer.artifact_failed,
            VerificationPassed: deployer.verification_passed,
            VerificationFailed: deployer.verification_failed,
            OperationRequested: deployer.operation_requested,
        },
    )


def workers_by_kind(
    db: ServiceDatabase, workers: Workers, carriers: Mapping[str, StepCarrier]
) -> Mapping[str, Worker]:
    """Return the worker of each kind of order."""
    return {
        "step.run": StepWorker(db, workers, carriers, "run"),
        "step.switch": StepWorker(db, workers, carriers, "switch"),
        "step.discard": StepWorker(db, workers, carriers, "discard"),
    }
