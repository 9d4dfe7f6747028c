"""Commands that must be there in a blink, begun without the library that reads command lines.

A pre-commit hook runs `validate` on each commit, and Typer would take some twenty milliseconds of its 300.
So plain paths and whole flags are read here; whatever else is said (`--help`, a mistake) goes the usual way,
which knows all about it. Both end in the same function.
"""

from collections.abc import Sequence
from pathlib import Path

from services.cli.loading import loading

FLAGS = {"--json": "as_json", "--sarif": "as_sarif", "--strict": "strict"}  # of `validate`


def exit_code(words: Sequence[str]) -> int | None:
    """Run what the words ask for, and return the exit code; None if they are to be read the usual way."""
    if words[:1] != ["validate"]:
        return None
    flags = [word for word in words[1:] if word.startswith("-")]
    if not all(flag in FLAGS for flag in flags):
        return None
    with loading():
        from services.cli.validation import validate  # noqa: PLC0415 - not for other commands
    paths = [Path(word) for word in words[1:] if not word.startswith("-")]
    asked = {name: flag in flags for flag, name in FLAGS.items()}
    return validate(paths, **asked)
