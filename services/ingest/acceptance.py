"""Which deliveries are news. Deduplicated twice: by delivery id, and by what moved where (S3, S6).

A group of deliveries is judged together, in the order they arrived, because it is committed together:
a later one sees what an earlier one of the same group brought.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from services.ingest.github import Moved, Nothing
from shared.ids import Repository

DELIVERIES = uuid5(NAMESPACE_URL, "urn:windlass:delivery")  # what the ids of pushes are derived under

OK = 200
ACCEPTED = 202
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Registered:
    """A repository as the operator registered it."""

    name: Repository
    remote: str
    branch: str | None  # the only one listened to


@dataclass(frozen=True, slots=True)
class Delivery:
    """A signed, well-formed delivery."""

    repository: Registered
    delivery: str  # the forge's id for it; a redelivery has the same one
    body_sha256: str
    meaning: Moved | Nothing
    push: UUID = field(init=False)  # its id if this turns out to be one: the same for every redelivery

    def __post_init__(self) -> None:
        push = uuid5(DELIVERIES, f"{self.repository.name}\n{self.delivery}")
        object.__setattr__(self, "push", push)

    @property
    def identity(self) -> tuple[str, str]:
        """Return what the first deduplication goes by."""
        return self.repository.name, self.delivery


@dataclass(frozen=True, slots=True)
class Answer:
    """What the forge is told, now and at every redelivery."""

    status: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery that was answered before."""

    body_sha256: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one delivery gets."""

    delivery: Delivery
    answer: Answer
    first: bool  # its answer is to be remembered
    moved: Moved | None = None  # news: to be said as an event


Place = tuple[str, str, str]  # repository, ref, commit


def place_of(delivery: Delivery) -> Place | None:
    """Return what the second deduplication goes by; None when nothing moved."""
    moved = delivery.meaning
    return (delivery.repository.name, moved.ref, moved.commit) if isinstance(moved, Moved) else None


def judge(
    group: Sequence[Delivery], seen: Mapping[tuple[str, str], Seen], pushed: Mapping[Place, UUID]
) -> list[Verdict]:
    """Decide about deliveries that are committed together, in order."""
    seen_now, pushed_now = dict(seen), dict(pushed)
    verdicts = []
    for delivery in group:
        verdict = _judge(delivery, seen_now.get(delivery.identity), pushed_now)
        verdicts.append(verdict)
        if verdict.first:
            seen_now[delivery.identity] = Seen(delivery.body_sha256, verdict.answer)
        place = place_of(delivery)
        if verdict.moved and place:
            pushed_now[place] = delivery.push
    return verdicts


def _judge(delivery: Delivery, earlier: Seen | None, pushed: Mapping[Place, UUID]) -> Verdict:
    if earlier is not None:
        same = earlier.body_sha256 == delivery.body_sha256
        return Verdict(delivery, earlier.answer if same else _conflict(delivery), first=False)
    moved = delivery.meaning
    if isinstance(moved, Nothing):
        status = OK if moved.pong else ACCEPTED
        result = "pong" if moved.pong else "ignored"
        return Verdict(delivery, Answer(status, {"result": result, "reason": moved.reason}), first=True)
    place = place_of(delivery)
    known = pushed.get(place) if place else None
    if known is not None:
        return Verdict(delivery, _answer("known already", delivery, moved, known), first=True)
    return Verdict(delivery, _answer("accepted", delivery, moved, delivery.push), first=True, moved=moved)


def _answer(result: str, delivery: Delivery, moved: Moved, push: UUID) -> Answer:
    document = {
        "result": result,
        "push": str(push),
        "repository": delivery.repository.name,
        "branch": moved.branch,
        "commit": moved.commit,
    }
    if moved.tag:
        document["tag"] = moved.tag
    return Answer(ACCEPTED, document)


def _conflict(delivery: Delivery) -> Answer:
    reason = f"delivery {delivery.delivery} was heard before with another body; nothing was done"
    return Answer(CONFLICT, {"result": "conflict", "reason": reason})
