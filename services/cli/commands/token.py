"""`windlass token`."""

import re
from typing import Annotated

import typer

from services.cli.distributed import asked

NAME = re.compile(r"[A-Za-z0-9._@+-]{1,100}")


def _plain(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("a name has 1 to 100 letters, digits and . _ @ + -, no spaces.")
    return name


def token(
    name: Annotated[
        str, typer.Argument(callback=_plain, help="Whose it is: named as the actor of what is asked")
    ],
) -> None:
    """Print a new token for the HTTP API; it is not shown again.

    \b
    Examples:
      WINDLASS_TOKEN="$(windlass token ann)"

    It needs WINDLASS_DATABASE. A token that NAME had before is worth nothing from then on. Only its hash is
    kept. (`windlass up` makes one itself, in client.json in its data folder.)
    """  # noqa: D301
    with asked() as chores:
        granted = chores.grant_token(name)
    print(granted)
