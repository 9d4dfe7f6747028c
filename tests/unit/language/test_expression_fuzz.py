"""Any text, in any scope: a value or a mistake, never an error, and nothing of an object."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.language.expression import Mistake, parse
from shared.language.resolution import look_up
from tests.unit.language.fuzz_expressions import (
    CANARY,
    Counts,
    Vault,
    good_expression,
    look,
    text_with_expressions,
)


@given(st.integers(0, 2**64))
@settings(deadline=None, max_examples=200)
def test_what_the_grammar_makes_gives_a_value_or_a_mistake(seed: int) -> None:
    chance = Random(seed)
    look(text_with_expressions(chance), chance, Counts())


@given(st.text(alphabet="${}[]()'\",. \n\\varstepl0-?\x00\ue000\ud800"), st.integers(0, 2**64))
@settings(deadline=None, max_examples=200)
def test_no_text_makes_anything_raise(text: str, seed: int) -> None:
    look(text, Random(seed), Counts())
    look("${{" + text + "}}", Random(seed), Counts())


@given(st.text())
def test_a_text_without_an_opening_is_itself(text: str) -> None:
    if "${{" not in text:
        assert parse(text) == ((text,) if text else ())


@given(st.integers(0, 2**64), st.integers(0, 7))  # innermost may stand a call, too: 8 is the limit
@settings(max_examples=100)
def test_what_is_rightly_nested_is_parsed(seed: int, depth: int) -> None:
    assert not isinstance(parse("${{ " + good_expression(Random(seed), depth) + " }}"), Mistake)


def test_many_texts_of_one_seed_go_deep() -> None:
    chance, counts = Random(4), Counts()
    for _ in range(1_500):
        look(text_with_expressions(chance), chance, counts)
    assert counts.values > 300
    assert counts.filled > 30
    assert len(counts.messages) > 40


@pytest.mark.parametrize(
    "name", ["hidden", "reached", "__class__", "__dict__", "__init__", "look", "0", "keys"]
)
def test_no_attribute_of_an_object_is_reached(name: str) -> None:
    vault = Vault()
    found = look_up(("vars", "vault", name), {"vars": {"vault": vault}})
    assert isinstance(found, Mistake)
    assert not vault.reached
    assert CANARY not in found.message + found.hint


def test_a_trap_that_is_stepped_into_is_noticed() -> None:
    vault = Vault()
    assert (vault.hidden, str(vault)) == (CANARY, CANARY)
    assert vault.reached == ["hidden"]
