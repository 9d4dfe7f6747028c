"""What the environment tells the command line, and what the command line tells libraries by it."""

import os
import tomllib
from pathlib import Path
from typing import TextIO

TOKEN_VARIABLE = "WINDLASS_TOKEN"  # noqa: S105 - the variable's name
URL_VARIABLE = "WINDLASS_URL"
INGEST_URL_VARIABLE = "WINDLASS_INGEST_URL"
DATA_VARIABLE = "WINDLASS_DATA"
DATABASE_VARIABLE = "WINDLASS_DATABASE"
SETTINGS_FILE = Path("windlass.toml")  # in the working directory


def without_plugins() -> None:
    """Have pydantic not look through all that is installed for plugins, unless somebody wants that."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def token_given() -> str:
    """Return the token that the environment gives, or the empty string."""
    return os.environ.get(TOKEN_VARIABLE, "")


def ingest_url_beside(url: str) -> str:
    """Return where what ingest serves is, if that is another address than `url`, which the rest has.

    The two belong together: an address named on the command line is meant for everything.
    """
    ours = os.environ.get(URL_VARIABLE) == url
    return (os.environ.get(INGEST_URL_VARIABLE, "") if ours else "") or url


def database_given() -> bool:
    """Tell whether the environment or the settings file names a database of an installation."""
    if os.environ.get(DATABASE_VARIABLE):
        return True
    try:
        return "database" in tomllib.loads(SETTINGS_FILE.read_text("utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # whoever reads it for good says what is wrong with it


def usual_data_folder() -> Path:
    """Return where `windlass up` keeps its data unless told otherwise."""
    return Path.home() / ".windlass"


def colours_wanted(stream: TextIO) -> bool:
    """Tell whether colours are wanted there: on a terminal that has them, unless NO_COLOR is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def git_environment() -> dict[str, str]:
    """Return the environment for git, without what a hook that started us was told about its repository."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_CONFIG_", "GIT_EXEC_PATH"))
    }
