"""`windlass migrate`."""

from services.cli import output
from services.cli.distributed import asked


def migrate() -> None:
    """Make or renew the tables of the PostgreSQL database, before its services start.

    \b
    Examples:
      WINDLASS_DATABASE=postgresql://windlass:secret@db/windlass windlass migrate

    Safe to repeat, and for several at once. Services that are running go on; those that need the new
    tables wait for them.
    """  # noqa: D301 - \b keeps the examples' lines apart
    with asked() as chores:
        settings = chores.database_settings()
        output.say("Bringing the database up to date ...")
        applied = chores.migrate(settings)
    if applied:
        output.say(f"Done: applied {', '.join(applied)}.")
    else:
        output.say("Nothing to do: the schema is the newest that this release knows.")
