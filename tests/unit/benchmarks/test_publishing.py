from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pictures import Picture
from benchmarks.publishing import Shelf, drift, publish, write_page
from benchmarks.record import Result, read_all, written
from benchmarks.suite import Effort
from tests.unit.benchmarks.results import of_all, of_burst, of_push, of_queries

PUSHED = of_push()


def drawn(picture: Picture) -> str:
    return f"<svg>{picture.title} {picture.mark}</svg>"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path)
    assert list(publish(of_all(), shelf, drawn)) == []
    return shelf


def names(shelf: Shelf) -> set[str]:
    return {file.name for file in shelf.results.iterdir()}


def test_what_was_published_does_not_drift(shelf: Shelf) -> None:
    assert list(drift(shelf)) == []
    assert {"push.json", "queries.json", "push-webhook-answered.svg", "queries-list-query.svg"} <= names(
        shelf
    )


def test_an_empty_shelf_holds_a_page_that_says_so(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert list(drift(shelf)) == ["benchmarks.md is out of date: run `make docs`"]
    write_page(shelf)
    assert list(drift(shelf)) == []


def edit_the_page(shelf: Shelf) -> None:
    shelf.page.write_text(shelf.page.read_text("utf-8").replace("met, by 26%", "met, by 96%"), "utf-8")


def change_a_figure(shelf: Shelf) -> None:
    moved = replace(PUSHED.series[0], rounds=((1.0,) * 9, (1.0,) * 9, (1.0,) * 9))
    put(shelf, replace(PUSHED, series=(moved, *PUSHED.series[1:])))


def put(shelf: Shelf, result: Result, name: str = "") -> None:
    (shelf.results / f"{name or result.suite}.json").write_text(written(result), "utf-8")


PAGE = "benchmarks.md is out of date: run `make docs`"
DRAWING = "push-webhook-answered.svg is not what the results give: run `make bench ARGS=--publish`"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(edit_the_page, [PAGE], id="the page was edited"),
        pytest.param(lambda shelf: shelf.page.unlink(), [PAGE], id="the page is gone"),
        pytest.param(change_a_figure, [PAGE, DRAWING], id="a figure was changed"),
        pytest.param(
            lambda shelf: (shelf.results / "push-webhook-answered.svg").unlink(),
            [DRAWING],
            id="a picture is gone",
        ),
        pytest.param(
            lambda shelf: (shelf.results / "old.svg").write_text("<svg/>"),
            ["old.svg is not what the results give: run `make bench ARGS=--publish`"],
            id="a picture is of nothing",
        ),
        pytest.param(
            lambda shelf: put(shelf, of_burst(), "start"),
            ["start.json is no full result of start: run `make bench-start` and publish it", PAGE],
            id="a result has the name of another",
        ),
        pytest.param(
            lambda shelf: put(shelf, replace(of_burst(), effort=Effort(rounds=3, brief=True))),
            ["burst.json is no full result of burst: run `make bench-burst` and publish it", PAGE],
            id="a brief look was put there by hand",
        ),
    ],
)  # fmt: skip
def test_what_does_not_say_what_the_results_say_is_named(
    shelf: Shelf, change: Callable[[Shelf], object], said: list[str]
) -> None:
    change(shelf)
    assert list(drift(shelf)) == said


def test_a_file_that_cannot_be_read_is_named(shelf: Shelf) -> None:
    (shelf.results / "push.json").write_text("{", encoding="utf-8")
    [words] = drift(shelf)
    assert words.startswith("push.json is not a result of a suite")


def test_a_brief_look_is_refused(shelf: Shelf) -> None:
    before = read_all(shelf.results)
    brief = replace(PUSHED, effort=Effort(rounds=2, brief=True))
    [refusal] = publish([brief], shelf, drawn)
    assert refusal == "push is not published: it was a brief look; measure it without --brief"
    assert read_all(shelf.results) == before


def test_what_could_not_be_measured_takes_no_figures_place(shelf: Shelf) -> None:
    nothing = replace(PUSHED, series=(), taken=(), unavailable="Buildbot is missing")
    [refusal] = publish([nothing], shelf, drawn)
    assert "there are figures: Buildbot is missing" in refusal
    assert PUSHED in read_all(shelf.results)


def test_figures_take_the_place_of_none(shelf: Shelf) -> None:
    now = replace(of_queries(), suite="distributed")
    assert list(publish([now], shelf, drawn)) == []
    assert now in read_all(shelf.results)
    assert list(drift(shelf)) == []


def test_pictures_that_no_result_gives_any_more_are_removed(shelf: Shelf) -> None:
    (shelf.results / "push.json").unlink()
    assert list(publish([], shelf, drawn)) == []
    assert {name for name in names(shelf) if name.endswith(".svg")} == {"queries-list-query.svg"}
    assert list(drift(shelf)) == []
