"""A stranger's line, and carets where they belong."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.report.excerpt import WIDTH_MAX, Excerpt, excerpt


@pytest.mark.parametrize(
    ("line", "column", "text", "shown", "carets"),
    [
        pytest.param("name: shop", 1, "name", "name: shop", "^^^^", id="a word"),
        pytest.param("name: shop", 7, "shop", "name: shop", "      ^^^^", id="the last word"),
        pytest.param("name: shop", 7, "", "name: shop", "      ^", id="no text"),
        pytest.param("name: shop", 7, "other", "name: shop", "      ^", id="another text"),
        pytest.param("name:", 6, "", "name:", "     ^", id="behind the end"),
        pytest.param("name:", 600, "", "name:", "     ^", id="far behind the end"),
        pytest.param("", 1, "", "", "^", id="an empty line"),
        pytest.param("\tname: x", 2, "name", "    name: x", "    ^^^^", id="a tab before"),
        pytest.param("a: b\tc", 4, "b\tc", "a: b    c", "   ^^^^^^", id="a tab within"),
        pytest.param("日本: x", 5, "x", "日本: x", "      ^", id="wide before"),
        pytest.param("a: 日本", 4, "日本", "a: 日本", "   ^^^^", id="wide within"),
        pytest.param("e\u0301: x", 5, "x", "e\u0301: x", "   ^", id="no column of its own"),
        pytest.param("a\x1b[2J: x", 6, ": x", "a\\x1b[2J: x", "        ^^^", id="a terminal's command"),
        pytest.param("\u202eab: x", 2, "ab", "\\u202eab: x", "      ^^", id="a change of direction"),
        pytest.param("a: b   ", 4, "b", "a: b", "   ^", id="blanks at the end"),
    ],
)
def test_carets_stand_under_the_words_that_are_meant(
    line: str, column: int, text: str, shown: str, carets: str
) -> None:
    assert excerpt(line, column, text) == Excerpt(shown, carets)


def test_of_a_long_line_what_is_around_the_place_is_shown() -> None:
    found = excerpt("a" * 5000 + "HERE" + "b" * 200_000, 5001, "HERE")
    assert len(found.line) == WIDTH_MAX + 1
    assert found.line.startswith("…aaa")
    assert found.line.endswith("bbb…")
    at = found.carets.index("^")
    assert found.line[at : at + 4] == "HERE"
    assert found.carets.count("^") == 4


def test_a_line_that_begins_with_the_place_is_cut_behind_it_only() -> None:
    found = excerpt("HERE" + "b" * 500, 1, "HERE")
    assert found.line.startswith("HEREbbb")
    assert found.carets == "^^^^"


def test_carets_end_where_the_line_is_cut() -> None:
    text = "x" * 300
    found = excerpt(text, 1, text)
    assert found.carets == "^" * WIDTH_MAX
    assert found.line == "x" * WIDTH_MAX + "…"


def columns(text: str) -> int:
    wide = {"W", "F"}
    return sum(
        0 if unicodedata.category(mark) in {"Mn", "Me"} or unicodedata.combining(mark)
        else 1 + (unicodedata.east_asian_width(mark) in wide)
        for mark in text
    )  # fmt: skip


@given(st.text(max_size=400), st.integers(1, 500), st.text(max_size=20))
def test_whatever_the_line_holds_nothing_is_obeyed_and_nothing_overflows(
    line: str, column: int, text: str
) -> None:
    found = excerpt(line, column, text)
    assert found.line.isprintable()
    assert columns(found.line) <= WIDTH_MAX + 1
    assert set(found.carets) <= {" ", "^"}
    assert "^" in found.carets
    assert len(found.carets) <= WIDTH_MAX + 1
