"""Asking a stage, or a whole pipeline, for an operation, and waiting for its one answer.

The deployer decides; what it says is shown as it says it. What an answer is called in words is in
`operation_words`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from services.cli import operation_words as words_of
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session

ANSWER_SECONDS_MAX = 15  # that the server waits for the answer; below what the client waits for the server


def _said(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why, in one line: whoever looks at it later will ask.")
    return reason


Pipeline = Annotated[str, typer.Argument(help="Which pipeline")]
Stage = Annotated[str, typer.Argument(help="Which of its stages")]
Reason = Annotated[str, typer.Option(help="Why, for the record", callback=_said)]


@dataclass(frozen=True, slots=True)
class Place:
    """What an operation is asked of."""

    pipeline: str
    stage: str | None = None  # None: the whole pipeline

    @property
    def path(self) -> tuple[str, ...]:
        """Return the names of its route."""
        return ("pipelines", self.pipeline, *(("stages", self.stage) if self.stage is not None else ()))

    @property
    def name(self) -> str:
        """Return it as people write it."""
        return self.pipeline if self.stage is None else f"{self.pipeline}/{self.stage}"

    @property
    def hint(self) -> str:
        """Return the command that tells more."""
        command = f"status {self.pipeline}" if self.stage is None else f"why {self.pipeline} {self.stage}"
        return f"`windlass {command}` tells more."


def ask(session: Session, place: Place, operation: str, said: Mapping[str, object]) -> None:
    """Ask, show the answer, and end with 1 if it is no."""
    taken = session.api.post(route(*place.path, operation), said, wait_seconds=ANSWER_SECONDS_MAX)
    answer: Document = {"kind": operation, "pipeline": place.pipeline, "stage": place.stage, **taken}
    refused = taken["answer"] == "refused"
    if session.as_json or not refused:
        dry_run = bool(said.get("dry_run"))
        session.answer(answer, lambda shown: words_of.show(shown, place.name, dry_run=dry_run))
    if refused:
        hint = "" if "`windlass " in taken["message"] else place.hint
        raise CommandFault(words_of.refusal(answer, place.name), next_=hint)
