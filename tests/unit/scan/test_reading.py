"""From strangers' text to plain values, ports and commands."""

import shlex
from collections.abc import Callable

import pytest

from shared.scan import source_port, words
from shared.scan.reading import Unreadable, read_json, read_toml, read_yaml, table, word
from shared.scan.reading import words as texts
from shared.scan.view import join, relative, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": 1, // one\n "b": [2, 3,],}', {"a": 1, "b": [2, 3]}, id="comments and commas"),
        pytest.param('{"a": "// no, } comment"}', {"a": "// no, } comment"}, id="a comment in a text"),
        pytest.param('/* x */ {"a": "\\"/*"}', {"a": '"/*'}, id="an escaped quote"),
    ],
)
def test_json_with_comments_is_read_where_it_may_have_them(text: str, value: object) -> None:
    assert read_json(text, lenient=True) == value
    if "no, }" not in text:
        with pytest.raises(Unreadable, match="not JSON"):
            read_json(text)


def test_yaml_merge_keys_are_carried_out_and_numbers_stay_as_written() -> None:
    text = "x: &x {a: 1, b: 1.10}\ny: &y {b: 2}\nz:\n  <<: [*x, *y]\n  a: 010\n"
    assert read_yaml(text)["z"] == {"a": "010", "b": "1.10"}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_json, "[" * 100_000),
        (read_json, '{"a":' * 50_000),
        (read_toml, "a = " + "[" * 100_000),
        (read_toml, "a." * 2_000 + "b = 1"),
        (read_yaml, "[" * 100_000),
        (read_yaml, "a: &a [" + "*a, " * 50_000),
    ],
)
def test_what_is_nested_without_end_is_unreadable_and_no_more(
    read: Callable[[str], object], text: str
) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_a_path_of_keys_through_values_of_another_kind_leads_nowhere() -> None:
    value = {"a": {"b": ["c", 3]}, "d": " e "}
    assert table(value, "a", "b") == {}
    assert table(value, "d", "x") == {}
    assert word(value, "d") == "e"
    assert word(value, "a") == ""
    assert texts(value, "a", "b") == ["c"]
    assert texts([], "a") == []


@pytest.mark.parametrize(
    ("text", "number", "given"),
    [
        ("app.listen(process.env.PORT || 3001)", 3001, "variable"),
        ('port = int(os.environ.get("PORT", 5001))', 5001, "variable"),
        ('os.Getenv("PORT")', None, "variable"),
        ('env::var("PORT").unwrap_or("7000".into())', 7000, "variable"),
        ('port ENV.fetch("PORT") { 3000 }', 3000, "variable"),
        ('System.get_env("PORT") || "4001"', 4001, "variable"),
        ('Deno.env.get("PORT")', None, "variable"),
        ("app.listen(8088)", 8088, "fixed"),
        ('http.ListenAndServe(":9090", nil)', 9090, "fixed"),
        ('TcpListener::bind("0.0.0.0:3002")', 3002, "fixed"),
        ("SocketAddr::from(([127, 0, 0, 1], 3003))", 3003, "fixed"),
        ('uvicorn.run(app, host="0.0.0.0", port=8001)', 8001, "fixed"),
        ("app.listen(3000); // not process.env.PORT", None, "variable"),
    ],
)
def test_a_program_says_where_it_listens(text: str, number: int | None, given: str) -> None:
    found = source_port.in_source("main", f"first line\n{text}\n")
    assert found == (number, given, "main", "line 2")


@pytest.mark.parametrize("text", ["", "listen(0)", "const report = 99999", "port = 70000", "import PORTAL"])
def test_a_program_that_does_not_say_it_is_not_guessed_at(text: str) -> None:
    assert source_port.in_source("main", text) is None


@pytest.mark.parametrize(
    ("line", "number", "given"),
    [
        ("next start -p 3005", 3005, "fixed"),
        ("gunicorn app:app --bind=0.0.0.0:8005", 8005, "fixed"),
        ("serve --port $PORT", None, "variable"),
        ("PORT=4005 node x.js", 4005, "fixed"),
    ],
)
def test_a_command_says_where_it_listens(line: str, number: int | None, given: str) -> None:
    assert source_port.in_command(line, "f", "a") == (number, given, "f", "a")
    assert source_port.in_command("node server.js", "f", "a") is None


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("node server.js --x 'a b'", "node server.js --x 'a b'"),
        ("gunicorn app:app -b :$PORT", "sh -c 'exec gunicorn app:app -b :$PORT'"),
        ("A=1 B=2 node x.js", "env A=1 B=2 node x.js"),
        ("cd app && node x.js", "sh -c 'cd app && node x.js'"),
        ("it's", ""),
        ("", ""),
        ("x" * 3_000, ""),
    ],
)
def test_a_shell_line_becomes_words_that_need_none(line: str, command: str) -> None:
    assert words.start_words(line) == command
    assert bool(shlex.split(words.start_words(line))) == bool(command)


def test_a_word_that_looks_like_an_option_or_more_is_made_one_word() -> None:
    assert words.quote("-rf") == "./-rf"
    assert shlex.split(words.quote("a; rm -rf $HOME")) == ["a; rm -rf $HOME"]


def test_paths_never_lead_out_of_the_tree() -> None:
    assert resolve("a/b", "../c") == "a/c"
    assert resolve("a", "..") == "."
    assert [resolve("a", each) for each in ("../..", "/etc", "x/../../..")] == [None, None, None]
    assert join(".", "./a//b") == "a/b"
    assert join("a", ".") == "a"
    assert [relative("a", each) for each in ("a", "a/b", "ab")] == [".", "b", "ab"]
