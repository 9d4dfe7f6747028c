"""`windlass cancel`."""

from typing import Annotated
from uuid import UUID

import typer

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.session import Session, served


@served
def cancel(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    run: Annotated[UUID | None, typer.Option(help="Only if it is this run that holds the stage")] = None,
) -> None:
    """End the run that holds a stage, or else the one that waits; what was live before it stays.

    \b
    Example:
      windlass cancel shop staging --reason "wrong flag"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "cancel", {"reason": reason, "run": run and str(run)})
