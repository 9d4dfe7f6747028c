"""From paths to files with what is wrong with them. Loads the language, and is itself loaded only when asked.

What is known of the installation, which secrets it has for instance, is a fact that `checked` would be given.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.cli import working_copy
from services.cli.faults import MISUSED, CommandFault
from services.cli.pipeline_files import FoundFile, Search, dialect_of
from services.cli.report.checked_file import CheckedFile
from shared.clock import SystemClock
from shared.language.check import Given, check
from shared.language.problem import WHOLE_FILE, Problems
from shared.language.source_map import SOURCE_BYTES_MAX
from shared.plan import Problem


def checked(paths: Iterable[Path]) -> Sequence[CheckedFile]:
    """Return every file that the paths mean, looked at."""
    try:
        here = Path.cwd()
    except OSError:
        raise CommandFault("The current folder is gone.", next_="Go to another.", code=MISUSED) from None
    return [_checked(file, here) for file in Search().find(paths)]


def _checked(file: FoundFile, here: Path) -> CheckedFile:
    source, problems = _looked_at(file) if file.readable else (b"", ())
    return CheckedFile(file.path, _shown(file, here), file.pipeline, source, (*file.problems, *problems))


def _looked_at(file: FoundFile) -> tuple[bytes, Sequence[Problem]]:
    name = file.path.encode("utf-8", "backslashreplace").decode()
    try:
        source = working_copy.read(file.place, SOURCE_BYTES_MAX, follow=not file.is_placed)
    except working_copy.Unreadable as error:
        problems = Problems(name)
        problems.add(WHOLE_FILE, str(error), rule="location")
        return b"", problems.listed()
    given = Given(
        dialect=dialect_of(file.path),
        entries=working_copy.Tree(file.root) if file.root else None,
        today=SystemClock().now().date(),
    )
    return source, check(name, source, given).problems


def _shown(file: FoundFile, here: Path) -> str:
    """Return its path from here, if here and it are in one repository."""
    near = (file.root and here.is_relative_to(file.root)) or file.place.is_relative_to(here)
    return os.path.relpath(file.place, here) if near else str(file.place)
