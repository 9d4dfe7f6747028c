"""`windlass shipped`."""

import re
from typing import Annotated

import typer

from services.cli import operation_words, output
from services.cli.asking import Pipeline
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

SHA = re.compile(r"[0-9A-Fa-f]{7,64}")


def _plain(commit: str) -> str:
    if not SHA.fullmatch(commit):
        raise typer.BadParameter("a commit id, of which 7 characters are enough.")
    return commit


@served
def shipped(
    session: Session,
    pipeline: Pipeline,
    commit: Annotated[str, typer.Argument(callback=_plain, help="Its id; 7 characters are enough")],
) -> None:
    """Say which deployment shipped a commit to each stage; also one that a newer revision overtook.

    \b
    Example:
      windlass shipped shop "$(git rev-parse HEAD)"
    """  # noqa: D301
    session.answer(session.api.get(route("pipelines", pipeline, "commits", commit)), _show)


def _show(found: Document) -> None:
    for line in operation_words.shipped(found):
        output.say(line)
