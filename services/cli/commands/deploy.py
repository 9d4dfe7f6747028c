"""`windlass deploy`."""

import asyncio
from typing import Annotated

import typer

from services.cli import output, words
from services.cli.api import route
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.session import Session, served
from shared.clock import SystemClock

DECISION_SECONDS_MAX = 15.0  # how long we wait to hear what becomes of it
LOOK_SECONDS = 0.1
NOT_SHOWN = "urn:windlass:problem:not-caught-up"


@served
def deploy(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    commit: Annotated[str | None, typer.Option(help="A whole commit id  [usual: the branch's tip]")] = None,
    branch: Annotated[str | None, typer.Option(help="Another branch than the pipeline's own")] = None,
    repository: Annotated[
        str | None, typer.Option(help="Of a pipeline never deployed yet, where several are registered")
    ] = None,
    reason: Annotated[str, typer.Option(help="For the record")] = "",
) -> None:
    """Deploy the newest commit of a pipeline's branch, or one commit of it.

    \b
    Examples:
      windlass deploy shop
      windlass deploy shop --commit "$(git rev-parse HEAD)" --reason "the webhook got lost"

    Ingest takes it: where that has an address of its own, WINDLASS_INGEST_URL beside WINDLASS_URL names it.
    """  # noqa: D301
    api = session.api
    asked = {"commit": commit, "branch": branch, "reason": reason}
    taken = api.post(route("pipelines", pipeline, "deploy"), asked, repository=repository)
    push = _decided(session, taken)
    session.answer({**taken, **push}, _show)
    if push["refused_code"] or any(each["decision"] != "planned" for each in push["decisions"]):
        raise CommandFault("Nothing is deployed, for the reason above.")


def _decided(session: Session, taken: Document) -> Document:
    """Return the push with what became of it, as far as that is known within a moment."""
    api, clock = session.api, SystemClock()
    try:
        push = api.get(f"/pushes/{taken['push']}", min_position=taken["position"])
    except CommandFault as fault:
        if fault.problem != NOT_SHOWN:
            raise
        return {"shown": False, "decisions": [], "refused_code": ""}
    began = clock.now()
    while not push["decisions"] and not push["refused_code"]:
        if (clock.now() - began).total_seconds() > DECISION_SECONDS_MAX:
            break
        asyncio.run(clock.sleep(LOOK_SECONDS))
        push = api.get(f"/pushes/{taken['push']}")
    return push


def _show(push: Document) -> None:
    if not push.get("shown", True):
        output.say(
            f"Push {push['push']} is accepted, on disk; not shown yet, because the read model has not heard "
            "of it (is the broker away?)."
        )
        return
    for decision in push["decisions"]:
        output.say(_sentence(decision))
        for problem in decision["problems"]:
            output.say(f"  {words.problem(problem)}")
    if push["refused_code"]:
        output.say(push["refused_message"])
    elif not push["decisions"]:
        output.say(f"Accepted as push {push['push']}; it is being looked at. `windlass status` shows more.")


def _sentence(decision: Document) -> str:
    pipeline, commit = decision["pipeline"], words.short(decision["commit"])
    match decision["decision"]:
        case "planned":
            revision = decision["revision"]
            return f"{pipeline}: {commit} is revision {revision}. `windlass logs {pipeline} --follow`"
        case "skipped":
            return f"{pipeline}: {commit} needs no revision: {decision['message'] or decision['reason']}"
        case _:
            return f"{pipeline}: {commit} is rejected, its pipeline file has problems:"
