"""Events in a sentence each, for those who look on."""

from collections.abc import Callable, Mapping
from typing import Any

COMMIT_CHARACTERS = 8
Body = Mapping[str, Any]


def place(subject: str, body: Body) -> str:
    """Return where something happened."""
    pipeline, stage = body.get("pipeline"), body.get("stage")
    if pipeline and stage:
        return f"{pipeline}/{stage}"
    return str(pipeline or body.get("repository") or subject)


def sentence(type_name: str, body: Body) -> str:
    """Return what happened; empty for what only a machine wants to know."""
    tell = _SENTENCES.get(type_name)
    return tell(body) if tell else ""


def _pushed(body: Body) -> str:
    return f"push of {short(body['commit'] or 'its tip')} to {body['branch']} is on disk"


def _planned(body: Body) -> str:
    return f"revision {body['revision']}: {body['title']!r} ({short(body['commit'])})"


def _rejected(body: Body) -> str:
    first = body["problems"][0]
    return f"rejected: {first['file']}:{first['line']}: {first['message']}"


def _built(body: Body) -> str:
    artifact = f"revision {body['revision']}: artifact {body['artifact']}"
    if body["reused"]:
        return f"{artifact} of revision {body['built_by']} is reused, nothing is built"
    return f"{artifact} built in {body['duration_seconds']:.2f} s"


def _waiting(body: Body) -> str:
    wait = body["wait"]
    return (
        f"revision {body['revision']} waits: {wait['blocked_by']}; released by {wait['released_by']}"
        if wait
        else ""
    )


def _superseded(body: Body) -> str:
    return f"revision {body['revision']} is superseded by {body['by_revision']}"


def _verified(body: Body) -> str:
    what = f"its candidate ({body['step']})" if body["step"] else "its stable URLs"
    return f"revision {body['revision']}: {what} verified, {len(body['probes'])} probes passed"


def _not_verified(body: Body) -> str:
    return f"revision {body['revision']} is not verified: {body['evidence']['message']}"


def _classified(body: Body) -> str:
    kind = f"{body['code']}, {body['category']}, in {body['failure_stage']}"
    return f"revision {body['revision']} is diagnosed: {body['likely_cause']} ({kind})"


def _succeeded(body: Body) -> str:
    where = ", ".join(body["urls"].values())
    return f"revision {body['revision']} {body['state']}" + (f": {where}" if where else "")


def _failed(body: Body) -> str:
    return f"revision {body['revision']} {body['state']}: {body['evidence']['message']}"


def short(commit: str) -> str:
    """Return as much of a commit id as people read."""
    return commit[:COMMIT_CHARACTERS]


_SENTENCES: Mapping[str, Callable[[Body], str]] = {
    "push.received": _pushed,
    "push.refused": lambda body: f"refused: {body['message']}",
    "revision.planned": _planned,
    "plan.rejected": _rejected,
    "revision.skipped": lambda body: f"no revision is needed: {body['message']}",
    "artifact.built": _built,
    "artifact.failed": lambda body: f"{body['artifact']}: {body['evidence']['message']}",
    "run.waiting": _waiting,
    "run.started": lambda body: f"revision {body['revision']} starts",
    "run.rolling_back": lambda body: f"going back to revision {body['revision']}",
    "run.superseded": _superseded,
    "run.succeeded": _succeeded,
    "run.failed": _failed,
    "run.timed_out": _failed,
    "step.started": lambda body: f"revision {body['revision']}: step {body['step']}",
    "verification.passed": _verified,
    "verification.failed": _not_verified,
    "failure.classified": _classified,
    "stage.held": lambda body: f"revision {body['revision']} is on hold here: {body['reason']}",
}
