"""`windlass up`."""

from typing import Annotated

import typer

from services.cli import starting
from services.cli.session import Data


def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on  [usual: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on, 0 for any  [usual: 8400]")
    ] = None,
) -> None:
    """Start Windlass here: every service in one process, until Ctrl-C.

    \b
    Examples:
      windlass up
      windlass up --data ./windlass-data --port 9000

    The first start makes a token, kept in client.json in the data folder, readable by its owner only.
    """  # noqa: D301 - \b keeps the examples' lines apart
    starting.up(data, host, port)
