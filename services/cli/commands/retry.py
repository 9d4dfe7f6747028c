"""`windlass retry`."""

from typing import Annotated

import typer

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.run_meant import RunOption, run_of
from services.cli.session import Session, served


@served
def retry(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    run: RunOption = None,
    from_failed_step: Annotated[
        bool, typer.Option("--from-failed-step", help="Keep what succeeded before the step that failed")
    ] = False,
) -> None:
    """Deploy a revision once more whose run Failed, Timed Out or was Cancelled; nothing is built again.

    Without --run it is the last run of the stage.

    \b
    Examples:
      windlass retry shop staging --reason "the database is back"
      windlass retry shop staging --from-failed-step --reason "the database is back"
    """  # noqa: D301
    place = Place(pipeline, stage)
    said = {"reason": reason, "run": run_of(session, place, run), "from_failed_step": from_failed_step}
    ask(session, place, "retry", said)
