"""`windlass health`."""

from typing import Annotated

import typer

from services.cli import health_words, output
from services.cli.faults import MISUSED, CommandFault
from services.cli.output import Document
from services.cli.paragraph import paragraph
from services.cli.route import route
from services.cli.session import Session, served
from shared.clock import SystemClock

SERVICES_MAX = 50  # whose history is asked for at once
NOTHING = "Nothing is live yet whose health is looked at."


@served
def health(
    session: Session,
    pipeline: Annotated[str | None, typer.Argument(help="Only this one, with its last day")] = None,
    stage: Annotated[str | None, typer.Argument(help="Only this stage of it")] = None,
) -> None:
    """Show how what is live is doing: since when, why, and of a pipeline the last changes and the last day.

    \b
    Examples:
      windlass health
      windlass health shop
      windlass health shop production --json

    JSON is {"stages": [{"pipeline", "stage", "status", "services": [{"service", "now", "changes",
    "history"}]}]}; changes and history, by the hour for a month, are there where a pipeline is named.
    """  # noqa: D301
    if stage is not None and pipeline is None:
        raise CommandFault("Say of which pipeline.", code=MISUSED)
    if pipeline is None:
        pipelines = session.api.get("/pipelines")["pipelines"]
        stages = [_standing(each) for found in pipelines for each in found["now"] if each["health"]]
        session.answer({"stages": stages}, _show_list)
        return
    session.answer({"stages": _of_pipeline(session, pipeline, stage)}, _show)


def _of_pipeline(session: Session, pipeline: str, stage: str | None) -> list[Document]:
    path = ("pipelines", pipeline)
    if stage is not None:
        return [_with_history(session, session.api.get(route(*path, "stages", stage)))]
    stages = session.api.get(route(*path))["now"]
    return [_with_history(session, each) for each in stages if each["health"]]


def _standing(stage: Document) -> Document:
    services = [{"service": each["service"], "now": each} for each in stage["health"]]
    return {key: stage[key] for key in ("pipeline", "stage", "status")} | {"services": services}


def _with_history(session: Session, stage: Document) -> Document:
    """Return a stage's services with how they did; one of which nothing was heard yet has done nothing."""
    path = route("pipelines", stage["pipeline"], "stages", stage["stage"], "health")
    found = session.api.get(path, resolution="1h", limit=SERVICES_MAX)["services"]
    known = {each["service"]: {key: each[key] for key in ("changes", "history")} for each in found}
    standing = _standing(stage)
    for service in standing["services"]:
        service.update(known.get(service["service"], {"changes": [], "history": []}))
    return standing


def _show_list(document: Document) -> None:
    rows = [row for stage in document["stages"] for row in health_words.rows(stage)]
    if rows:
        output.show(output.table(health_words.COLUMNS, rows))
    else:
        output.say(NOTHING)


def _show(document: Document) -> None:
    now = SystemClock().now()
    for place, stage in enumerate(document["stages"]):
        if place:
            output.say("")
        for line in health_words.told(stage, now):
            output.say(line)
    if any(service["history"] for stage in document["stages"] for service in stage["services"]):
        output.say("")
        for line in paragraph(health_words.LEGEND, ""):
            output.say(line)
    if not document["stages"]:
        output.say(NOTHING)
