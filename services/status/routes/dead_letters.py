"""`/api/v1/dead-letters`: messages that a service could not take, and what a person does about them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.status.routes.answering import PAGE_USUAL, Limit, Reader, unknown
from shared.dead_letters.letter import Letter
from shared.dead_letters.letter_state import OPEN, LetterState
from shared.dead_letters.letters import DISCARDED_AT_ONCE_MAX, REPLAYED_AT_ONCE_MAX, Letters, Place, Wanted
from shared.problems import ProblemError

REASON_CHARACTERS_MAX = 500
BODY_CHARACTERS_MAX = 64_000  # shown; all of it is behind /body
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATES = {
    "open": OPEN,
    "all": frozenset(LetterState),
    **{state.value: frozenset({state}) for state in LetterState},
}
StateAsked = Annotated[
    Literal["open", "all", "waiting", "asked", "replayed", "discarded"],
    Query(description="Open: waiting for a person, or asked for and not handed over yet."),
]
Name = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-fA-F]{4}[0-9a-fA-F-]{0,32}$",
        description="The id, or as much of it as only one letter has.",
    ),
]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,16}~[0-9a-f]{32}$", description="The `next` of the page before."),
]


class DeadLetterView(BaseModel):
    """A message that a service could not take, in short."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: LetterState
    consumer_group: str = Field(description="The service that could not take it.")
    type: str
    topic: str
    key: str
    subject: str
    event: UUID
    origin: str = Field(description="Where it lay: topic/partition@offset, or outbox@position.")
    died_at: datetime = Field(description="The last time.")
    deaths: int = Field(description="More than one: it was replayed in between.")
    attempts: int = Field(description="Made before it died the last time.")
    summary: str = Field(description="The reason in one line.")
    changed_at: datetime
    changed_by: str = Field(description="Who asked last for something to be done; empty: nobody.")
    note: str = Field(description="What they said, or why it was not done.")


class DeadLetterShown(DeadLetterView):
    """A dead letter with everything in it."""

    reason: str
    source: str
    time: datetime
    correlation: str
    causation: UUID | None
    traceparent: str
    headers: dict[str, str]
    body: str
    body_encoding: Literal["text", "base64"] = Field(description="base64: it is no text.")
    body_truncated: bool = Field(description="Only the beginning is shown; …/body has all of it.")


class DeadLetterList(BaseModel):
    """Dead letters, those that died last first."""

    dead_letters: list[DeadLetterView]
    waiting: int = Field(description="How many wait for a person in the whole installation.")
    next: str | None = None


class ReplayAsked(BaseModel):
    """Why, for the record."""

    reason: str = Field("", max_length=REASON_CHARACTERS_MAX)


class ReplayAllAsked(ReplayAsked):
    """Which; without a group or a type, all that wait."""

    group: str = ""
    type: str = ""


class DiscardAsked(BaseModel):
    """Why it is not needed."""

    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


class DiscardAllAsked(DiscardAsked):
    """Which; without a group or a type, all that wait."""

    group: str = ""
    type: str = ""


class AllReplayed(BaseModel):
    """What became of a request for many."""

    asked: int = Field(description=f"How many will be handed over; at most {REPLAYED_AT_ONCE_MAX} at once.")
    left: int = Field(description="How many of those that were meant still wait: ask again.")
    foreign: int = Field(description="Left out, for they are no events of ours: they can only be discarded.")


