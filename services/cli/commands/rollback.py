"""`windlass rollback`, `windlass roll-forward`: another revision than the queue would bring."""

from typing import Annotated

import typer

from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.session import Session, served


@served
def rollback(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    to: Annotated[
        int | None,
        typer.Option(min=1, metavar="REVISION", help="One that succeeded here  [usual: the last that did]"),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would happen")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record; needed without --plan")] = "",
) -> None:
    """Go back to a revision that succeeded in the stage before, with its pinned artifacts and plan.

    What it goes back from is put on hold there: `windlass release-hold` lets it in again.

    \b
    Examples:
      windlass rollback shop production --plan
      windlass rollback shop production --reason "checkout is slow"
      windlass rollback shop production --to 41 --reason "checkout is slow"
    """  # noqa: D301
    if not plan and not reason.strip():
        message = "say why, in one line, or ask with --plan what would happen."
        raise typer.BadParameter(message, param_hint="--reason")
    said = {"reason": reason, "revision": to, "dry_run": plan}
    ask(session, Place(pipeline, stage), "rollback", said)


@served
def roll_forward(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    to: Annotated[
        int | None,
        typer.Option(min=1, metavar="REVISION", help="A newer one, built  [usual: the newest that is]"),
    ] = None,
) -> None:
    """Put a newer revision into a stage now: past its queue, window and blockers, not past a stop.

    \b
    Example:
      windlass roll-forward shop production --reason "the fix must not wait for Monday"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "roll-forward", {"reason": reason, "revision": to})
