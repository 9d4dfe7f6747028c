"""How the views of pushes, decisions, revisions and pipelines follow from their events. Pure."""

from services.status.views import (
    DecisionView,
    PipelineView,
    PlannedArtifact,
    PlannedStage,
    PlannedStep,
    PushView,
    RevisionView,
)
from shared.events import (
    Message,
    PlanRejected,
    PushReceived,
    PushRefused,
    RevisionPlanned,
    RevisionSkipped,
)
from shared.events.revisions import RevisionEvent
from shared.plan import StagePlan


def push_received(view: PushView | None, message: Message[PushReceived]) -> PushView:
    """Begin the push's story."""
    told = message.body.model_dump(exclude={"remote"})
    return view or PushView.model_validate({**told, "place": message.position})


def push_refused(view: PushView | None, message: Message[PushRefused]) -> PushView | None:
    """Fold in why it was answered for no pipeline."""
    body = message.body
    if view is None:
        return None
    refused = {"refused_code": body.code, "refused_message": body.message, "refused_evidence": body.evidence}
    told = {**refused, "proposal": body.proposal, "commit": body.commit or view.commit}
    return view.model_copy(update=told)


def decided(
    view: DecisionView | None, message: Message[RevisionPlanned | PlanRejected | RevisionSkipped]
) -> DecisionView:
    """Keep the one decision that a push gets in a pipeline."""
    return view or _decision(message)


def revision_planned(view: RevisionView | None, message: Message[RevisionPlanned]) -> RevisionView:
    """Keep the revision with its plan in short."""
    body = message.body
    artifacts = tuple(
        PlannedArtifact(id=each.id, name=each.name, build_key=each.build_key) for each in body.plan.artifacts
    )
    return view or RevisionView(
        pipeline=body.pipeline,
        revision=body.revision,
        repository=body.repository,
        branch=body.branch,
        tag=body.tag,
        commit=body.commit,
        title=body.title,
        author=body.author,
        pusher=body.pusher,
        trigger=body.trigger,
        push=body.push,
        plan_hash=body.plan_hash,
        received_at=body.received_at,
        planned_at=message.time,
        artifacts=artifacts,
        stages=tuple(_stage(stage) for stage in body.plan.stages),
    )


def newest_planned(view: PipelineView | None, message: Message[RevisionPlanned]) -> PipelineView:
    """Fold in the newest revision; a mended pipeline file clears what was wrong with the last."""
    body = message.body
    before = _pipeline(view, message)
    changes = {
        "repository": body.repository,
        "branch": before.branch if body.tag else body.branch,
        "tag": body.tag,
        "stages": tuple(stage.name for stage in body.plan.stages),
        "fifo": tuple(stage.name for stage in body.plan.stages if stage.queue == "fifo"),
        "newest_revision": body.revision,
        "newest_commit": body.commit,
        "newest_title": body.title,
        "rejected": None,
        "skipped": None,
    }
    return before.model_copy(update=changes)


def newest_rejected(view: PipelineView | None, message: Message[PlanRejected]) -> PipelineView:
    """Fold in what is wrong with the newest pipeline file."""
    changes = {"rejected": _decision(message), "skipped": None}
    return _pipeline(view, message).model_copy(update=changes)


def newest_skipped(view: PipelineView | None, message: Message[RevisionSkipped]) -> PipelineView | None:
    """Fold in that the newest push needed no revision, and that nothing is wrong any more if so it is."""
    body = message.body
    if view is None or body.reason == "foreign_slug":  # another repository's push says nothing of this one
        return None
    is_over = view.rejected is not None and _ends(body, view.rejected, view.newest_commit)
    rejected = None if is_over else view.rejected
    return view.model_copy(update={"rejected": rejected, "skipped": _decision(message)})


def _ends(skipped: RevisionSkipped, rejected: DecisionView, newest_commit: str) -> bool:
    """Tell whether what was rejected is no longer what its branch or tag says.

    A commit that lies behind the newest revision may have been pushed long before and come late.
    """
    if (rejected.branch, rejected.tag) not in {("", ""), (skipped.branch, skipped.tag)}:
        return False
    return skipped.reason != "contained" or skipped.commit == newest_commit


def _pipeline(
    view: PipelineView | None, message: Message[RevisionPlanned] | Message[PlanRejected]
) -> PipelineView:
    body: RevisionEvent = message.body
    return view or PipelineView(
        pipeline=body.pipeline, repository=body.repository, branch=body.branch, since=message.time
    )


def _decision(message: Message[RevisionPlanned | PlanRejected | RevisionSkipped]) -> DecisionView:
    body = message.body
    decision = DecisionView(
        push=body.push,
        pipeline=body.pipeline,
        branch=body.branch,
        tag=body.tag,
        commit=body.commit,
        at=message.time,
        decision="planned",
    )
    match body:
        case RevisionPlanned():
            return decision.model_copy(update={"revision": body.revision})
        case PlanRejected():
            return decision.model_copy(update={"decision": "rejected", "problems": body.problems})
        case RevisionSkipped():
            changes = {"revision": body.contained_in, "reason": body.reason, "message": body.message}
            return decision.model_copy(update={"decision": "skipped", **changes})


def _stage(stage: StagePlan) -> PlannedStage:
    steps = tuple(
        PlannedStep(id=step.id, name=step.name, type=step.type, goes_after=step.goes_after, skip=step.skip)
        for step in stage.steps
    )
    return PlannedStage(name=stage.name, target=stage.target, steps=steps)
