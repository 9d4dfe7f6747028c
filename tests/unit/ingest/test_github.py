"""What deliveries mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.github import Malformed, Moved, Nothing, meaning_of
from shared.ids import Commit

COMMIT = Commit("4f" * 20)


def body(**changes: Any) -> bytes:
    push = {"ref": "refs/heads/main", "before": "0" * 40, "after": COMMIT, "pusher": {"name": "ann"}}
    return json.dumps(push | changes).encode()


def test_a_branch_that_moved_is_news() -> None:
    assert meaning_of("push", body(), None) == Moved("refs/heads/main", "main", COMMIT, "ann")


@pytest.mark.parametrize("tag", ["v1", "release/1.0", "main"])
def test_a_tag_that_was_pushed_is_news(tag: str) -> None:
    ref = f"refs/tags/{tag}"
    assert meaning_of("push", body(ref=ref), None) == Moved(ref, "", COMMIT, "ann", tag)


def test_a_sha256_repository_is_understood() -> None:
    meaning = meaning_of("push", body(after="ab" * 32), None)
    assert isinstance(meaning, Moved)


@pytest.mark.parametrize("branch", ["$(id)", "ünïcode", "feature/x", "a" * 200])
def test_a_legal_branch_name_is_taken_as_it_is(branch: str) -> None:
    meaning = meaning_of("push", body(ref=f"refs/heads/{branch}"), None)
    assert isinstance(meaning, Moved)
    assert meaning.branch == branch


@pytest.mark.parametrize(
    ("event", "changes", "tracked", "reason"),
    [
        pytest.param("ping", {}, None, "pong", id="ping"),
        pytest.param("issues", {}, None, "'issues' is not acted upon", id="unknown event"),
        pytest.param("", {}, None, "'' is not acted upon", id="no event"),
        pytest.param("push", {"deleted": True}, None, "was deleted", id="deleted"),
        pytest.param("push", {"after": "0" * 40}, None, "was deleted", id="zero commit"),
        pytest.param("push", {"ref": "refs/tags/v1"}, "main", "only branch main", id="tag, of one branch"),
        pytest.param("push", {"ref": "refs/tags/v1", "deleted": True}, None, "the tag was", id="tag deleted"),
        pytest.param("push", {"ref": "refs/tags/v1", "after": "0" * 40}, None, "the tag was", id="tag gone"),
        pytest.param("push", {"ref": "refs/tags/-d"}, None, "that a tag can have", id="a tag like an option"),
        pytest.param("push", {"ref": "refs/tags/"}, None, "that a tag can have", id="empty tag"),
        pytest.param("push", {"ref": "refs/notes/x"}, None, "is not a branch or a tag", id="a note"),
        pytest.param("push", {"ref": "refs/pull/1/head"}, None, "is not a branch", id="other ref"),
        pytest.param("push", {"ref": "main"}, None, "is not a branch", id="bare name"),
        pytest.param("push", {"ref": "refs/heads/x"}, "main", "only branch main", id="not tracked"),
        pytest.param("push", {"ref": "refs/heads/--upload-pack=x"}, None, "not a name", id="an option"),
        pytest.param("push", {"ref": "refs/heads/a\nb"}, None, "not a name", id="two lines"),
        pytest.param("push", {"ref": "refs/heads/"}, None, "not a name", id="empty branch"),
        pytest.param("push", {"ref": "refs/heads/../x"}, None, "not a name", id="climbing"),
    ],
)
def test_what_asks_nothing_is_told_why(
    event: str, changes: dict[str, Any], tracked: str | None, reason: str
) -> None:
    meaning = meaning_of(event, body(**changes), tracked)
    assert isinstance(meaning, Nothing)
    assert reason in meaning.reason


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"payload=%7B%7D", id="a form"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b'{"ref":"\\ud800","after":"' + COMMIT.encode() + b'"}', id="half a character"),
        pytest.param(b"[" * 100_000, id="deep nesting, open"),
        pytest.param(b'{"ref":' + b"[" * 5_000 + b"]" * 5_000 + b"}", id="deep nesting, closed"),
        pytest.param(b'{"x":' + b"9" * 100_000 + b"}", id="a huge number"),
        pytest.param(body(ref=1), id="ref is a number"),
        pytest.param(body(ref=None), id="ref is null"),
        pytest.param(body(ref="r" * 2_000), id="ref is endless"),
        pytest.param(body(after="HEAD"), id="after is a name"),
        pytest.param(body(after=COMMIT.upper()), id="after is in capitals"),
        pytest.param(body(after=COMMIT + "\n"), id="after has two lines"),
        pytest.param(body(after=[COMMIT]), id="after is a list"),
        pytest.param(body(deleted="yes"), id="deleted is a word"),
        pytest.param(body(pusher="ann"), id="pusher is a word"),
        pytest.param(body(pusher={"name": {"a": 1}}), id="name is an object"),
    ],
)
def test_a_body_that_is_no_push_is_told_what_is_wrong(hostile: bytes) -> None:
    meaning = meaning_of("push", hostile, None)
    assert isinstance(meaning, Malformed)
    assert 0 < sum(map(len, meaning.mistakes)) < 2_000


def test_a_name_with_control_characters_is_shown_without_them() -> None:
    meaning = meaning_of("push", body(pusher={"name": "a\x1b[31mn\u202en" + "x" * 500}), None)
    assert isinstance(meaning, Moved)
    assert meaning.pusher.startswith("a[31mnnxx")
    assert len(meaning.pusher) == 100


@given(st.binary(max_size=300), st.sampled_from(["push", "ping", "x"]))
def test_no_bytes_at_all_raise_anything(noise: bytes, event: str) -> None:
    assert meaning_of(event, noise, None) is not None
