"""`windlass status`."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import letter_words, output, push_words, refused_pushes, words
from services.cli.output import Cell, Document
from services.cli.route import route
from services.cli.session import Session, served
from shared.clock import SystemClock

if TYPE_CHECKING:
    from rich.console import RenderableType

HAPPENING = frozenset({"running", "waiting", "health", "blocker", "stop"})
TOLD_MAX = 3  # sentences about one stage; `windlass why` has the others
LOOK_SECONDS = 0.5  # between two looks of --watch

COLUMNS = ("Pipeline", "Stage", "Status", "Live", "Since", "Now")
NOTHING = "Nothing was deployed yet. Push to a registered repository, or `windlass deploy PIPELINE`."


@served
def status(
    session: Session,
    pipeline: Annotated[str | None, typer.Argument(help="Only this one")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing, until Ctrl-C")] = False,
) -> None:
    """Show what runs where, what waits, and for what.

    \b
    Examples:
      windlass status
      windlass status shop --watch
      windlass status shop --json
    """  # noqa: D301
    if watch:
        _watch(session, pipeline)
    else:
        session.answer(_look(session, pipeline), _show)


def _look(session: Session, pipeline: str | None) -> Document:
    api = session.api
    document = {"pipelines": [api.get(route("pipelines", pipeline))]} if pipeline else api.get("/pipelines")
    dead = api.get("/dead-letters", state="waiting", limit=1)
    refused = [] if document["pipelines"] else refused_pushes.newest(api)
    return {**document, "dead_letters_waiting": dead["waiting"], "refused": refused}


def _show(document: Document) -> None:
    output.show(_drawn(document))


def _watch(session: Session, pipeline: str | None) -> None:
    looks = _changes(session, pipeline)
    if session.as_json or not sys.stdout.isatty():
        for document in looks:
            output.json_line(document) if session.as_json else _show(document)
        return
    from rich.live import Live  # noqa: PLC0415

    with Live(console=output.console(), auto_refresh=False, screen=False) as live:
        for document in looks:
            live.update(_drawn(document), refresh=True)


def _changes(session: Session, pipeline: str | None) -> Iterator[Document]:
    """Yield how things stand, now and whenever it has changed; on a terminal, where times pass, always."""
    clock, last = SystemClock(), None
    while True:
        document = _look(session, pipeline)
        if document != last or sys.stdout.isatty():
            yield document
        last = document
        asyncio.run(clock.sleep(LOOK_SECONDS))


def _drawn(document: Document) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    rows = [row for pipeline in document["pipelines"] for row in _rows(pipeline)]
    stages = output.table(COLUMNS, rows) if rows else "" if document["pipelines"] else NOTHING
    notice = letter_words.notice(document["dead_letters_waiting"])
    pushed = [line for pipeline in document["pipelines"] for line in push_words.notices(pipeline)]
    told = [*pushed, *refused_pushes.told(document["refused"]), *([notice] if notice else [])]
    return Group(stages, "", *map(escape, told)) if told else stages


def _rows(pipeline: Document) -> Iterator[list[Cell]]:
    for stage in pipeline["now"]:
        live = stage["live"]
        yield [
            pipeline["pipeline"],
            stage["stage"],
            (_status(stage), words.STYLES.get(stage["status"], "")),
            f"{live['revision']} ({words.short(live['commit'])})" if live else "-",
            words.ago(live["since"]) if live else "",
            "\n".join(_now(stage)),
        ]


def _status(stage: Document) -> str:
    """Return how a stage is doing, and that something keeps it."""
    keeps = [word for word, holds in KEEPS.items() if holds(stage)]
    return "\n".join([stage["status"], *keeps])


def _waits_for(stage: Document, reason: str) -> bool:
    return any(slot["wait"] and slot["wait"]["reason"] == reason for slot in stage["waiting"])


KEEPS: Mapping[str, Callable[[Document], bool]] = {
    "blocked": lambda stage: bool(stage["blockers"]),
    "stopped": lambda stage: bool(stage["stops"]) and stage["status"] != "paused",
    "waits for people": lambda stage: bool(stage["approvals"]),
    "window closed": lambda stage: _waits_for(stage, "window"),
}


def _now(stage: Document) -> Iterator[str]:
    """Yield what happens in the stage, what went wrong in it, and where what is live can be reached."""
    happening = [told for told in stage["why"] if told["about"] in HAPPENING]
    for told in happening[:TOLD_MAX]:
        yield words.reason(told)
    if len(happening) > TOLD_MAX:
        further = len(happening) - TOLD_MAX
        yield f"and {further} more: `windlass why {stage['pipeline']} {stage['stage']}`"
    yield from (told["text"] for told in stage["why"] if told["about"] == "ended")
    yield from _holds(stage)
    yield from stage["live"]["urls"].values() if stage["live"] else ()


def _holds(stage: Document) -> Iterator[str]:
    newest = stage["live"]["revision"] if stage["live"] else 0
    held = [hold["revision"] for hold in stage["holds"]]
    if ahead := [revision for revision in held if revision > newest]:
        yield f"Kept out of this stage: {words.listed(ahead)}; a newer one goes past"
    if behind := [revision for revision in held if revision <= newest]:
        yield f"On hold: {words.listed(behind)}; a rollback goes past unless it names one"
