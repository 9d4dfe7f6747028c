"""Which run is meant: a person names it by how its id begins, as `windlass runs` lists it."""

import re
from typing import Annotated
from uuid import UUID

import typer

from services.cli.asking import Place
from services.cli.faults import CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.session import Session

LAST = "last"
LOOKED_AT_MAX = 200  # of the newest runs of a stage; an older one is named by its whole id

_BEGINNING = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{0,35}")


def _beginning(run: str | None) -> str | None:
    if run is not None and not _BEGINNING.fullmatch(run):
        raise typer.BadParameter("the id of a run, or how it begins, as `windlass runs` lists it.")
    return run


RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="ID", help="Which run, or how its id begins", callback=_beginning),
]


def run_of(session: Session, place: Place, named: str | None) -> str | None:
    """Return the whole id of the one run of a stage that is meant; None if none is named."""
    if named is None or _is_whole(named):
        return named
    path = route(*place.path, "runs")
    return only(session.api.get(path, limit=LOOKED_AT_MAX)["runs"], named, f"of the newest in {place.name}")


def only(runs: list[Document], named: str, which: str) -> str:
    """Return the id of the one run, of those given newest first, that is meant."""
    ids = [str(each["run"]) for each in runs]
    meant = ids[:1] if named == LAST else [id_ for id_ in ids if id_.startswith(named.lower())]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise CommandFault(f"{len(meant)} runs begin with {named!a}.", next_="Say more of its id.")
    message = f"No run {which} begins with {named!a}."
    raise CommandFault(message, next_="`windlass runs PIPELINE STAGE` lists them.")


def _is_whole(named: str) -> bool:
    try:
        return str(UUID(named)) == named.lower()
    except ValueError:
        return False
