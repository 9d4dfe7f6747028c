"""Which deliveries are news."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.acceptance import Delivery, Registered, Seen, Verdict, judge, place_of
from services.ingest.github import Moved, Nothing
from shared.ids import Commit, Repository
from tests.builders import named

SHOP = Registered(Repository("acme/shop"), "https://git.example/acme/shop", None)


def moved(commit: str = "a", branch: str = "main") -> Moved:
    return Moved(f"refs/heads/{branch}", branch, Commit(commit * 40), "ann")


def delivery(
    id_: str, meaning: Moved | Nothing | None = None, body: str = "", repository: Registered = SHOP
) -> Delivery:
    meaning = meaning or moved()
    return Delivery(repository, id_, body or repr(meaning), meaning)


def results(verdicts: list[Verdict]) -> list[tuple[int, str]]:
    return [(verdict.answer.status, verdict.answer.document["result"]) for verdict in verdicts]


def test_a_first_push_is_accepted_under_an_id_that_follows_from_the_delivery() -> None:
    (verdict,) = judge([delivery("1")], {}, {})
    assert verdict.moved == moved()
    assert verdict.answer.document["push"] == str(delivery("1").push)


def test_the_same_delivery_again_gets_the_same_answer_and_says_nothing() -> None:
    first, again = judge([delivery("1"), delivery("1")], {}, {})
    assert again.answer == first.answer
    assert again.moved is None
    assert not again.first


def test_the_same_delivery_with_another_body_is_a_conflict() -> None:
    verdicts = judge([delivery("1"), delivery("1", moved("b"))], {}, {})
    assert results(verdicts) == [(202, "accepted"), (409, "conflict")]
    assert verdicts[1].moved is None


def test_the_same_push_under_a_new_delivery_id_is_known_already() -> None:
    first, replayed = judge([delivery("1"), delivery("2")], {}, {})
    assert results([replayed]) == [(202, "known already")]
    assert replayed.answer.document["push"] == first.answer.document["push"]
    assert replayed.moved is None


def test_a_push_known_from_before_names_that_one() -> None:
    place = place_of(delivery("1"))
    assert place is not None
    (verdict,) = judge([delivery("2")], {}, {place: named("earlier")})
    assert verdict.answer.document["push"] == str(named("earlier"))


def test_a_delivery_id_of_one_repository_means_nothing_in_another() -> None:
    tools = Registered(Repository("acme/tools"), "https://git.example/acme/tools", None)
    verdicts = judge([delivery("1"), delivery("1", repository=tools)], {}, {})
    assert results(verdicts) == [(202, "accepted")] * 2
    assert verdicts[0].delivery.push != verdicts[1].delivery.push


def test_a_tag_is_not_the_branch_of_its_name_and_is_known_when_it_comes_again() -> None:
    tag = Moved("refs/tags/main", "", Commit("a" * 40), "ann", "main")
    verdicts = judge([delivery("1"), delivery("2", tag), delivery("3", tag)], {}, {})
    assert results(verdicts) == [(202, "accepted"), (202, "accepted"), (202, "known already")]
    assert (verdicts[1].answer.document["branch"], verdicts[1].answer.document["tag"]) == ("", "main")
    assert "tag" not in verdicts[0].answer.document


def test_the_same_commit_on_two_branches_is_two_pushes() -> None:
    verdicts = judge([delivery("1"), delivery("2", moved(branch="next"))], {}, {})
    assert results(verdicts) == [(202, "accepted")] * 2


def test_what_asks_nothing_is_answered_and_remembered() -> None:
    ignored, pong = judge([delivery("1", Nothing("a tag")), delivery("2", Nothing("hi", pong=True))], {}, {})
    assert results([ignored, pong]) == [(202, "ignored"), (200, "pong")]
    assert ignored.first
    assert pong.first


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("abc"))), st.integers(0, 20))
def test_how_deliveries_are_grouped_makes_no_difference(pairs: list[tuple[str, str]], cut: int) -> None:
    group = [delivery(id_, moved(commit)) for id_, commit in pairs]
    together = judge(group, {}, {})
    before = judge(group[:cut], {}, {})
    seen = {v.delivery.identity: Seen(v.delivery.body_sha256, v.answer) for v in before if v.first}
    pushed: dict[tuple[str, str, str], UUID] = {}
    for verdict in before:
        place = place_of(verdict.delivery)
        if verdict.moved and place:
            pushed[place] = verdict.delivery.push
    apart = before + judge(group[cut:], seen, pushed)
    assert [v.answer for v in apart] == [v.answer for v in together]
    assert [v.moved for v in apart] == [v.moved for v in together]


@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("abc"))))
def test_each_commit_of_a_branch_is_said_once_at_most(pairs: list[tuple[str, str]]) -> None:
    verdicts = judge([delivery(id_, moved(commit)) for id_, commit in pairs], {}, {})
    said = [verdict.moved.commit for verdict in verdicts if verdict.moved]
    assert len(said) == len(set(said))
