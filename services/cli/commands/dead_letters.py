"""`windlass dead-letters`: messages that a service could not take."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from services.cli import letter_ids, letter_words
from services.cli.faults import MISUSED, CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served
from shared.clock import SystemClock

OUTCOME_SECONDS_MAX = 15.0  # how long we wait to hear what becomes of a replay
LOOK_SECONDS = 0.1

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Messages that a service could not take: a defect of Windlass, or something foreign on a topic.\n\n"
    "Each is kept whole and waits for you. Mend the cause, mostly by an upgrade, then replay it: its "
    "service hears it again as if for the first time, once. Or discard it.",
)

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID", help="As listed; the beginning of the id is enough", callback=letter_ids.all_plain
    ),
]
Letter = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="As listed; the beginning of the id is enough", callback=letter_ids.plain
    ),
]
Group = Annotated[str | None, typer.Option("--group", "-g", metavar="SERVICE", help="Only of this service")]
Type = Annotated[
    str | None, typer.Option("--type", "-t", metavar="TYPE", help="Only these messages: push.received")
]


class Which(StrEnum):
    """The states that a list can be narrowed to."""

    OPEN = "open"
    WAITING = "waiting"
    ASKED = "asked"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


@app.command("list")
@served
def list_(
    session: Session,
    group: Group = None,
    type_: Type = None,
    state: Annotated[Which, typer.Option(help="Open: waiting for you, or asked for")] = Which.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most")] = 50,
) -> None:
    """List dead letters, those that died last first.

    \b
    Examples:
      windlass dead-letters list
      windlass dead-letters list --group builder --state all
    """  # noqa: D301
    found = session.api.get("/dead-letters", group=group, type=_whole(type_), state=state.value, limit=limit)
    session.answer(found, letter_words.show_list)


@app.command("show")
@served
def show(session: Session, letter: Letter) -> None:
    """Show one with all that is known of it.

    \b
    Example:
      windlass dead-letters show 3f9c2a71
    """  # noqa: D301
    session.answer(session.api.get(route("dead-letters", letter)), letter_words.show)


@app.command("replay")
@served
def replay(
    session: Session,
    letters: Ids = None,
    group: Group = None,
    type_: Type = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait")] = False,
    reason: Annotated[str, typer.Option(help="For the record")] = "",
) -> None:
    """Have their services hear dead letters again.

    Says what became of them. A message is handled once, however often it is replayed. It comes later
    than the others of its pipeline or stage; services know late messages and do not go back. With
    --group, --type or --all this returns as soon as all are asked for. What is no event of Windlass
    (listed as foreign) is left out: it can only be discarded.

    \b
    Examples:
      windlass dead-letters replay 3f9c2a71 --reason "mended in 1.4.2"
      windlass dead-letters replay --group builder
      windlass dead-letters replay --all
    """  # noqa: D301
    if _many(letters, any_=bool(group or type_ or all_)):
        answer = _change_all(session, "replay", "asked", _narrowed(group, type_, reason))
        session.answer(answer, letter_words.show_many)
        return
    asked = [_change(session, letter, "replay", reason) for letter in letters or ()]
    after = [_outcome(session, letter) for letter in asked]
    session.answer({"dead_letters": after}, letter_words.show_outcomes)
    if any(letter_words.failed(letter) for letter in after):
        raise CommandFault("Not all were handled.", next_="`windlass dead-letters show ID` tells why.")


@app.command("discard")
@served
def discard(
    session: Session,
    reason: Annotated[str, typer.Option(help="Why it is not needed; for the record")],
    letters: Ids = None,
    group: Group = None,
    type_: Type = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait")] = False,
) -> None:
    """Put dead letters away for good.

    Their services never hear them. They can be looked at for another 90 days.

    \b
    Examples:
      windlass dead-letters discard 3f9c2a71 --reason "its pipeline was removed"
      windlass dead-letters discard --type foreign --reason "another program wrote to our topics"
    """  # noqa: D301
    if _many(letters, any_=bool(group or type_ or all_)):
        answer = _change_all(session, "discard", "discarded", _narrowed(group, type_, reason))
        session.answer(answer, letter_words.show_many_discarded)
        return
    done = [_change(session, letter, "discard", reason) for letter in letters or ()]
    session.answer({"dead_letters": done}, letter_words.show_outcomes)


def _change(session: Session, letter: str, what: str, reason: str) -> Document:
    return session.api.post(route("dead-letters", letter, what), {"reason": reason})


def _many(letters: list[str] | None, *, any_: bool) -> bool:
    """Tell whether it is about a whole lot; that and ids at once, or neither, is no way to ask."""
    if any_ == bool(letters):
        raise CommandFault(
            "Say which: ids, or one of --group, --type and --all.",
            next_="`windlass dead-letters list` shows them.",
            code=MISUSED,
        )
    return any_


def _narrowed(group: str | None, type_: str | None, reason: str) -> Mapping[str, object]:
    return {"group": group or "", "type": _whole(type_) or "", "reason": reason}


def _change_all(session: Session, what: str, counted: str, narrowed: Mapping[str, object]) -> Document:
    """Ask until all that wait now are changed: the server takes so many at once, the oldest first.

    Those that die again meanwhile wait again, and are not asked for without end.
    """
    path = f"/dead-letters/{what}"
    answer = session.api.post(path, narrowed)
    total, meant = answer[counted], answer[counted] + answer["left"]
    while answer[counted] and total < meant:
        answer = session.api.post(path, narrowed)
        total += answer[counted]
    return {**answer, counted: total}


def _outcome(session: Session, asked: Document) -> Document:
    """Return the letter as it is once its service has taken it, or as it is after a while."""
    clock = SystemClock()
    began, letter = clock.now(), asked
    while letter["state"] == "asked" and (clock.now() - began).total_seconds() < OUTCOME_SECONDS_MAX:
        asyncio.run(clock.sleep(LOOK_SECONDS))
        letter = session.api.get(route("dead-letters", asked["id"]))
    return letter


def _whole(type_: str | None) -> str | None:
    """Return a type by the name it is listed under as the API knows it."""
    if not type_ or type_.startswith("windlass.") or "." not in type_:
        return type_
    return f"windlass.{type_}.v1"
