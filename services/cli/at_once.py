"""Commands that must be there in a blink, begun without the library that reads command lines.

A pre-commit hook runs `validate` on each commit, and a crashed `up` is waited for by everyone; Typer would
take some twenty milliseconds of the one's 300, and fifty of the other's thousand. So what is said plainly is
read here; whatever else is said (`--help`, a mistake) goes the usual way, which knows all about it. Both end
in the same function.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from services.cli.loading import loading

PORT_MAX = 65_535
FLAGS = {"--json": "as_json", "--sarif": "as_sarif", "--strict": "strict"}  # of `validate`


def exit_code(words: Sequence[str]) -> int | None:
    """Run what the words ask for, and return the exit code; None if they are to be read the usual way."""
    if words[:1] == ["validate"]:
        return _validate(words[1:])
    if words[:1] == ["up"]:
        return _up(words[1:])
    return None


def _validate(words: Sequence[str]) -> int | None:
    flags = [word for word in words if word.startswith("-")]
    if not all(flag in FLAGS for flag in flags):
        return None
    with loading():
        from services.cli.validation import validate  # noqa: PLC0415 - not for other commands
    paths = [Path(word) for word in words if not word.startswith("-")]
    asked = {name: flag in flags for flag, name in FLAGS.items()}
    return validate(paths, **asked)


def _up(words: Sequence[str]) -> int | None:
    given = options(words, ("--data", "--host", "--port"))
    if given is None:
        return None
    port = given.get("--port")
    if port is not None and not _is_port(port):
        return None
    from services.cli.starting import up  # noqa: PLC0415 - not for other commands

    data = given.get("--data")
    up(None if data is None else Path(data), given.get("--host"), None if port is None else int(port))
    return 0


def _is_port(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= len(str(PORT_MAX)) and int(word) <= PORT_MAX


def options(words: Sequence[str], names: Sequence[str]) -> Mapping[str, str] | None:
    """Return the options, if the words are nothing but `--name value`, each name at most once."""
    given = dict(zip(words[::2], words[1::2], strict=False))
    plain = len(words) == 2 * len(given) and all(value and value[0] != "-" for value in given.values())
    return given if plain and given.keys() <= set(names) else None
