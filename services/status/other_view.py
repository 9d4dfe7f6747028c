"""How the views of builds, logs and operations follow from their events. Pure."""

from services.status.views import BuildView, LogView, OperationView
from shared.events import (
    ArtifactBuilt,
    ArtifactFailed,
    BuildBackingOff,
    BuildRequested,
    LogAppended,
    Message,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
)


def build_requested(view: BuildView | None, message: Message[BuildRequested]) -> BuildView:
    """Begin a build's story, for one request."""
    body = message.body
    return view or BuildView(
        request=body.request,
        build_key=body.build_key,
        pipeline=body.pipeline,
        revision=body.revision,
        artifact=body.artifact,
        requested_at=message.time,
    )


def build_backing_off(view: BuildView | None, message: Message[BuildBackingOff]) -> BuildView | None:
    """Fold in that an attempt failed and another follows, unless it is answered by now."""
    body = message.body
    if view is None or view.answer != "pending":
        return None
    told = body.model_dump(include={"attempt", "code", "rule", "log"})
    return view.model_copy(update={**told, "next_attempt_at": body.until, "evidence": body.evidence})


def artifact_built(view: BuildView | None, message: Message[ArtifactBuilt]) -> BuildView | None:
    """Fold in the artifact."""
    body = message.body
    changes = {
        "answer": "reused" if body.reused else "built",
        "answered_at": message.time,
        "digest": body.digest,
        "size_bytes": body.size_bytes,
        "built_by": body.built_by,
        "duration_seconds": body.duration_seconds,
        "log": body.log,
        "next_attempt_at": None,
        "evidence": None,
    }
    return view.model_copy(update=changes) if view else None


def artifact_failed(view: BuildView | None, message: Message[ArtifactFailed]) -> BuildView | None:
    """Fold in why there is none."""
    body = message.body
    changes = {"answer": "failed", "answered_at": message.time, "log": body.log, "evidence": body.evidence}
    return view.model_copy(update={**changes, "next_attempt_at": None}) if view else None


def log_appended(view: LogView | None, message: Message[LogAppended]) -> LogView:
    """Fold in how far an output goes."""
    body = message.body
    log = view or LogView(
        log=body.log,
        pipeline=body.pipeline,
        revision=body.revision,
        stage=body.stage,
        what=body.what,
        since=message.time,
    )
    lines = max(log.lines, body.first_line + len(body.lines))
    return log.model_copy(update={"lines": lines, "closed": log.closed or body.last})


def operation_requested(view: OperationView | None, message: Message[OperationRequested]) -> OperationView:
    """Begin an operation's story."""
    body = message.body
    return view or OperationView(
        operation=body.operation,
        kind=body.kind,
        pipeline=body.pipeline,
        stage=body.stage,
        run=body.run,
        actor=body.actor,
        reason=body.reason,
        asked_at=message.time,
        revision=body.revision,
        from_failed_step=body.from_failed_step,
        until=body.until,
        dry_run=body.dry_run,
        blocker=body.blocker,
        shown=body.shown,
        step=body.step,
    )


def operation_accepted(
    view: OperationView | None, message: Message[OperationAccepted]
) -> OperationView | None:
    """Fold in that it is being done."""
    body = message.body
    changes = {"answer": "accepted", "answered_at": message.time, "message": body.message}
    made = {"run": body.run or view.run, "started": body.started} if view else {}
    return view.model_copy(update=changes | made) if view else None


def operation_refused(view: OperationView | None, message: Message[OperationRefused]) -> OperationView | None:
    """Fold in why it is not."""
    changes = {"answer": "refused", "answered_at": message.time, "message": message.body.message}
    return view.model_copy(update=changes) if view else None
