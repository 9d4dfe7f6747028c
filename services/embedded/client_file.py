"""`client.json` in the data folder: where this Windlass is and the token of its owner, for the CLI."""

import json
import os
import tempfile
from pathlib import Path

from shared.access import Access, new_token

CLIENT_FILE = "client.json"
OWNER = "owner"


async def write_client_file(folder: Path, url: str, access: Access, **others: str) -> None:
    """Keep the token if it is one, else make one; write it and the addresses only where they changed.

    `others` are those of services that do not answer under `url`.
    """
    file = folder / CLIENT_FILE
    known = _read(file)
    token = known.get("token", "")
    if await access.holder(token) is None:
        token = token or new_token()
        await access.grant(OWNER, token)
    wanted = {"url": url, "token": token, **others}
    if known != wanted:
        _write(file, wanted)
    file.chmod(0o600)


def _read(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)}


def _write(file: Path, content: dict[str, str]) -> None:
    """Replace the file as a whole; made with mode 0600 before anything is in it."""
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
