"""What a GitHub delivery means, read from its event name and its signed body.

Only what is needed is parsed and nothing of it is believed beyond "this branch or tag moved to that":
where the commit comes from is what the operator registered, and git decides whether it is there.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.faults import Refused
from shared.git.address import check_branch, check_tag
from shared.ids import Commit

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
REF_CHARACTERS_MAX = 1_000
PUSHER_CHARACTERS_MAX = 100
MISTAKES_TOLD_MAX = 5


@dataclass(frozen=True, slots=True)
class Moved:
    """A branch or a tag is now at `commit`, which for a tag may be its own object."""

    ref: str
    branch: str  # empty for a tag
    commit: Commit
    pusher: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A delivery that asks nothing of us; `reason` is told to the forge."""

    reason: str
    pong: bool = False


@dataclass(frozen=True, slots=True)
class Malformed:
    """A body that is not what its event name says."""

    mistakes: tuple[str, ...]


Meaning = Moved | Nothing | Malformed


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Pusher(_Strict):
    name: str = ""


class _Push(_Strict):
    ref: str = Field(max_length=REF_CHARACTERS_MAX)
    after: str = Field(pattern=r"\A[0-9a-f]{40}(?:[0-9a-f]{24})?\z")
    deleted: bool = False
    pusher: _Pusher = _Pusher()


def meaning_of(event: str, body: bytes, tracked: str | None) -> Meaning:
    """Say what to do about a delivery; `tracked` is the only branch listened to, None for all."""
    if event == "ping":
        return Nothing("pong: the signature is right, pushes will be taken", pong=True)
    if event != "push":
        return Nothing(f"event {event[:60]!a} is not acted upon; only push is")
    try:
        push = _Push.model_validate_json(body)
    except ValidationError as error:
        return Malformed(_mistakes(error))
    return _moved(push, tracked)


def _moved(push: _Push, tracked: str | None) -> Moved | Nothing:
    is_tag = push.ref.startswith(TAGS)
    if not is_tag and not push.ref.startswith(BRANCHES):
        return Nothing(f"{push.ref[:100]!a} is not a branch or a tag")
    if push.deleted or not push.after.strip("0"):
        return Nothing(f"the {'tag' if is_tag else 'branch'} was deleted; what is deployed stays")
    try:
        tag = check_tag(push.ref.removeprefix(TAGS)) if is_tag else ""
        branch = "" if is_tag else check_branch(push.ref.removeprefix(BRANCHES))
    except Refused as refusal:
        return Nothing(str(refusal))
    if tracked is not None and branch != tracked:
        return Nothing(f"only branch {tracked} of this repository is listened to")
    return Moved(push.ref, branch, Commit(push.after), _shown(push.pusher.name), tag)


def _shown(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:PUSHER_CHARACTERS_MAX]


def _mistakes(error: ValidationError) -> tuple[str, ...]:
    mistakes = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(
        f"{'.'.join(str(part) for part in mistake['loc']) or 'body'}: {mistake['msg']}"
        for mistake in mistakes[:MISTAKES_TOLD_MAX]
    )
