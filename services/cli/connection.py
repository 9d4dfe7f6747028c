"""Which Windlass a command speaks to, and with which token."""

import json
from dataclasses import dataclass
from pathlib import Path

from services.cli import settings
from services.cli.faults import UNREACHABLE, CommandFault

CLIENT_FILE = "client.json"
START_IT = "Start it with `windlass up`, or say where it runs with --url and WINDLASS_TOKEN."
HAVE_ONE_PRINTED = (
    "Set WINDLASS_TOKEN: `windlass token NAME` prints one, and `windlass up` keeps one in its data folder."
)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where, and as whom."""

    url: str
    token: str
    ingest_url: str  # where repositories and deployments are asked for: most often the same


def find(data: Path | None, url: str | None) -> Connection:
    """Return what the options and the environment say, else what `windlass up` left in the data folder."""
    token = settings.token_given()
    if url and token:
        return Connection(url.rstrip("/"), token, settings.ingest_url_beside(url).rstrip("/"))
    folder = data or settings.usual_data_folder()
    known = _client_file(folder / CLIENT_FILE)
    if not url and not known.get("url"):
        raise CommandFault(f"No Windlass has run in {folder}.", next_=START_IT, code=UNREACHABLE)
    where = (url or known["url"]).rstrip("/")
    # The folder's token is for the Windlass that wrote it: nobody else gets to see it.
    if where != known.get("url", "").rstrip("/"):
        known = {}
    token = token or known.get("token", "")
    if not token:
        raise CommandFault(f"There is no token for {where}.", next_=HAVE_ONE_PRINTED)
    return Connection(where, token, known.get("ingest_url", where).rstrip("/"))


def _client_file(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise CommandFault(
            f"{file} belongs to somebody else.",
            next_="Run this as the user who runs `windlass up`, or give --url and WINDLASS_TOKEN.",
        ) from None
    except (OSError, ValueError) as error:
        raise CommandFault(f"{file} cannot be read: {error}.", next_=START_IT) from None
    if not isinstance(known, dict):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)}
