"""Questions about history, and how little is read to answer them."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.git.contents import WALKED_COMMITS_MAX, Contents
from shared.git.kept import Kept
from shared.git.reader import ObjectReader, StoredObject
from shared.ids import Commit

History = list[tuple[int, ...]]  # of each commit the numbers of its parents, all lower than its own


@dataclass
class Shelf:
    """A reader of a history that exists only here."""

    history: History
    read_ids: list[str] = field(default_factory=list)

    async def read(self, name: str, _bytes_max: int) -> StoredObject | None:
        self.read_ids.append(name)
        number = int(name, 16)
        if number >= len(self.history):
            return None
        parents = "".join(f"parent {id_of(parent)}\n" for parent in self.history[number])
        who = "A <a@example.com> 1700000000 +0000"
        text = f"tree {'0' * 40}\n{parents}author {who}\ncommitter {who}\n\ntitle\n"
        return StoredObject(name, "commit", len(text), text.encode())


def id_of(number: int) -> Commit:
    return Commit(f"{number:040x}")


def contents_of(history: History) -> tuple[Contents, Shelf]:
    shelf = Shelf(history)
    return Contents(cast("ObjectReader", shelf), 10_000, 100), shelf


@st.composite
def histories(draw: st.DrawFn) -> History:
    history: History = [()]
    for number in range(1, draw(st.integers(2, 100))):
        parents = st.integers(max(number - 8, 0), number - 1)
        history.append(tuple(draw(st.lists(parents, max_size=3, unique=True))))
    return history


def contains(history: History, descendant: int, ancestor: int) -> bool:
    found, waiting = {descendant}, [descendant]
    while waiting:
        for parent in history[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return ancestor in found


@given(histories(), st.data())
async def test_what_is_said_of_a_history_is_true(history: History, data: st.DataObject) -> None:
    one, other = (data.draw(st.integers(0, len(history) - 1)) for _ in range(2))
    contents, _ = contents_of(history)
    answer = await contents.contains_nearby(id_of(one), id_of(other))
    assert answer in {None, contains(history, one, other)}
    if len(history) <= WALKED_COMMITS_MAX:
        assert answer is not None


@pytest.mark.parametrize("length", [10, 10_000])
async def test_that_a_new_commit_is_not_in_the_one_before_it_is_seen_at_once(length: int) -> None:
    contents, shelf = contents_of([(), *((number,) for number in range(length))])
    assert await contents.contains_nearby(id_of(length - 1), id_of(length)) is False
    assert await contents.contains_nearby(id_of(length), id_of(length - 1)) is True
    assert len(shelf.read_ids) <= 4


async def test_a_question_too_far_back_is_left_to_git() -> None:
    contents, _ = contents_of([(), *((number,) for number in range(1_000))])
    assert await contents.contains_nearby(id_of(1_000), id_of(1)) is None


async def test_of_a_hundred_commits_pushed_together_few_questions_are_left_to_git() -> None:
    contents, shelf = contents_of([(), *((number,) for number in range(1_000))])
    asked = [await contents.contains_nearby(id_of(1_000), id_of(number)) for number in range(1, 1_000)]
    assert False not in asked
    assert asked.count(None) <= 1_000 // WALKED_COMMITS_MAX
    assert len(shelf.read_ids) <= 1_100


async def test_what_git_has_found_out_is_not_asked_again() -> None:
    contents, _ = contents_of([(), *((number,) for number in range(1_000))])
    assert await contents.contains_nearby(id_of(1_000), id_of(1)) is None
    contents.learn(id_of(1_000), id_of(1))
    assert await contents.contains_nearby(id_of(1_000), id_of(1)) is True


@given(histories(), st.data())
async def test_what_is_said_stays_true_when_walks_are_gone_on_with(
    history: History, data: st.DataObject
) -> None:
    contents, _ = contents_of(history)
    numbers = st.integers(0, len(history) - 1)
    for one, other in data.draw(st.lists(st.tuples(st.sampled_from([0, len(history) - 1]), numbers))):
        answer = await contents.contains_nearby(id_of(one), id_of(other))
        assert answer in {None, contains(history, one, other)}


async def test_where_history_was_cut_off_it_is_walked_anew() -> None:
    history: History = [(), (0,), (1,), (2,)]
    contents, shelf = contents_of(history)
    whole, shelf.history = history, [(), (0,)]
    assert await contents.find_commit(id_of(0)) is not None
    shelf.history = [(), (9,), (1,), (2,)]
    assert await contents.contains_nearby(id_of(3), id_of(0)) is False
    contents._commits._values.clear()
    shelf.history = whole
    assert await contents.contains_nearby(id_of(3), id_of(0)) is True


async def test_a_commit_is_in_itself() -> None:
    contents, _ = contents_of([()])
    assert await contents.contains_nearby(id_of(0), id_of(0)) is True


async def test_a_commit_that_is_not_here_is_in_nothing() -> None:
    contents, _ = contents_of([()])
    assert await contents.contains_nearby(id_of(0), id_of(7)) is False


async def test_a_commit_is_read_once() -> None:
    contents, shelf = contents_of([(), (0,)])
    for _ in range(3):
        await contents.commit(id_of(1))
    assert shelf.read_ids == [id_of(1)]


async def test_a_commit_that_was_missing_is_looked_for_again() -> None:
    history: History = [()]
    contents, _ = contents_of(history)
    assert await contents.find_commit(id_of(1)) is None
    history.append((0,))
    assert await contents.find_commit(id_of(1)) is not None


def test_what_was_used_longest_ago_makes_room() -> None:
    kept = Kept[str, int](weight_max=3)
    for number, key in enumerate("abc"):
        kept.keep(key, number)
    assert kept.get("a") == 0
    kept.keep("d", 3)
    assert [kept.get(key) for key in "abcd"] == [0, None, 2, 3]


def test_what_is_too_heavy_is_not_kept_and_what_is_kept_twice_weighs_once() -> None:
    kept = Kept[str, int](weight_max=3)
    kept.keep("heavy", 1, weight=4)
    assert kept.get("heavy") is None
    for _ in range(5):
        kept.keep("light", 2, weight=2)
    kept.keep("other", 3)
    assert (kept.get("light"), kept.get("other")) == (2, 3)
