"""The report as people read it."""

import pytest

from services.cli.report.checked_file import CheckedFile
from services.cli.report.text import COLOURS, PLAIN, rendered, summary
from tests.unit.cli.report.reported import SHOP, checked, problem


def shown(*files: CheckedFile, strict: bool = False) -> str:
    return "\n".join(rendered(files, PLAIN, strict=strict))


def test_a_problem_is_shown_where_it_stands_with_the_way_out() -> None:
    file = checked(
        'version: "1"\npipelin:\n',
        problem(line=2, column=1, message='the file has no key "pipelin"', text="pipelin"),
        problem(line=0, column=1, message="the file needs pipeline", rule="missing-key", hint="write it"),
        problem(line=12, column=1, message="this is late", rule="", severity="warning"),
    )
    assert (
        shown(file)
        == f"""\
{SHOP}:2:1: error[unknown-key]: the file has no key "pipelin"
  2 | pipelin:
    | ^^^^^^^

{SHOP}: error[missing-key]: the file needs pipeline
  hint: write it

{SHOP}:12:1: warning: this is late

2 problems and 1 warning in 1 file"""
    )


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    file = checked("\n" * 122 + "abc: 1", problem(line=123, column=1, text="abc"))
    assert "\n  123 | abc: 1\n      | ^^^\n" in shown(file)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_are_counted_as_yaml_counts_them(end: str) -> None:
    file = checked(f"\ufeffone{end}two{end}three", problem(line=3, column=1, text="three"))
    assert "  3 | three\n    | ^^^^^\n" in shown(file)


def test_nothing_that_a_repository_says_reaches_the_terminal_as_a_command() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\r\n\u202e\x9b31m"
    file = checked(
        f"a\n  b{evil}\n",
        problem(message=evil, hint=evil, rule=f"x{evil}", text=evil),
        shown=f".windlass/{evil}/pipeline.yaml",
        pipeline="",
    )
    for text in (shown(file), shown(checked("", shown=evil, pipeline=""))):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "\\x1b[2J" in text


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    file = CheckedFile(SHOP, "bad\udcff", "", b"name: \xff\xfe", (problem(line=1, column=7),))
    assert "bad\\udcff:1:7:" in shown(file)
    assert "name: \ufffd\ufffd" in shown(file)


def test_colours_come_from_us_alone() -> None:
    file = checked("a\n  b\n", problem(hint="so"), problem(severity="warning"))
    text = "\n".join(rendered([file], COLOURS, strict=False))
    for colour in (COLOURS.error, COLOURS.warning, COLOURS.place, COLOURS.quiet, COLOURS.end):
        assert colour in text
        text = text.replace(colour, "")
    assert text == shown(file)


WARNED = checked("a", problem(severity="warning"))
GOOD = checked("a")
BLOG = checked("a", pipeline="blog")
REFUSED = checked("a", *[problem(severity="warning", rule="unsupported")] * 18)
ONE = checked("a", problem(severity="warning", rule="unsupported"), problem(severity="warning"))
BAD = checked("a", problem(), problem(severity="warning"))


@pytest.mark.parametrize(
    ("files", "strict", "said"),
    [
        ([GOOD], False, "1 file is valid: shop"),
        ([GOOD, BLOG], True, "2 files are valid: shop, blog"),
        ([GOOD, WARNED], False, "2 files are valid: shop, shop (1 warning)"),
        ([WARNED, WARNED], True, "2 warnings in 2 files, and --strict takes none"),
        ([GOOD, BAD], False, "1 problem and 1 warning in 1 file"),
        ([REFUSED], False, "1 file is valid: shop; a push of it is refused by this release, for 18 reasons"),
        (
            [ONE],
            False,
            "1 file is valid: shop (1 warning); a push of it is refused by this release, for 1 reason",
        ),
        (
            [BLOG, REFUSED, ONE],
            False,
            (
                "3 files are valid: blog, shop, shop (1 warning); "
                "a push of shop, shop is refused by this release, for 19 reasons"
            ),
        ),
        ([REFUSED], True, "18 warnings in 1 file, and --strict takes none"),
        ([BAD, BAD], True, "2 problems and 2 warnings in 2 files"),
        ([checked("", pipeline="", shown="x/y.yaml")], False, "1 file is valid: x/y.yaml"),
    ],
)
def test_the_last_line_says_what_it_comes_to(files: list[CheckedFile], strict: bool, said: str) -> None:
    assert summary(files, strict=strict) == said


def test_of_many_files_some_are_named() -> None:
    said = summary([GOOD] * 100, strict=False)
    assert said.startswith("100 files are valid: shop, shop")
    assert said.endswith(", …")
    assert len(said) < 200
