"""What `windlass up` does."""

from pathlib import Path

from services.cli.faults import CommandFault
from services.cli.lean import load_leanly


def up(data: Path | None, host: str | None, port: int | None) -> None:
    """Run the embedded program until it is told to end, with what is given before what is found elsewhere."""
    load_leanly()
    from services.embedded import app  # noqa: PLC0415 - most of a second that no other command pays
    from shared.faults import Refused  # noqa: PLC0415

    given = {"data": data, "host": host, "port": port}
    try:
        app.up(**{name: value for name, value in given.items() if value is not None})
    except Refused as fault:
        raise CommandFault(str(fault)) from None
