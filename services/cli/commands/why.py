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
    """Say why a stage is as it is: what runs, what waits, on what, and what ends that.

    \b
    Example:
      windlass why shop production
    """  # noqa: D301
    session.answer(session.api.get(route("pipelines", pipeline, "stages", stage)), _show)


def _show(stage: Document) -> None:
    output.say(f"{stage['pipeline']}/{stage['stage']} is {stage['status']}.")
    for told in stage["why"]:
        output.say(f"  {words.reason(told)}")
