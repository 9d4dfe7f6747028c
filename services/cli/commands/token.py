"""`windlass token`."""

import re
from typing import Annotated

import typer

from services.cli.distributed import asked
from services.cli.output import Document
from services.cli.session import Session, served

NAME = re.compile(r"[A-Za-z0-9._@+-]{1,100}")


def _plain(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("a name has 1 to 100 letters, digits and . _ @ + -, no spaces.")
    return name


@served
def token(
    session: Session,
    name: Annotated[
        str, typer.Argument(callback=_plain, help="Whose it is: named as the actor of what is asked")
    ],
    alarm: Annotated[
        str | None, typer.Option(help="Good for nothing but to tell of this alarm; '*': of every alarm")
    ] = None,
) -> None:
    """Print a new token for the HTTP API; it is not shown again.

    \b
    Examples:
      WINDLASS_TOKEN="$(windlass token ann)"
      windlass token grafana --alarm shop-5xx

    It needs WINDLASS_DATABASE; with --alarm it asks a Windlass that runs instead. A token that NAME had
    before is worth nothing from then on, but --alarm takes none for everything away. Only its hash is kept.
    (`windlass up` makes one itself, in client.json in its data folder.)
    """  # noqa: D301
    if alarm is not None:
        session.answer(session.api.post("/tokens", {"name": name, "alarm": alarm}), _show)
        return
    with asked() as chores:
        granted = chores.grant_token(name)
    session.answer({"name": name, "token": granted}, _show)


def _show(document: Document) -> None:
    print(document["token"])
