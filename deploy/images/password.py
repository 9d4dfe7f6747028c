"""`python -m deploy.images.password`: makes the database's password once, at the first start of all.

So there is none in `compose.yaml` that everybody knows, and nothing to be thought of before
`docker compose up`. PostgreSQL's image reads `postgres-password`, which its user may read through the
group; our services read `pgpass`, libpq's own form, which the driver takes only if nobody else may.
"""

import os
import sys
from pathlib import Path

from deploy.images.settings import ImageSettings
from shared.access import new_token

PASSWORD_FILE = "postgres-password"  # noqa: S105 - a file's name
PGPASS_FILE = "pgpass"
PASSWORD_CHARACTERS_MIN = 20
FOLDER_MODE = 0o750  # the group's members may come in: the database's user is one


def ensure(folder: Path) -> bool:
    """Make what is missing and tell whether there was no password before; safe to repeat and to interrupt.

    A password that is there is never replaced: the database knows no other.
    """
    folder.chmod(FOLDER_MODE)
    password = _read(folder / PASSWORD_FILE)
    made = not password
    if made:
        password = new_token()
        _replace(folder / PASSWORD_FILE, password, 0o440)
    _replace(folder / PGPASS_FILE, f"*:*:windlass:windlass:{password}\n", 0o600)
    return made


def _read(file: Path) -> str:
    try:
        password = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    if len(password) < PASSWORD_CHARACTERS_MIN or ":" in password or "\\" in password:
        raise SystemExit(f"{file} holds no password that was made here; remove it, or mend it.")
    return password


def _replace(file: Path, content: str, mode: int) -> None:
    """Put the content under the name as a whole, durably, and never readable for others."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(content)
        stream.flush()
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)


def main() -> int:
    """Say what was done, without the password."""
    folder = ImageSettings.read().secrets
    made = ensure(folder)
    print(f"the database's password: {'made' if made else 'there already'}, in {folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
