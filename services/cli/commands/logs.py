"""`windlass logs`."""

import re
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from services.cli import output, words
from services.cli.diagnosis_report import FAILED
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.run_meant import RunOption, only
from services.cli.session import Session, served

ATTEMPT = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.+/[0-9]+"
)  # the log of one: run, step, number
GREY = "\x1b[2m"
PLAIN = "\x1b[0m"


@served
def logs(
    session: Session,
    pipeline: Annotated[str, typer.Argument(help="Which pipeline")],
    revision: Annotated[int | None, typer.Argument(help="Which revision  [usual: the newest]")] = None,
    stage: Annotated[str | None, typer.Option(help="Only of this stage")] = None,
    run: RunOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the revision is over")] = False,
) -> None:
    """Print what builds and steps printed, in the order it came: of all runs of a revision, or of one.

    \b
    Examples:
      windlass logs shop
      windlass logs shop 12 --stage staging
      windlass logs shop 12 --run 3f2a91c4
      windlass logs shop --follow

    With --json, one line of JSON for each line of output.
    """  # noqa: D301
    if revision is None:
        revision = _newest(session, pipeline)
    path = route("pipelines", pipeline, "revisions", revision, "logs")
    wanted = _run_of(session, pipeline, revision, run) if run else ""
    chunks = _followed(session, path, stage) if follow else _pages(session, path, stage)
    begun: set[str] = set()
    for chunk in chunks:
        if not wanted or chunk["log"].startswith(f"{wanted}/"):
            _show(session, chunk, begun)
    if follow and not session.as_json:
        _show_failed(session, pipeline, revision)


def _show_failed(session: Session, pipeline: str, revision: int) -> None:
    """Say beside the output where the revision failed, and what tells why."""
    runs = session.api.get(route("pipelines", pipeline, "revisions", revision))["runs"]
    for each in runs:
        if each["state"] in FAILED:
            hint = (
                f"`windlass diagnose {pipeline} {each['stage']} --run {each['run'][: words.ID_CHARACTERS]}`"
            )
            said = f"revision {revision} {each['state']} in {each['stage']}: {hint} tells why"
            print(output.harmless(f"windlass: {said}"), file=sys.stderr)


def _run_of(session: Session, pipeline: str, revision: int, named: str) -> str:
    runs = session.api.get(route("pipelines", pipeline, "revisions", revision))["runs"]
    return only(runs, named, f"of revision {revision}")


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


def _heading(log: str, where: str) -> str:
    """Return what stands above the output of an attempt of a step; empty for a build's."""
    if not ATTEMPT.fullmatch(log):
        return ""
    attempt = log.rpartition("/")[2]
    return f"== {where}, run {log[: words.ID_CHARACTERS]}, attempt {attempt}"


def _show(session: Session, chunk: Document, begun: set[str]) -> None:
    """Print lines, below a heading if they are the first of their attempt: `begun` has those."""
    where = "/".join(part for part in (chunk["stage"] or "build", chunk["what"]) if part)
    on_terminal = sys.stdout.isatty()
    heading = "" if session.as_json or chunk["log"] in begun else _heading(chunk["log"], where)
    begun.add(chunk["log"])
    if heading:
        print(output.harmless(heading))
    for line in chunk["lines"]:
        if session.as_json:
            about = {name: chunk[name] for name in ("log", "stage", "what")}
            output.json_line({**about, **line})
        elif on_terminal:
            print(f"{GREY}{output.harmless(where)} |{PLAIN} {output.harmless(line['text'])}")
        else:
            print(f"{output.harmless(where)} | {output.harmless(line['text'])}")
    sys.stdout.flush()
