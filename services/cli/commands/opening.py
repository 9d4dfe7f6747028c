"""`windlass release-hold`, `lift-blocker`, `override-window`: a person opens what keeps a stage closed."""

from typing import Annotated

import typer

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.session import Session, served

HOURS_MAX = 7 * 24  # as in the deployer: what is wanted for longer belongs into the pipeline file


def _some_hours(hours: float) -> float:
    if not 0 < hours <= HOURS_MAX:
        raise typer.BadParameter(f"more than 0 and at most {HOURS_MAX}.")
    return hours


@served
def release_hold(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    revision: Annotated[
        int | None, typer.Argument(min=1, help="Which is on hold  [usual: the only one]")
    ] = None,
) -> None:
    """Let a revision that was rolled back from be deployed to the stage again.

    \b
    Example:
      windlass release-hold shop production 42 --reason "it was the database"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "release-hold", {"reason": reason, "revision": revision})


@served
def lift_blocker(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    name: Annotated[str, typer.Argument(help="Which, as `why` names it  [usual: the only one]")] = "",
) -> None:
    """Let a stage begin runs though what blocks it, an alarm, is not over; it may block again.

    \b
    Example:
      windlass lift-blocker shop production "alarm shop-5xx" --reason "the monitor is wrong"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "lift-blocker", {"reason": reason, "blocker": name})


@served
def override_window(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    hours: Annotated[float, typer.Option(callback=_some_hours, help="For how long, from now on")],
) -> None:
    """Let a stage begin runs for some hours, whatever its deployment window says.

    \b
    Example:
      windlass override-window shop production --hours 2 --reason "security fix"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "override-window", {"reason": reason, "hours": hours})
