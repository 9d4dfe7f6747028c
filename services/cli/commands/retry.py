"""`windlass retry`."""

from typing import Annotated
from uuid import UUID

import typer

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.session import Session, served


@served
def retry(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    run: Annotated[UUID | None, typer.Option(help="Which run  [usual: the last in the stage]")] = None,
    from_failed_step: Annotated[
        bool, typer.Option("--from-failed-step", help="Keep what succeeded before the step that failed")
    ] = False,
) -> None:
    """Deploy a revision once more whose run Failed, Timed Out or was Cancelled; nothing is built again.

    \b
    Examples:
      windlass retry shop staging --reason "the database is back"
      windlass retry shop staging --from-failed-step --reason "the database is back"
    """  # noqa: D301
    said = {"reason": reason, "run": run and str(run), "from_failed_step": from_failed_step}
    ask(session, Place(pipeline, stage), "retry", said)
