"""`windlass approve`, `windlass reject`: what a person says at a gate that a run waits at."""

from collections.abc import Sequence
from typing import Annotated

import typer

from services.cli import operation_words, output
from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

WITHOUT_COMMENT = "approved"  # the record has a reason for everything that people do

Step = Annotated[str, typer.Option(help="Which gate, by id or name  [usual: the only one that waits]")]


@served
def approve(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    step: Step = "",
    comment: Annotated[str, typer.Option(help="For the record")] = "",
) -> None:
    """Approve at a gate; the run goes on once enough people have. A bake ends early.

    Prints what is approved: the revision, its plan, the digests of its artifacts. If that has changed
    meanwhile, the approval is refused.

    \b
    Examples:
      windlass approve shop production
      windlass approve shop production --step "Go live" --comment "seen on staging"
    """  # noqa: D301
    place = Place(pipeline, stage)
    run = _waiting_run(session, place)
    gate = _meant(run, step, place)
    if not session.as_json:
        for line in operation_words.to_approve(run, gate):
            output.say(line)
    said = {
        "reason": comment.strip() or WITHOUT_COMMENT,
        "step": gate["step"],
        "shown": gate["gate"]["shown"],
        "run": run["run"],
    }
    ask(session, place, "approve", said)


@served
def reject(session: Session, pipeline: Pipeline, stage: Stage, reason: Reason, step: Step = "") -> None:
    """Reject at a gate: the run fails there, and what was live before stays.

    \b
    Example:
      windlass reject shop production --reason "the prices are wrong on staging"
    """  # noqa: D301
    ask(session, Place(pipeline, stage), "reject", {"reason": reason, "step": step})


def _waiting_run(session: Session, place: Place) -> Document:
    running = session.api.get(route(*place.path))["running"]
    if running is None:
        raise _nothing_waits(place)
    return session.api.get(route("runs", running["run"]))


def _meant(run: Document, step: str, place: Place) -> Document:
    waiting: list[Document] = [each for each in run["steps"] if each["gate"] and each["state"] == "Waiting"]
    if not waiting:
        raise _nothing_waits(place)
    meant = [each for each in waiting if step in {"", each["step"], each["name"]}]
    if len(meant) != 1:
        raise CommandFault(f"Say which with --step; waiting in {place.name}: {_names(waiting)}.")
    return meant[0]


def _names(steps: Sequence[Document]) -> str:
    return ", ".join(each["name"] or each["step"] for each in steps)


def _nothing_waits(place: Place) -> CommandFault:
    return CommandFault(f"Nothing in {place.name} waits for an answer.", next_=place.hint)
