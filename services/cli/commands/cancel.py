"""`windlass cancel`."""

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.run_meant import RunOption, run_of
from services.cli.session import Session, served


@served
def cancel(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    run: RunOption = None,
) -> None:
    """End the run that holds a stage, or else the one that waits; what was live before it stays.

    \b
    Examples:
      windlass cancel shop staging --reason "wrong flag"
      windlass cancel shop staging --run 3f2a91c4 --reason "wrong flag"
    """  # noqa: D301
    place = Place(pipeline, stage)
    ask(session, place, "cancel", {"reason": reason, "run": run_of(session, place, run)})
