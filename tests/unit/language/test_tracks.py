"""Which pushes `tracks` is for, however it is written, and what is wrong with it where it is wrong."""

import json
import re
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.language.definition_reading import read_definition
from shared.language.ref_glob import matches
from shared.language.tracks import MAIN, PATHS_MAX, PATTERNS_MAX, Tracks
from shared.ref_name import REF_NAME_BYTES_MAX, is_ref_name


class Part(BaseModel):
    """As the manifest has it."""

    tracks: Tracks = MAIN


def told(value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return where something is wrong, and what."""
    with pytest.raises(ValidationError) as caught:
        Part(tracks=value)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("main", ["main"], ["main2", "mai", "Main", "main/x"]),
        ("release/*", ["release/1", "release/a-b.c"], ["release", "release/1/2", "xrelease/1"]),
        ("release/**", ["release/1", "release/1/2"], ["release", "releases/1"]),
        ("**", ["main", "a/b/c"], []),
        ("*", ["main"], ["a/b"]),
        ("**/hotfix", ["hotfix", "a/hotfix", "a/b/hotfix"], ["xhotfix", "a/xhotfix", "hotfix/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "ab"]),
        ("a**b", ["ab", "a/b", "axx/xb"], ["a/bc"]),
        ("v?.?", ["v1.2"], ["v1.23", "v1/2", "v1."]),
        ("v*.*", ["v1.2", "v.", "v1.2.3"], ["v12"]),
        ("***", ["a/b"], []),
        ("**/**/x", ["x", "a/x", "a/b/x"], ["ax"]),
        ("**/*", ["x", "a/x"], []),
        ("ünï/*", ["ünï/cödé"], ["uni/code"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, names: list[str], others: list[str]) -> None:
    assert [name for name in [*names, *others] if matches(pattern, name)] == names


def expression(pattern: str) -> re.Pattern[str]:
    """Return what the pattern means, as a regular expression; slow on some."""
    words = {"*": "[^/]*", "?": "[^/]", "**/": "(?:.*/)?", "**": ".*"}
    tokens = re.findall(r"(?:(?<=/)|^)\*\*+/|\*\*+|.", pattern)
    simple = (re.sub(r"\*\*+", "**", token) for token in tokens)
    return re.compile("".join(words.get(token) or re.escape(token) for token in simple), re.DOTALL)


@given(st.text("ab/*?", max_size=8), st.text("ab/", max_size=8))
def test_matching_is_what_a_regular_expression_would_do(pattern: str, name: str) -> None:
    assert matches(pattern, name) == bool(expression(pattern).fullmatch(name))


@pytest.mark.parametrize("pattern", ["*a" * 119 + "b", "**a" * 80 + "b", "?*" * 120, "**/" * 79 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    for _ in range(200):  # some milliseconds; a matcher that tries one way after the other never ends
        assert not matches(pattern, "a" * REF_NAME_BYTES_MAX + "/")


@pytest.mark.parametrize(
    ("written", "branches", "tags", "paths", "sentence"),
    [
        pytest.param("main", ("main",), (), (), "tracks main", id="one branch"),
        pytest.param(
            ["main", "release/*"], ("main", "release/*"), (), (), "tracks main, release/*", id="a list"
        ),
        pytest.param(
            {"branches": ["main", "release/*"], "tags": ["v*"]},
            ("main", "release/*"),
            ("v*",),
            (),
            "tracks main, release/* and tags v*",
            id="branches and tags",
        ),
        pytest.param(
            {"tags": ["v*", "!v0*"]}, (), ("v*", "!v0*"), (), "tracks tags v* but not v0*", id="tags"
        ),
        pytest.param({"paths": ["/app/"]}, ("main",), (), ("/app",), "tracks main", id="paths alone: main"),
        pytest.param(
            {"paths": ["/", "//a/./b"]}, ("main",), (), ("/", "/a/b"), "tracks main", id="odd paths"
        ),
        pytest.param({}, ("main",), (), (), "tracks main", id="nothing"),
    ],
)
def test_it_is_written_in_three_forms(
    written: Any, branches: tuple[str, ...], tags: tuple[str, ...], paths: tuple[str, ...], sentence: str
) -> None:
    tracks = Part(tracks=written).tracks
    assert (tracks.branches, tracks.tags, tracks.paths) == (branches, tags, paths)
    assert tracks.describe() == sentence


def test_main_is_tracked_unless_something_else_is_said() -> None:
    assert Part().tracks == Tracks(branches=("main",))
    assert Part().tracks.branch("main")
    assert not Part().tracks.tag("main")


@pytest.mark.parametrize("order", [["**", "!hotfix/*"], ["!hotfix/*", "**"]])
def test_an_exclusion_excludes_wherever_it_stands(order: list[str]) -> None:
    tracks = Part(tracks=order).tracks
    assert [name for name in ("main", "hotfix/1", "hotfix/1/2") if tracks.branch(name)] == [
        "main",
        "hotfix/1/2",
    ]


def test_a_branch_with_an_exclamation_mark_in_front_can_be_matched() -> None:
    assert Part(tracks="?odd").tracks.branch("!odd")


@pytest.mark.parametrize(
    ("written", "location", "message"),
    [
        pytest.param("a..b", (), "can never match", id="a range"),
        pytest.param("", (), "can never match", id="empty"),
        pytest.param("!", (), "can never match", id="an exclusion of nothing"),
        pytest.param("-x", (), "can never match", id="an option"),
        pytest.param("a b", (), "can never match", id="a blank"),
        pytest.param("*.lock", (), "can never match", id="git's own lock"),
        pytest.param("release/", (), "can never match", id="a slash at the end"),
        pytest.param("/main", (), "can never match", id="a slash in front"),
        pytest.param("a//b", (), "can never match", id="an empty part"),
        pytest.param(".x/*", (), "can never match", id="a hidden part"),
        pytest.param("main\n", (), "can never match", id="two lines"),
        pytest.param("release/[12]", (), "can never match", id="a set"),
        pytest.param("x" * 241, (), "is longer than any name", id="too long"),
        pytest.param("ü" * 121, (), "is longer than any name", id="too long in bytes"),
        pytest.param("refs/heads/main", (), "is a whole ref", id="a whole ref"),
        pytest.param("${{ vars.x }}", (), "expressions have no meaning here", id="an expression"),
        pytest.param("!main", (), "must name something to track", id="exclusions alone"),
        pytest.param(["main", "!main"], (), "excludes all that it names", id="nothing left"),
        pytest.param(["a/*", "!**"], (), "excludes all that it names", id="all excluded"),
        pytest.param(["a/1", "!a/*"], (), "excludes all that it names", id="all excluded by a pattern"),
        pytest.param([], (), "must not be empty", id="an empty list"),
        pytest.param(["main", "a b"], (1,), "can never match", id="the second"),
        pytest.param(["main", 3], (1,), "valid string", id="a number in a list"),
        pytest.param(["main", None], (1,), "valid string", id="nothing in a list"),
        pytest.param(["main", ["x"]], (1,), "valid string", id="a list in a list"),
        pytest.param(["x"] * (PATTERNS_MAX + 1), (), f"at most {PATTERNS_MAX}", id="too many"),
        pytest.param(3, (), "must be text", id="a number"),
        pytest.param(True, (), "must be text", id="a switch"),
        pytest.param({"branches": ["a b"]}, ("branches", 0), "can never match", id="a branch"),
        pytest.param({"tags": ["v1", "a~b"]}, ("tags", 1), "can never match", id="a tag"),
        pytest.param({"tags": []}, ("tags",), "must not be empty", id="no tags"),
        pytest.param({"tags": "v1"}, ("tags",), "valid tuple", id="a tag without a list"),
        pytest.param({"paths": ["app"]}, ("paths", 0), "must start with a slash", id="no slash"),
        pytest.param({"paths": ["/a", "/../x"]}, ("paths", 1), "leaves the repository", id="a way out"),
        pytest.param({"paths": ["/app/*"]}, ("paths", 0), "is a pattern", id="a pattern of paths"),
        pytest.param({"paths": ["/a\n"]}, ("paths", 0), "is not a path", id="two lines of a path"),
        pytest.param(
            {"paths": ["/x"] * (PATHS_MAX + 1)}, ("paths",), f"at most {PATHS_MAX}", id="many paths"
        ),
        pytest.param({"branch": ["x"]}, ("branch",), "not permitted", id="another key"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(
    written: Any, location: tuple[str | int, ...], message: str
) -> None:
    ((where, said),) = told(written)
    assert where == ("tracks", *location)
    assert message in said


def test_every_mistake_is_told_at_once() -> None:
    wrong = {"branches": ["main", "a b"], "tags": ["refs/tags/v1"], "paths": ["x", "/../y"]}
    assert [where for where, _ in told(wrong)] == [
        ("tracks", "branches", 1),
        ("tracks", "tags", 0),
        ("tracks", "paths", 0),
        ("tracks", "paths", 1),
    ]


def test_a_whole_ref_and_a_bare_path_are_put_right_in_the_hint() -> None:
    with pytest.raises(ValidationError) as caught:
        Part(tracks={"branches": ["!refs/heads/old", "x"], "paths": ["./app"]})
    hints = [error.get("ctx", {})["hint"] for error in caught.value.errors()]
    assert hints == ['did you mean "!old"?', 'did you mean "/app"?']


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["branches", "tags", "paths", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(ANYTHING)
def test_anything_is_taken_or_refused_and_nothing_else_happens(value: Any) -> None:
    try:
        tracks = Part(tracks=value).tracks
    except ValidationError:
        return
    assert tracks.branches or tracks.tags
    assert tracks.describe()


NAMES = st.text(st.sampled_from("ab/*?!-.1ü"), min_size=1, max_size=8)
WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "branches": st.lists(NAMES, min_size=1, max_size=3),
        "tags": st.lists(NAMES, min_size=1, max_size=3),
        "paths": st.lists(st.sampled_from(["/", "/a", "/a/b/"]), min_size=1, max_size=2),
    },
)


@given(WRITTEN)
def test_printed_and_kept_and_read_again_it_is_the_same(written: dict[str, list[str]]) -> None:
    try:
        tracks = Part(tracks=written).tracks
    except ValidationError:
        return
    assert Part.model_validate(Part(tracks=tracks).model_dump()).tracks == tracks
    assert Part.model_validate_json(Part(tracks=tracks).model_dump_json()).tracks == tracks
    assert Tracks.of(tracks.stored()) == tracks


@given(NAMES, NAMES)
def test_a_pattern_that_is_taken_is_one_that_some_name_matches(pattern: str, name: str) -> None:
    """And one that is refused matches no legal name: a letter for each wildcard is as good as any."""
    text = pattern.lstrip("!")
    try:
        Part(tracks=text)
    except ValidationError:
        assert not (is_ref_name(name) and matches(text, name))
    else:
        assert matches(text, re.sub(r"\*+|\?", "x", text))


@pytest.mark.parametrize("kept", ["main", "", "-x", "{}", "{x}", '{"tags": ["v*"', '{"a":' * 5_000, "[1]"])
def test_what_an_older_release_kept_is_one_branch(kept: str) -> None:
    tracks = Tracks.of(kept)
    assert (tracks.branches, tracks.tags, tracks.paths) == ((kept,), (), ())
    assert tracks.branch("main") == (kept == "main")


def test_a_sentence_does_not_grow_with_the_list() -> None:
    tracks = Part(tracks=[f"release/{number}" for number in range(50)]).tracks
    assert tracks.describe().endswith("release/4 and 45 more")
    assert Part(tracks={"paths": ["/app", "/lib"]}).tracks.paths_shown() == "/app, /lib"


def test_editors_are_told_of_all_three_forms() -> None:
    schema = Part.model_json_schema()["$defs"]["Tracks"]
    assert [form["type"] for form in schema["anyOf"]] == ["string", "array", "object"]
    mapping = schema["anyOf"][2]
    assert mapping["additionalProperties"] is False
    assert all(field["description"] and field["examples"] for field in mapping["properties"].values())
    for example in schema["examples"]:
        assert Part(tracks=example).tracks.describe()
    pattern = re.compile(schema["anyOf"][0]["pattern"])
    assert [text for text in ("main", "!x", "release/**", "a b", "a[1]", "") if pattern.search(text)] == [
        "main",
        "!x",
        "release/**",
    ]
    assert json.dumps(schema)


HOW_TO = Path(__file__).parents[3] / "docs/howto/tracks.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
WITH_REST = """\
version: "1"
pipeline:
{tracks}  stages:
    - name: staging
  steps:
    - name: Say
      type: SCRIPT:EXECUTE
      params: {{commands: [echo hello]}}
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_how_tos_examples_are_right(example: str) -> None:
    source = WITH_REST.format(tracks=indent(example, "  ")).encode()
    definition = read_definition(".windlass/shop/pipeline.yaml", source)
    assert definition.problems == ()
    assert definition.tracks == Part(tracks=yaml.safe_load(example)["tracks"]).tracks


def test_the_how_to_has_examples_of_every_form_and_says_what_they_do() -> None:
    tracks = [Part(tracks=yaml.safe_load(example)["tracks"]).tracks for example in EXAMPLES]
    assert [each.describe() for each in tracks] == [
        "tracks main",
        "tracks main, release/* but not release/old",
        "tracks main, release/** and tags v*",
        "tracks tags v* but not *-rc*",
    ]
    assert not matches("release/*", "release/2/fix")
    assert matches("**/fix", "fix")


def test_a_mistake_stands_where_the_file_has_it() -> None:
    tracks = 'tracks:\n  branches: [main]\n  tags:\n    - "v*"\n    - "a b"\n  pathz: [/app]\n'
    definition = read_definition("p", WITH_REST.format(tracks=indent(tracks, "  ")).encode())
    assert [(found.line, found.column) for found in definition.problems] == [(7, 9), (8, 5)]
