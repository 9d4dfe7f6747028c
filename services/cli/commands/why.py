"""`windlass why`."""

from typing import Annotated

import typer

from services.cli import output, words
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served


@served
def why(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    stage: Annotated[str, typer.Argument(help="Which of its stages")],
) -> None:
    """Say why a stage is as it is: what runs, what waits, on what, since when, and what ends that.

    Where people are waited for, the first of what they are to look at is shown: tests that failed, proposed
    changes, changes of the pipeline file. `windlass approve` shows all of it before it asks.

    \b
    Examples:
      windlass why shop production
      windlass why shop production --json
    """  # noqa: D301
    session.answer(session.api.get(route("pipelines", pipeline, "stages", stage)), _show)


def _show(stage: Document) -> None:
    output.say(f"{stage['pipeline']}/{stage['stage']} is {stage['status']}.")
    for told in stage["why"]:
        for line in words.reason_lines(told):
            output.say(f"  {line}")
