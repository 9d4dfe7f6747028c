"""`windlass runs`: what ran in a stage, or all of one run."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output, run_words
from services.cli.asking import Pipeline, Place, Stage
from services.cli.output import Document
from services.cli.route import route
from services.cli.run_meant import run_of
from services.cli.session import Session, served

if TYPE_CHECKING:
    from rich.console import RenderableType

LIMIT_MAX = 200


@served
def runs(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    run: Annotated[
        str, typer.Argument(help="All of this one: how its id begins, or `last`  [usual: a list]")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many at most")] = 20,
) -> None:
    """Show what ran in a stage, the newest first: how long it waited, how long it worked, how it ended.

    Of one run: its steps, what each goes after, how long each worked and waited, its waits, its story.

    \b
    Examples:
      windlass runs shop production
      windlass runs shop production last
      windlass runs shop production 3f2a91c4 --json
    """  # noqa: D301
    place = Place(pipeline, stage)
    if not run:
        session.answer(session.api.get(route(*place.path, "runs"), limit=limit), _show)
        return
    named = run_of(session, place, run)
    session.answer(session.api.get(route("runs", named or "")), _show_one)


def _show(found: Document) -> None:
    if found["runs"]:
        output.show(output.table(run_words.COLUMNS, map(run_words.row, found["runs"])))
    else:
        output.say("Nothing ran here yet.")


def _show_one(run: Document) -> None:
    for line in run_words.beginning(run):
        output.say(line)
    if run["steps"]:
        output.say("")
        output.show(_steps(run))
    for line in run_words.story(run):
        output.say(line)


def _steps(run: Document) -> "RenderableType":
    return output.table(run_words.STEP_COLUMNS, run_words.step_rows(run))
