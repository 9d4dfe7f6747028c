"""The documents of the read model; also what the API answers with, so their fields are a contract."""

from services.status.views.gate import GateAnswer, GateView, HeldDefinition, OpenGate, Verdict
from services.status.views.other import Answer, BuildView, LogView, OperationView
from services.status.views.pushed import (
    DecisionView,
    PipelineView,
    PlannedArtifact,
    PlannedStage,
    PlannedStep,
    PushView,
    RevisionView,
)
from services.status.views.run import FailureView, Moment, RunView, StepView, VerificationView, WaitSpan
from services.status.views.stage import (
    Blocked,
    DeploymentStatus,
    Ended,
    Hold,
    Live,
    QueueMode,
    RollbackByItself,
    Slot,
    StageView,
    StepTests,
    Stop,
    WindowOverride,
)
from services.status.views.view import View

__all__ = [
    "Answer",
    "Blocked",
    "BuildView",
    "DecisionView",
    "DeploymentStatus",
    "Ended",
    "FailureView",
    "GateAnswer",
    "GateView",
    "HeldDefinition",
    "Hold",
    "Live",
    "LogView",
    "Moment",
    "OpenGate",
    "OperationView",
    "PipelineView",
    "PlannedArtifact",
    "PlannedStage",
    "PlannedStep",
    "PushView",
    "QueueMode",
    "RevisionView",
    "RollbackByItself",
    "RunView",
    "Slot",
    "StageView",
    "StepTests",
    "StepView",
    "Stop",
    "Verdict",
    "VerificationView",
    "View",
    "WaitSpan",
    "WindowOverride",
]
