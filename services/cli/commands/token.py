"""`windlass token`."""

import re
import sys
from typing import Annotated

import typer

from services.cli import settings
from services.cli.distributed import asked
from services.cli.output import Document
from services.cli.session import Session, served

NAME = re.compile(r"[A-Za-z0-9._@+-]{1,100}")
ALARM = re.compile(r"[A-Za-z0-9._:/-]{1,200}|\*")


def _plain(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("a name has 1 to 100 letters, digits and . _ @ + -, no spaces.")
    return name


def _alarm(alarm: str | None) -> str | None:
    if alarm is not None and not ALARM.fullmatch(alarm):
        raise typer.BadParameter("an alarm's name has 1 to 200 letters, digits and . _ - : /, no spaces.")
    return alarm


@served
def token(
    session: Session,
    name: Annotated[
        str, typer.Argument(callback=_plain, help="Whose it is: named as the actor of what is asked")
    ],
    alarm: Annotated[
        str | None,
        typer.Option(callback=_alarm, help="Good for nothing but to tell of this alarm; '*': of every alarm"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The token that NAME has is worth nothing from then on")
    ] = False,
) -> None:
    """Print a new token for the HTTP API; it is not shown again.

    \b
    Examples:
      windlass token bob
      WINDLASS_TOKEN="$(windlass token ann --replace)"
      windlass token grafana --alarm shop-5xx

    It asks the Windlass that runs, as its owner: `windlass up` keeps the owner's token in client.json in
    its data folder. With WINDLASS_DATABASE it asks the database itself, but for --alarm. Whoever is given
    a token here sets WINDLASS_TOKEN to it, and WINDLASS_URL to where Windlass runs. Only its hash is kept.
    """  # noqa: D301
    if alarm is None and settings.database_given():
        with asked() as chores:
            granted = chores.grant_token(name, replace=replace)
        session.answer({"name": name, "token": granted}, _show)
        return
    wanted = {"name": name, "alarm": alarm, "replace": replace}
    given = {key: value for key, value in wanted.items() if value}
    session.answer(session.api.post("/tokens", given), _show)


def _show(document: Document) -> None:
    print(document["token"])
    if document.get("stages") == []:
        print(f"windlass: no stage names alarm {document['alarm']} yet.", file=sys.stderr)
    elif document.get("stages"):
        print(f"windlass: it stops {', '.join(document['stages'])}.", file=sys.stderr)
