"""`windlass pushes`."""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output, push_words
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session, served

if TYPE_CHECKING:
    from services.cli.api import Api

LIMIT_MAX = 200
PAGES_MAX = 5  # looked through for pushes that concern one pipeline
REPOSITORIES_MAX = 50  # that are asked about

NOTHING = "No push has arrived yet. `windlass repo list` shows where pushes are taken from."


@served
def pushes(
    session: Session,
    pipeline: Annotated[str | None, typer.Argument(help="Only what this one made of them")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many at most")] = 10,
) -> None:
    """Show what came of each push, the newest first: a revision, a reason to skip it, problems, a refusal.

    \b
    Examples:
      windlass pushes
      windlass pushes shop --limit 3
      windlass pushes shop --json
    """  # noqa: D301
    api = session.api
    names = _repositories(api) if pipeline is None else [api.get(route("pipelines", pipeline))["repository"]]
    found = [push for name in names for push in _newest(api, name, pipeline, limit)]
    if len(names) > 1:
        found.sort(key=lambda push: datetime.fromisoformat(push["received_at"]), reverse=True)
    document = {"pushes": found[:limit]}
    session.answer(document, lambda shown: _show(shown, pipeline))


def _repositories(api: "Api") -> list[str]:
    """Return the names of all that are known of: what is registered, and what was deployed from."""
    names = [each["repository"] for each in api.get("/pipelines")["pipelines"]]
    with suppress(CommandFault):  # ingest has an address of its own, and we were not told it
        names += [each["name"] for each in api.get("/repositories")["repositories"]]
    return list(dict.fromkeys(names))[:REPOSITORIES_MAX]


def _newest(api: "Api", repository: str, pipeline: str | None, limit: int) -> list[Document]:
    """Return the newest pushes that concern the pipeline, as far as they are found within some pages."""
    found: list[Document] = []
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = api.get("/pushes", repository=repository, limit=limit, cursor=cursor)
        found += [push for push in page["pushes"] if _concerns(push, pipeline)]
        cursor = page["next"]
        if cursor is None or len(found) >= limit:
            break
    return found[:limit]


def _concerns(push: Document, pipeline: str | None) -> bool:
    if pipeline is None or any(each["pipeline"] == pipeline for each in push["decisions"]):
        return True
    return not push["decisions"] and push["pipeline"] in {None, pipeline}


def _show(document: Document, pipeline: str | None) -> None:
    for line in push_words.told(document["pushes"], pipeline):
        print(line)
    if not document["pushes"]:
        output.say(NOTHING)
