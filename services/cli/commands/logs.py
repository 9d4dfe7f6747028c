"""`windlass logs`."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from services.cli import output
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

GREY = "\x1b[2m"
PLAIN = "\x1b[0m"


@served
def logs(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    revision: Annotated[int | None, typer.Argument(help="Which revision  [usual: the newest]")] = None,
    stage: Annotated[str | None, typer.Option(help="Only of this stage")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the revision is over")] = False,
) -> None:
    """Print what builds and steps printed, in the order it came.

    \b
    Examples:
      windlass logs shop
      windlass logs shop 12 --stage staging
      windlass logs shop --follow

    With --json, one line of JSON for each line of output.
    """  # noqa: D301
    if revision is None:
        revision = _newest(session, pipeline)
    path = route("pipelines", pipeline, "revisions", revision, "logs")
    chunks = _followed(session, path, stage) if follow else _pages(session, path, stage)
    for chunk in chunks:
        _show(session, chunk)


def _newest(session: Session, pipeline: str) -> int:
    newest: int | None = session.api.get(route("pipelines", pipeline))["newest_revision"]
    if newest is None:
        message = f"{pipeline} has no revision yet."
        raise CommandFault(message, next_=f"`windlass status {pipeline}` tells what became of its pushes.")
    return newest


def _pages(session: Session, path: str, stage: str | None) -> Iterator[Document]:
    api, cursor = session.api, 0
    while True:
        page = api.get(path, stage=stage, cursor=cursor)
        yield from page["chunks"]
        if page["next"] == cursor:
            return
        cursor = page["next"]


def _followed(session: Session, path: str, stage: str | None) -> Iterator[Document]:
    for name, data in session.api.stream(path, stage=stage, follow="true"):
        if name == "lines":
            yield data


def _show(session: Session, chunk: Document) -> None:
    where = "/".join(part for part in (chunk["stage"] or "build", chunk["what"]) if part)
    on_terminal = sys.stdout.isatty()
    for line in chunk["lines"]:
        if session.as_json:
            about = {name: chunk[name] for name in ("log", "stage", "what")}
            output.json_line({**about, **line})
        elif on_terminal:
            print(f"{GREY}{output.harmless(where)} |{PLAIN} {output.harmless(line['text'])}")
        else:
            print(f"{output.harmless(where)} | {output.harmless(line['text'])}")
    sys.stdout.flush()
