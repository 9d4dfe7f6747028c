"""What is said of a push, in events and in sentences. Pure."""

from dataclasses import dataclass

from services.synthesizer.finding import Finding
from shared.events import Evidence, PlanRejected, PushReceived, PushRefused, RevisionPlanned, RevisionSkipped
from shared.git import CommitInfo
from shared.ids import Commit, Pipeline
from shared.language import discovery
from shared.language.discovery import Discovery, PipelineFile
from shared.language.scope import Facts
from shared.language.synthesis import Synthesis
from shared.language.tracks import Tracks


@dataclass(frozen=True, slots=True)
class Look:
    """A push whose commit is known to be in its branch, or to be its tag's."""

    push: PushReceived
    commit: Commit
    info: CommitInfo

    @property
    def ref(self) -> str:
        """Return what moved, by its whole name."""
        return f"refs/tags/{self.push.tag}" if self.push.tag else f"refs/heads/{self.push.branch}"

    def about(self, pipeline: Pipeline) -> dict[str, object]:
        """Return what every decision says."""
        return {
            "push": self.push.push,
            "pipeline": pipeline,
            "repository": self.push.repository,
            "branch": self.push.branch,
            "tag": self.push.tag,
            "commit": self.commit,
        }


def planned(look: Look, synthesis: Synthesis, facts: Facts) -> RevisionPlanned | PlanRejected:
    """Return the plan, or what stands in its way."""
    about = look.about(facts.pipeline)
    plan = synthesis.plan
    if plan is None:
        return PlanRejected(**about, problems=synthesis.problems)
    return RevisionPlanned(
        **about,
        revision=facts.revision,
        plan_hash=plan.content_hash(),
        plan=plan,
        title=look.info.title,
        author=look.info.author,
        trigger=look.push.trigger,
        pusher=look.push.pusher,
        received_at=look.push.received_at,
    )


def misplaced(look: Look, file: PipelineFile) -> PlanRejected:
    """Return why a pipeline's file is not read."""
    return PlanRejected(**look.about(file.slug), problems=file.problems)


def contained(look: Look, file: PipelineFile, message: str, contained_in: int | None) -> RevisionSkipped:
    """Return that a revision has the commit already, or that a later commit spoke for it."""
    about = look.about(file.slug)
    return RevisionSkipped(**about, reason="contained", contained_in=contained_in, message=message)


def foreign(look: Look, file: PipelineFile, owner: str) -> RevisionSkipped:
    """Return that the pipeline's name belongs to another repository."""
    message = (
        f"the name {file.slug} belongs to a pipeline of {owner}; "
        f"rename the folder {discovery.FOLDERS[file.dialect]}/{file.slug}"
    )
    return RevisionSkipped(**look.about(file.slug), reason="foreign_slug", message=message)


def not_tracked(look: Look, file: PipelineFile, tracks: Tracks) -> RevisionSkipped:
    """Return that the pipeline is for other pushes."""
    pushed = (
        f"the push was of tag {look.push.tag}" if look.push.tag else f"the push was to {look.push.branch}"
    )
    message = f"pipeline {file.slug} {tracks.describe()}, and {pushed}"
    return RevisionSkipped(**look.about(file.slug), reason="not_tracked", message=message)


def untouched(look: Look, file: PipelineFile, tracks: Tracks, revision: int) -> RevisionSkipped:
    """Return that nothing the pipeline is for has changed."""
    message = f"nothing in {tracks.paths_shown()} or the pipeline file differs from revision {revision}"
    return RevisionSkipped(**look.about(file.slug), reason="untouched", message=message)


def refused(push: PushReceived, code: str, message: str) -> PushRefused:
    """Return why the push is answered for no pipeline."""
    phase = "detect" if code == "no_pipeline" else "clone"
    return PushRefused(
        push=push.push,
        repository=push.repository,
        branch=push.branch,
        tag=push.tag,
        commit=push.commit,
        code=code,
        message=message,
        evidence=Evidence(phase=phase, kind="source", message=message),
    )


def not_in_branch(push: PushReceived) -> PushRefused:
    """Return that the commit does not lie where it was pushed to."""
    message = (
        f"commit {push.commit} is not in branch {push.branch} of {push.repository}; "
        "push it to that branch, or name a commit that is in it"
    )
    return refused(push, "commit_unreachable", message)


def not_of_tag(push: PushReceived, commit: Commit) -> PushRefused:
    """Return that the tag names something else."""
    message = (
        f"tag {push.tag} of {push.repository} stands for commit {commit}, not for {push.commit}; "
        "push the tag again, or name that commit"
    )
    return refused(push, "commit_unreachable", message)


def no_pipeline(push: PushReceived, found: Discovery, finding: Finding) -> PushRefused:
    """Return that no pipeline file answers the push, and what could be deployed."""
    told = refused(push, "no_pipeline", _nothing_to_do(push, found) + _scanned(finding))
    return told.model_copy(update={"proposal": finding.proposal})


def _scanned(finding: Finding) -> str:
    if not finding.sentence:
        return ""
    note = f" ({finding.note})" if finding.note else ""
    return f"; found {finding.sentence}: `windlass init` writes a pipeline for that{note}"


def _nothing_to_do(push: PushReceived, found: Discovery) -> str:
    for problem in found.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        return f"{problem.file}: {problem.message}{hint}"
    name = push.pipeline or "<name>"
    which = f" {push.pipeline}" if push.pipeline else ""
    return (
        f"{push.repository} defines no pipeline{which} at this commit: "
        f"add {discovery.FOLDER}/{name}/{discovery.FILE}"
    )
