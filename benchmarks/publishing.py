"""What is kept beside the code: results, pictures and the page; and whether they belong together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pictures import Picture, pictures
from benchmarks.record import Result, Unreadable, read, read_all, written
from benchmarks.report import page

Draw = Callable[[Picture], str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder of documents."""

    docs: Path

    @property
    def page(self) -> Path:
        """Return the page's file."""
        return self.docs / "benchmarks.md"

    @property
    def results(self) -> Path:
        """Return where results lie, each beside its pictures."""
        return self.docs / "benchmarks"


def publish(results: Sequence[Result], shelf: Shelf, draw: Draw) -> Iterator[str]:
    """Put results on the shelf, draw every picture anew, write the page; yield what was not taken, and why.

    With no results, what lies there is drawn and written anew.
    """
    shelf.results.mkdir(parents=True, exist_ok=True)
    for result in results:
        file = shelf.results / f"{result.suite}.json"
        if refusal := _refusal(result, file):
            yield f"{result.suite} is not published: {refusal}"
        else:
            file.write_text(written(result), encoding="utf-8")
    published = read_all(shelf.results)
    wanted = {_drawing(shelf, picture): picture for result in published for picture in pictures(result)}
    for stray in set(shelf.results.glob("*.svg")) - set(wanted):
        stray.unlink()
    for file, picture in wanted.items():
        file.write_text(draw(picture), encoding="utf-8")
    write_page(shelf)


def _refusal(result: Result, published: Path) -> str:
    """Say why a result may not be published; empty if it may."""
    if result.effort.brief:
        return "it was a brief look; measure it without --brief"
    if result.unavailable and _has_figures(published):
        return f"nothing was measured, and there are figures: {result.unavailable}"
    return ""


def _has_figures(file: Path) -> bool:
    return file.is_file() and bool(read(file.read_text(encoding="utf-8"), file.name).series)


def write_page(shelf: Shelf) -> None:
    """Write the page from the results on the shelf."""
    shelf.page.write_text(page(read_all(shelf.results)), encoding="utf-8")


def drift(shelf: Shelf) -> Iterator[str]:
    """Yield what does not say what the results on the shelf say, and the way out."""
    try:
        published = read_all(shelf.results)
    except Unreadable as problem:
        yield f"{problem}"
        return
    for result, file in zip(published, sorted(shelf.results.glob("*.json")), strict=True):
        if file.stem != result.suite or result.effort.brief:
            yield f"{file.name} is no full result of {file.stem}: run `make bench-{file.stem}` and publish it"
    if not shelf.page.is_file() or shelf.page.read_text(encoding="utf-8") != page(published):
        yield f"{shelf.page.name} is out of date: run `make docs`"
    wanted = {_drawing(shelf, picture): picture for result in published for picture in pictures(result)}
    for file in sorted({*wanted, *shelf.results.glob("*.svg")}):
        if file not in wanted or not file.is_file() or wanted[file].mark not in file.read_text("utf-8"):
            yield f"{file.name} is not what the results give: run `make bench ARGS=--publish`"


def _drawing(shelf: Shelf, picture: Picture) -> Path:
    return shelf.results / f"{picture.name}.svg"
