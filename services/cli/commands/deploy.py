"""`windlass deploy`."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from services.cli import output, push_words, words
from services.cli.faults import CommandFault
from services.cli.option_group import grouped
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served
from shared.clock import SystemClock

DECISION_SECONDS_MAX = 15.0  # how long we wait to hear what becomes of it
LOOK_SECONDS = 0.1
NOT_SHOWN = "urn:windlass:problem:not-caught-up"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which commit is deployed."""

    branch: Annotated[str | None, typer.Option(help="Another branch than the pipeline's own")] = None
    tag: Annotated[str | None, typer.Option(help="A tag in the place of a branch")] = None
    commit: Annotated[
        str | None, typer.Option(help="A whole commit id  [usual: the tip of the branch; what the tag names]")
    ] = None

    def check(self) -> None:
        """Refuse what leaves open which commit is meant."""
        if self.branch is not None and self.tag is not None:
            message = "a deployment is of a branch or of a tag: leave one of them out."
            raise typer.BadParameter(message, param_hint="--branch and --tag")


@served
@grouped(Wanted)
def deploy(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    wanted: Wanted,
    *,
    repository: Annotated[
        str | None, typer.Option(help="Of a pipeline never deployed yet, where several are registered")
    ] = None,
    reason: Annotated[str, typer.Option(help="For the record")] = "",
) -> None:
    """Deploy the newest commit of a pipeline's branch, or a tag, or one commit of either.

    \b
    Examples:
      windlass deploy shop
      windlass deploy shop --branch release
      windlass deploy shop --tag v1.4.0
      windlass deploy shop --commit "$(git rev-parse HEAD)" --reason "the webhook got lost"

    Ingest takes it: where that has an address of its own, WINDLASS_INGEST_URL beside WINDLASS_URL names it.
    """  # noqa: D301
    wanted.check()
    asked = {**asdict(wanted), "reason": reason}
    taken = session.api.post(route("pipelines", pipeline, "deploy"), asked, repository=repository)
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
        for line in push_words.problems(decision["problems"]):
            output.say(f"  {line}")
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
