"""`windlass approve`, `windlass reject`: what a person says at a gate that a run waits at."""

from typing import Annotated

import typer

from services.cli import approval_words, output
from services.cli.asking import Pipeline, Place, Reason, Stage, ask
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

WITHOUT_COMMENT = "approved"  # the record has a reason for everything that people do

Step = Annotated[str, typer.Option(help="Which gate, by id or name  [usual: the only one that waits]")]
Definition = Annotated[
    bool, typer.Option("--definition", help="The changes of the pipeline file, where a gate waits too")
]


@served
def approve(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    step: Step = "",
    definition: Definition = False,
    comment: Annotated[str, typer.Option(help="For the record")] = "",
) -> None:
    """Approve what a stage waits for somebody to look at; it goes on once enough people have.

    Prints what is approved before it asks: the plan, the digests of the artifacts, the tests that failed, the
    changes that a step proposes, or those of the pipeline file. If any of that has changed meanwhile, the
    approval is refused. A bake ends early.

    \b
    Examples:
      windlass approve shop production
      windlass approve shop production --step "Go live" --comment "seen on staging"
      windlass approve shop staging --definition --comment "talked over with ops"
    """  # noqa: D301
    place = Place(pipeline, stage)
    shown = _shown(session, place, step, definition=definition)
    ask(session, place, "approve", {"reason": comment.strip() or WITHOUT_COMMENT, **shown})


@served
def reject(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    reason: Reason,
    step: Step = "",
    definition: Definition = False,
) -> None:
    """Reject it: the run fails at its gate, or never begins; what was live before stays.

    Prints what is rejected before it asks, as `windlass approve` does.

    \b
    Examples:
      windlass reject shop production --reason "the prices are wrong on staging"
      windlass reject shop staging --definition --reason "the approval step must stay"
    """  # noqa: D301
    place = Place(pipeline, stage)
    shown = _shown(session, place, step, definition=definition)
    ask(session, place, "reject", {"reason": reason, **shown})


def _shown(session: Session, place: Place, step: str, *, definition: bool) -> dict[str, str]:
    """Print what is meant, and return what names it: an answer is to what was seen, or it is refused."""
    approval, run = _meant(session, place, step, definition=definition)
    if not session.as_json:
        for line in approval_words.to_approve(approval, run):
            output.say(line)
    return {name: approval[name] for name in ("step", "run", "shown")}


def _meant(session: Session, place: Place, step: str, *, definition: bool) -> tuple[Document, Document]:
    """Return the approval that is meant, and its run."""
    waiting = session.api.get(route(*place.path))["approvals"]
    runs = {
        run: session.api.get(route("runs", run)) for run in dict.fromkeys(each["run"] for each in waiting)
    }
    meant = [each for each in waiting if _is_meant(each, runs[each["run"]], step, definition=definition)]
    names = ", ".join(approval_words.name_of(each, runs[each["run"]]) for each in meant or waiting)
    if not meant:
        named = " of the pipeline file" if definition else f" of the name {step!a}" if step else ""
        message = f"Nothing{named} in {place.name} waits for an answer."
        raise CommandFault(message, next_=f"Waiting there: {names}." if waiting else place.hint)
    if len(meant) > 1:
        message = f"Say which with --step or --definition; waiting in {place.name}: {names}."
        raise CommandFault(message)
    return meant[0], runs[meant[0]["run"]]


def _is_meant(approval: Document, run: Document, step: str, *, definition: bool) -> bool:
    if definition:
        return bool(approval["of"] == "definition")
    return not step or step in {approval["step"], approval_words.name_of(approval, run)}
