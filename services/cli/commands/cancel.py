"""`windlass cancel`."""

import asyncio
from typing import Annotated

import typer

from services.cli import output
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served
from shared.clock import SystemClock

ANSWER_SECONDS_MAX = 15.0
LOOK_SECONDS = 0.1


@served
def cancel(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    stage: Annotated[str, typer.Argument(help="Which of its stages")],
    reason: Annotated[str, typer.Option(help="For the record")],
    run: Annotated[str | None, typer.Option(help="Only if it is this run that holds the stage")] = None,
) -> None:
    """End the run that holds a stage, or else the one that waits; what was live before it stays.

    \b
    Example:
      windlass cancel shop staging --reason "wrong flag"
    """  # noqa: D301
    taken = session.api.post(
        route("pipelines", pipeline, "stages", stage, "cancel"), {"reason": reason, "run": run}
    )
    operation = _answered(session, taken)
    session.answer(operation, _show)
    if operation["answer"] == "refused":
        raise CommandFault("Nothing is cancelled.", next_=f"`windlass why {pipeline} {stage}` tells more.")


def _answered(session: Session, taken: Document) -> Document:
    api, clock = session.api, SystemClock()
    operation = api.get(f"/operations/{taken['operation']}", min_position=taken["position"])
    began = clock.now()
    while operation["answer"] == "pending":
        if (clock.now() - began).total_seconds() > ANSWER_SECONDS_MAX:
            break
        asyncio.run(clock.sleep(LOOK_SECONDS))
        operation = api.get(f"/operations/{taken['operation']}")
    return operation


def _show(operation: Document) -> None:
    where = f"{operation['pipeline']}/{operation['stage']}"
    said = f": {operation['message']}" if operation["message"] else "."
    match operation["answer"]:
        case "accepted":
            output.say(f"The run in {where} is being cancelled{said}")
        case "refused":
            output.say(f"{where} refused{said}")
        case _:
            output.say(f"Asked for; {where} has not answered yet. `windlass why` shows more.")
