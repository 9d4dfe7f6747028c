"""`windlass up`."""

import gc
from typing import Annotated

import typer

from services.cli.faults import CommandFault
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
    gc.disable()  # all that is loaded now stays; the program turns it on again when it is ready
    from services.embedded import app  # noqa: PLC0415 - half a second that no other command pays
    from shared.faults import Refused  # noqa: PLC0415

    given = {"data": data, "host": host, "port": port}
    try:
        app.up(**{name: value for name, value in given.items() if value is not None})
    except Refused as fault:
        raise CommandFault(str(fault)) from None