class AllDiscarded(BaseModel):
    """What became of a request for many."""

    discarded: int = Field(description=f"How many were put away; at most {DISCARDED_AT_ONCE_MAX} at once.")
    left: int = Field(description="How many of those that were meant still wait: ask again.")


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Shows dead letters, has them replayed, discards them."""

    reader: Reader
    letters: Letters

    def router(self) -> APIRouter:
        """Return the routes."""
        router = self.reader.router("dead letters")
        add = router.add_api_route
        replay, discard = self._changes()
        replay_all, discard_all = self._changes_of_many()
        add("/dead-letters", self.listed, summary="Messages that no handler could take")
        add("/dead-letters/replay", replay_all, methods=["POST"], status_code=202,
            summary="Hand many to their services again")  # fmt: skip
        add("/dead-letters/discard", discard_all, methods=["POST"], summary="Put many away for good")
        add("/dead-letters/{letter}", self.shown, summary="One dead letter with everything in it")
        add("/dead-letters/{letter}/body", self.body, response_class=Response, summary="Its whole body",
            responses={200: {"content": {"application/octet-stream": {}}}})  # fmt: skip
        add("/dead-letters/{letter}/replay", replay, methods=["POST"], status_code=202,
            summary="Hand it to its service again")  # fmt: skip
        add("/dead-letters/{letter}/discard", discard, methods=["POST"], summary="Put it away for good")
        return router

    async def listed(
        self,
        state: StateAsked = "open",
        group: str = "",
        type: str = "",  # noqa: A002 - as everywhere in the API
        cursor: Cursor = None,
        limit: Limit = PAGE_USUAL,
    ) -> DeadLetterList:
        """List dead letters."""
        found = await self.letters.listed(Wanted(STATES[state], group, type), _place_of(cursor), limit)
        return DeadLetterList(
            dead_letters=[DeadLetterView.model_validate(letter) for letter in found],
            waiting=await self.letters.count(Wanted(STATES["waiting"])),
            next=_cursor_of(found[-1]) if len(found) == limit else None,
        )

    async def shown(self, letter: Name) -> DeadLetterShown:
        """Show one."""
        return _shown(await self._named(letter))

    async def body(self, letter: Name) -> Response:
        """Give the body back as it arrived."""
        found = await self._named(letter)
        name = f'attachment; filename="{found.id}"'
        return Response(
            found.raw, media_type="application/octet-stream", headers={"Content-Disposition": name}
        )

    def _changes(self) -> tuple[Callable[..., object], ...]:
        Actor = Annotated[str, Depends(self.reader.access)]  # noqa: N806 - a type

        async def replay(letter: Name, asked: ReplayAsked, actor: Actor) -> DeadLetterShown:
            """Have it handed to its service again; its state tells what became of that."""
            found = await self._named(letter)
            if found.foreign:
                raise _foreign(found)
            done = await self.letters.replay(found.id, actor, asked.reason)
            return await self._changed(found, "replayed", done=done)

        async def discard(letter: Name, asked: DiscardAsked, actor: Actor) -> DeadLetterShown:
            """Put it away for good; it stays to be seen for 90 days."""
            found = await self._named(letter)
            done = await self.letters.discard(found.id, actor, asked.reason)
            return await self._changed(found, "discarded", done=done)

        return replay, discard

    def _changes_of_many(self) -> tuple[Callable[..., object], ...]:
        Actor = Annotated[str, Depends(self.reader.access)]  # noqa: N806 - a type

        async def replay_all(asked: ReplayAllAsked, actor: Actor) -> AllReplayed:
            """Have those that wait handed over, the oldest first; not what is no event of ours."""
            wanted = Wanted(STATES["waiting"], asked.group, asked.type, foreign=False)
            count = await self.letters.replay_all(wanted, actor, asked.reason)
            return AllReplayed(
                asked=count,
                left=await self.letters.count(wanted),
                foreign=await self.letters.count(replace(wanted, foreign=True)),
            )

        async def discard_all(asked: DiscardAllAsked, actor: Actor) -> AllDiscarded:
            """Put those that wait away for good, the oldest first."""
            wanted = Wanted(STATES["waiting"], asked.group, asked.type)
            count = await self.letters.discard_all(wanted, actor, asked.reason)
            return AllDiscarded(discarded=count, left=await self.letters.count(wanted))

        return replay_all, discard_all

    async def _named(self, name: str) -> Letter:
        found = await self.letters.named(name)
        if not found:
            hint = "GET /api/v1/dead-letters?state=all lists them; they are kept for 90 days after their end."
            raise unknown("dead letter", name, hint=hint)
        if len(found) > 1:
            ids = ", ".join(str(letter.id) for letter in found)
            raise ProblemError(
                409,
                "ambiguous-dead-letter",
                f"More than one dead letter begins with {name!a}; nothing was done.",
                next_=f"Say more of the id: {ids}.",
            )
        return found[0]

    async def _changed(self, before: Letter, wanted: str, *, done: bool) -> DeadLetterShown:
        after = (await self.letters.named(str(before.id)))[0]
        if done:
            return _shown(after)
        by = f" by {after.changed_by}" if after.changed_by else ""
        raise ProblemError(
            409,
            "dead-letter-not-waiting",
            f"Dead letter {after.id} cannot be {wanted}: it {_SAID[after.state]}{by} "
            f"at {after.changed_at:%Y-%m-%d %H:%M:%S} UTC. Nothing was done.",
            next_=_WAYS_OUT[after.state],
        )


_SAID = {
    LetterState.WAITING: "came to wait",
    LetterState.ASKED: "was asked for",
    LetterState.REPLAYED: "was replayed as asked",
    LetterState.DISCARDED: "was discarded",
}
_WAYS_OUT = {
    LetterState.WAITING: "It has changed this moment: look at it, and ask again.",
    LetterState.ASKED: "A replica of its service hands it over as soon as there is one.",
    LetterState.REPLAYED: "Its service has handled it; there is nothing left to do.",
    LetterState.DISCARDED: "It was put away for good. Its /body still has what it said.",
}


def _foreign(letter: Letter) -> ProblemError:
    return ProblemError(
        409,
        "dead-letter-foreign",
        f"Dead letter {letter.id} cannot be replayed: it is no event of Windlass. Nothing was done.",
        next_="No service can ever hear it: discard it, and see who writes to the topic.",
    )


def _shown(letter: Letter) -> DeadLetterShown:
    shown = DeadLetterShown.model_validate({**_fields(letter), "body_truncated": False})
    if len(shown.body) <= BODY_CHARACTERS_MAX:
        return shown
    return shown.model_copy(update={"body": shown.body[:BODY_CHARACTERS_MAX], "body_truncated": True})


def _fields(letter: Letter) -> dict[str, object]:
    names = DeadLetterShown.model_fields.keys() - {"body_truncated"}
    return {name: getattr(letter, name) for name in names}


def _cursor_of(letter: Letter) -> str:
    return f"{(letter.died_at - EPOCH) // timedelta(microseconds=1)}~{letter.id.hex}"


def _place_of(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    at, _, id_ = cursor.partition("~")
    return EPOCH + timedelta(microseconds=int(at)), UUID(id_)
