"""Pushes that led to nothing at all, for whoever waits for a first deployment and sees none."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from services.cli.faults import CommandFault
from services.cli.output import Document, harmless

if TYPE_CHECKING:
    from services.cli.api import Api

REPOSITORIES_MAX = 10  # that are asked about


def newest(api: "Api") -> list[Document]:
    """Return the newest push of each repository, where it was refused as a whole."""
    try:
        repositories = api.get("/repositories")["repositories"]
    except CommandFault:  # ingest is elsewhere, and nobody asked about it
        return []
    names = [each["name"] for each in repositories[:REPOSITORIES_MAX]]
    found = [push for name in names for push in api.get("/pushes", repository=name, limit=1)["pushes"]]
    return [push for push in found if push["refused_code"]]


def told(pushes: Sequence[Document]) -> Iterator[str]:
    """Yield what to say of them."""
    for push in pushes:
        yield harmless(f"The newest push of {push['repository']} was refused: {push['refused_message']}")
