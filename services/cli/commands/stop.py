"""`windlass stop`, `windlass resume`: whether a stage, or a whole pipeline, begins anything."""

from typing import Annotated

import typer

from services.cli.asking import Pipeline, Place, Reason, ask
from services.cli.session import Session, served

OneOrAll = Annotated[str | None, typer.Argument(help="Which of its stages  [usual: all, later ones too]")]


@served
def stop(session: Session, pipeline: Pipeline, reason: Reason, stage: OneOrAll = None) -> None:
    """Let a stage, or all of a pipeline's, begin nothing more; what runs goes on to its end.

    \b
    Examples:
      windlass stop shop production --reason "audit until noon"
      windlass stop shop --reason "incident 31"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "stop", {"reason": reason})


@served
def resume(session: Session, pipeline: Pipeline, reason: Reason, stage: OneOrAll = None) -> None:
    """Let a stage, or a pipeline's, begin runs again; a stage that was stopped by itself stays so.

    \b
    Examples:
      windlass resume shop production --reason "the audit is over"
      windlass resume shop --reason "incident 31 is over"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "resume", {"reason": reason})
