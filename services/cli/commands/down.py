"""`windlass down`."""

from services.cli import output
from services.cli.connection import START_IT
from services.cli.faults import UNREACHABLE, CommandFault
from services.cli.session import Data
from services.cli.settings import usual_data_folder


def down(data: Data = None) -> None:
    """End what local stages serve on this machine, once `windlass up` or `windlass serve` has ended.

    \b
    Examples:
      windlass down
      windlass down --data ./windlass-data

    Releases outlive the processes that deployed them, so that a restart interrupts nobody: `windlass up`, and
    `windlass serve deployer`. Once none of those runs on the folder, this ends what they serve and frees its
    ports; the next start brings back what was live.
    """  # noqa: D301 - \b keeps the examples' lines apart
    from services.embedded import app  # noqa: PLC0415 - half a second that no other command pays
    from shared.faults import Refused  # noqa: PLC0415
    from shared.residence import LOCK_FILE  # noqa: PLC0415

    folder = data or usual_data_folder()
    if not (folder / LOCK_FILE).is_file():
        raise CommandFault(f"No Windlass has run in {folder}.", next_=START_IT, code=UNREACHABLE)
    try:
        app.down(data=folder)
    except Refused as fault:
        raise CommandFault(str(fault)) from None
    output.say("Nothing of this Windlass runs any more; its next start brings back what was live.")
