"""What `windlass validate` does."""

import sys
from collections.abc import Sequence
from pathlib import Path

from services.cli import output, settings
from services.cli.checking import checked
from services.cli.faults import FAILED, MISUSED, CommandFault
from services.cli.report.checked_file import CheckedFile


def validate(paths: Sequence[Path], *, as_json: bool, as_sarif: bool, strict: bool) -> int:
    """Print the report on the pipeline files that the paths mean, and return the exit code."""
    if as_json and as_sarif:
        raise CommandFault("Say one of --json and --sarif.", code=MISUSED)
    files = checked(paths or [Path()])
    if as_json:
        _print_json(files, strict=strict)
    elif as_sarif:
        _print_sarif(files)
    else:
        _print_text(files, strict=strict)
    return 0 if all(file.is_valid(strict=strict) for file in files) else FAILED


def _print_json(files: Sequence[CheckedFile], *, strict: bool) -> None:
    from services.cli.report.document import document  # noqa: PLC0415 - one form is wanted, not three

    output.json_document(document(files, strict=strict))


def _print_sarif(files: Sequence[CheckedFile]) -> None:
    from importlib.metadata import version  # noqa: PLC0415

    from services.cli.report.sarif import log  # noqa: PLC0415
    from shared.language.problem import RULES  # noqa: PLC0415

    output.json_document(log(files, {str(rule): said for rule, said in RULES.items()}, version("windlass")))


def _print_text(files: Sequence[CheckedFile], *, strict: bool) -> None:
    from services.cli.report.text import COLOURS, PLAIN, rendered  # noqa: PLC0415

    palette = COLOURS if settings.colours_wanted(sys.stdout) else PLAIN
    print("\n".join(rendered(files, palette, strict=strict)), flush=True)
