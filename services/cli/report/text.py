"""The report for people: each problem where it stands, and one line of summary."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.cli.output import harmless
from services.cli.report.checked_file import CheckedFile, is_unsupported
from services.cli.report.excerpt import excerpt
from shared.plan import Problem

NAMES_SHOWN_MAX = 20


class Palette(NamedTuple):
    """What to write before and after a word to colour it."""

    error: str = ""
    warning: str = ""
    place: str = ""
    quiet: str = ""
    end: str = ""


PLAIN = Palette()
COLOURS = Palette("\x1b[1;31m", "\x1b[1;33m", "\x1b[1m", "\x1b[2m", "\x1b[0m")


def rendered(files: Sequence[CheckedFile], palette: Palette, *, strict: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    for file in files:
        lines = file.lines()
        for problem in file.problems:
            if not is_unsupported(problem):
                yield from _problem(file, problem, lines, palette)
                yield ""
        yield from _folded(file, palette)
    yield summary(files, strict=strict)


def _problem(file: CheckedFile, problem: Problem, lines: Sequence[str], palette: Palette) -> Iterator[str]:
    where = harmless(file.shown)
    if problem.line:
        where = f"{where}:{problem.line}:{problem.column}"
    colour = palette.error if problem.severity == "error" else palette.warning
    kind = f"{problem.severity}[{problem.rule}]" if problem.rule else problem.severity
    yield (
        f"{palette.place}{where}:{palette.end} {colour}{harmless(kind)}:{palette.end} "
        f"{harmless(problem.message)}"
    )
    if 1 <= problem.line <= len(lines):
        found = excerpt(lines[problem.line - 1], problem.column, problem.text)
        gutter = " " * len(str(problem.line))
        quiet, end = palette.quiet, palette.end
        yield f"  {quiet}{problem.line} |{end} {found.line}".rstrip()
        yield f"  {quiet}{gutter} |{end} {colour}{found.carets}{end}"
    if problem.hint:
        yield f"  {palette.quiet}hint:{palette.end} {harmless(problem.hint)}"


def _folded(file: CheckedFile, palette: Palette) -> Iterator[str]:
    """Yield what a push of a file that is right would be refused for, a line each: no excerpts of so many."""
    found = [problem for problem in file.problems if is_unsupported(problem)]
    if not found:
        return
    yield (
        f"{palette.place}{harmless(file.shown)}:{palette.end} {palette.warning}warning[unsupported]:"
        f"{palette.end} this release can plan the following and cannot carry it out: a push is refused"
    )
    places = [f"{problem.line}:{problem.column}" for problem in found]
    width = max(map(len, places))
    for place, problem in zip(places, found, strict=True):
        yield f"  {palette.quiet}{place:>{width}} |{palette.end} {harmless(problem.message)}"
    yield ""


def summary(files: Sequence[CheckedFile], *, strict: bool) -> str:
    """Return what it comes to, in one line."""
    errors = sum(file.count("error") for file in files)
    warnings = sum(file.count("warning") for file in files)
    if not errors and not (strict and warnings):
        return _valid(files, warnings)
    parts = [_counted(errors, "problem")] if errors else []
    parts += [_counted(warnings, "warning")] if warnings else []
    told_of = sum(bool(file.problems) for file in files)
    ending = "" if errors else ", and --strict takes none"
    return f"{' and '.join(parts)} in {_counted(told_of, 'file')}{ending}"


def _valid(files: Sequence[CheckedFile], warnings: int) -> str:
    """Return that files are valid, and apart from that what a push of them is refused for all the same."""
    undone = [file for file in files if file.unsupported]
    reasons = sum(file.unsupported for file in undone)
    others = warnings - reasons
    told = f" ({_counted(others, 'warning')})" if others else ""
    verb = "is" if len(files) == 1 else "are"
    valid = f"{_counted(len(files), 'file')} {verb} valid: {_names(files)}{told}"
    what = "it" if len(files) == 1 else _names(undone)
    refused = f"a push of {what} is refused by this release, for {_counted(reasons, 'reason')}"
    return f"{valid}; {refused}" if undone else valid


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _names(files: Sequence[CheckedFile]) -> str:
    shown = [harmless(file.pipeline or file.shown) for file in files[:NAMES_SHOWN_MAX]]
    return ", ".join([*shown, "…"] if len(files) > NAMES_SHOWN_MAX else shown)
