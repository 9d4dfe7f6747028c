"""`windlass history`."""

from typing import Annotated

import typer

from services.cli import operation_words, output
from services.cli.asking import Pipeline
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

LIMIT_MAX = 200


@served
def history(
    session: Session,
    pipeline: Pipeline,
    stage: Annotated[str | None, typer.Argument(help="Only what is about this stage")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many entries at most")] = 20,
) -> None:
    """Say who did what, when and why, and what came of it, the newest first.

    \b
    Examples:
      windlass history shop
      windlass history shop production --limit 100 --json
    """  # noqa: D301
    path = route("pipelines", pipeline, "history")
    session.answer(session.api.get(path, stage=stage, limit=limit), _show)


def _show(trail: Document) -> None:
    for each in trail["entries"]:
        output.say(operation_words.entry(each))
    if not trail["entries"]:
        output.say("Nothing has happened here yet.")
