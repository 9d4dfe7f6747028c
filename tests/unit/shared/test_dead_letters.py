"""What becomes of a dead letter, and how a message is kept in one."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dead_letters.letter import (
    SUMMARY_CHARACTERS_MAX,
    Letter,
    kept,
    letter_id,
    message_of,
    storable,
)
from shared.dead_letters.letter_state import (
    IGNORED,
    OPEN,
    TERMINAL,
    TRANSITIONS,
    LetterState,
    LetterTrigger,
    moved_by,
)
from shared.delivery import Foreign, foreign_body
from shared.events import Event, Message, Topic
from tests.builders import START, line, named


@pytest.mark.parametrize(("state", "trigger"), list(product(LetterState, LetterTrigger)))
def test_every_pair_moves_or_is_ignored_on_purpose(state: LetterState, trigger: LetterTrigger) -> None:
    assert (trigger in TRANSITIONS[state]) != (trigger in IGNORED.get(state, frozenset()))


@pytest.mark.parametrize("trigger", list(LetterTrigger))
def test_what_a_trigger_moves_is_what_the_table_says(trigger: LetterTrigger) -> None:
    before, after = moved_by(trigger)
    assert before == {state for state in LetterState if trigger in TRANSITIONS[state]}
    assert {TRANSITIONS[state][trigger] for state in before} == {after}


def test_a_letter_is_done_with_when_it_is_replayed_or_discarded() -> None:
    assert {LetterState.REPLAYED, LetterState.DISCARDED} == TERMINAL
    assert frozenset({LetterState.WAITING, LetterState.ASKED}) == OPEN


def letter(message: Message[Event], reason: str = "poison: x") -> Letter:
    row = kept(message)
    return Letter(
        **row,
        id=letter_id("status", message.id),
        consumer_group="status",
        reason=reason,
        attempts=1,
        deaths=1,
        died_at=START,
        state=LetterState.WAITING,
        changed_at=START,
        changed_by="",
        note="",
    )


def heard(body: Event, raw: str | bytes | None = None) -> Message[Event]:
    return Message(
        named("event"), START, "x", "y", "k", "shop@1", named("cause"), "00-1", body, 7, "here@1", raw,
        {"a": "b"},
    )  # fmt: skip


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_a_body_is_given_back_as_it_arrived_and_any_database_takes_it(raw: bytes) -> None:
    found = letter(heard(foreign_body(Topic.LOGS), raw))
    assert found.raw == raw
    assert storable(found.body) == found.body


def test_a_message_is_heard_from_its_letter_as_it_was() -> None:
    body = line("run/a", 3)
    for raw in (None, body.model_dump_json(), body.model_dump_json().encode()):
        message = heard(body, raw)
        again = message_of(letter(message), type(body).model_validate_json(letter(message).raw))
        for name in ("id", "time", "source", "subject", "key", "correlation", "causation", "traceparent",
                     "body", "origin", "headers"):  # fmt: skip
            assert getattr(again, name) == getattr(message, name), name


@pytest.mark.parametrize(
    ("reason", "summary"),
    [
        pytest.param("poison: no such state", "poison: no such state", id="one line"),
        pytest.param("refused: no\nand no again", "refused: no", id="several lines"),
        pytest.param(
            "Traceback (most recent call last):\n  File\nKeyError: 'a'\n", "KeyError: 'a'", id="a traceback"
        ),
        pytest.param("", "", id="none"),
        pytest.param(" \n ", "", id="blank"),
        pytest.param("x" * 999, f"{'x' * SUMMARY_CHARACTERS_MAX} […]", id="a long one"),
    ],
)
def test_a_reason_is_told_in_one_line(reason: str, summary: str) -> None:
    assert letter(heard(line("run/a", 0)), reason).summary == summary


def test_one_message_has_one_letter_in_each_group() -> None:
    ids = {letter_id(group, named(event)) for group in ("a", "b") for event in ("x", "y")}
    assert len(ids) == 4
    assert letter_id("a", named("x")) in ids


def test_what_is_no_event_says_where_it_lay() -> None:
    bodies = [foreign_body(topic) for topic in Topic]
    assert [body.topic for body in bodies] == list(Topic)
    assert {body.type for body in bodies} == {Foreign.type}
