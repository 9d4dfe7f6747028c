"""What the environment tells the command line."""

import os
from pathlib import Path

TOKEN_VARIABLE = "WINDLASS_TOKEN"  # noqa: S105 - the variable's name
URL_VARIABLE = "WINDLASS_URL"
DATA_VARIABLE = "WINDLASS_DATA"


def token_given() -> str:
    """Return the token that the environment gives, or the empty string."""
    return os.environ.get(TOKEN_VARIABLE, "")


def usual_data_folder() -> Path:
    """Return where `windlass up` keeps its data unless told otherwise."""
    return Path.home() / ".windlass"
