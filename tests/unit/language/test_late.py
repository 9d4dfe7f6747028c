"""Late values: filled in where they belong, strictly, once what they are made of is known."""

from typing import Any

import pytest

from shared.ids import Step
from shared.language.expression import Mistake
from shared.language.late import LATE_DEPTH_MAX, fill
from shared.language.value import RESULT_CHARACTERS_MAX
from shared.placeholder import (
    ArtifactOf,
    Call,
    Constant,
    FactOf,
    Joined,
    Late,
    LateValue,
    OutputOf,
    Placeholder,
    SecretOf,
    taken_out,
)

URL = OutputOf(step=Step("serve"), name="url")
LIST = OutputOf(step=Step("infra"), name="hosts")
GONE = OutputOf(step=Step("infra"), name="gone")
BROKEN = OutputOf(step=Step("infra"), name="broken")
SECRET = SecretOf(owner="stage", name="PASSWORD")
DIGEST = ArtifactOf(artifact="web", name="digest", copied=True)
SLUG = FactOf(names=("organization", "slug"))

GIVEN: dict[LateValue, Any] = {
    URL: "http://a",
    LIST: ["a", 1, True],
    SECRET: "${{ secret('x') }} {} hunter2",
    DIGEST: "sha256:00",
    SLUG: "acme",
    GONE: Mistake("step infra gave none", absent=True),
    BROKEN: Mistake("it is broken", "mend it"),
}


def value_of(late: LateValue) -> Any:
    params, placeholders = taken_out({"x": Late(late)})
    filled = fill(params, placeholders, GIVEN.__getitem__)
    return filled if isinstance(filled, Mistake) else filled["x"]


def text(*values: Any) -> tuple[LateValue, ...]:
    return tuple(Constant(value=value) for value in values)


@pytest.mark.parametrize(
    ("late", "value"),
    [
        (URL, "http://a"),
        (LIST, ["a", 1, True]),
        (SECRET, "${{ secret('x') }} {} hunter2"),
        (DIGEST, "sha256:00"),
        (SLUG, "acme"),
        (Constant(value={"a": [None]}), {"a": [None]}),
        (Joined(parts=(*text("u="), URL, *text(" ", 1, True))), "u=http://a 1true"),
        (Call(function="join", arguments=(LIST, *text(","))), "a,1,true"),
        (Call(function="json", arguments=(LIST,)), '["a",1,true]'),
        (Call(function="format", arguments=(*text("<{}>"), SECRET)), "<${{ secret('x') }} {} hunter2>"),
        (Call(function="default", arguments=(URL, *text("b"))), "http://a"),
        (Call(function="default", arguments=(GONE, *text(8080))), 8080),
        (Call(function="default", arguments=(Call(function="upper", arguments=(GONE,)), SLUG)), "acme"),
        (Joined(parts=(Call(function="default", arguments=(GONE, *text(8080))),)), "8080"),
    ],
)
def test_a_late_value_becomes(late: LateValue, value: object) -> None:
    found = value_of(late)
    assert found == value
    assert type(found) is type(value)


def nested(depth: int) -> LateValue:
    late: LateValue = URL
    for _ in range(depth):
        late = Call(function="lower", arguments=(late,))
    return late


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (GONE, '"x" has no value: step infra gave none'),
        (BROKEN, '"x" has no value: it is broken'),
        (Call(function="default", arguments=(BROKEN, *text(1))), "it is broken"),
        (Call(function="default", arguments=(GONE, GONE)), "gave none"),
        (Joined(parts=(*text("a"), LIST)), "cannot stand inside a text"),
        (Joined(parts=text(None)), "cannot stand inside a text"),
        (Call(function="lower", arguments=(LIST,)), "the first value given to lower() must be a text"),
        (Call(function="join", arguments=(URL, *text(","))), "must be a list"),
        (Call(function="format", arguments=(URL, *text("x"))), "has 0 times {}, and 1 values follow"),
        (Call(function="secret", arguments=text("X")), 'there is no function "secret"'),
        (Call(function="eval", arguments=text("X")), 'there is no function "eval"'),
        (Call(function="lower", arguments=()), "takes 1 value"),
        (Joined(parts=text("x" * 40_000, "y" * 40_000)), "longer than"),
        (Constant(value="x" * (RESULT_CHARACTERS_MAX + 1)), "longer than"),
        (nested(LATE_DEPTH_MAX + 1), "too deep inside each other"),
    ],
)
def test_what_is_lacking_or_does_not_fit_is_said(late: LateValue, message: str) -> None:
    found = value_of(late)
    assert isinstance(found, Mistake)
    assert message in found.message


def test_as_deep_as_it_may_be_is_filled_in() -> None:
    assert value_of(nested(LATE_DEPTH_MAX)) == "http://a"


@pytest.mark.parametrize("given", [object(), Late(URL), {1: 2}, float("inf"), b"x", {"a": Late(URL)}])
def test_only_what_json_can_hold_is_filled_in(given: object) -> None:
    filled = fill({"x": None}, [Placeholder(at=("x",), value=URL)], lambda _source: given)
    assert isinstance(filled, Mistake)


def test_values_land_where_they_were_taken_out() -> None:
    values = {
        "env": {"URL": Late(URL), "A": "b"},
        "command": ["run", Late(Joined(parts=(*text("-"), SLUG))), {"deep": [Late(LIST)]}],
        "port": None,
    }
    params, placeholders = taken_out(values)
    assert fill(params, placeholders, GIVEN.__getitem__) == {
        "env": {"URL": "http://a", "A": "b"},
        "command": ["run", "-acme", {"deep": [["a", 1, True]]}],
        "port": None,
    }
    assert params == {
        "env": {"URL": None, "A": "b"},
        "command": ["run", None, {"deep": [None]}],
        "port": None,
    }


@pytest.mark.parametrize(
    "at",
    [
        pytest.param((), id="nowhere"),
        pytest.param(("gone",), id="no such key"),
        pytest.param(("port",), id="taken"),
        pytest.param(("list", 1), id="past the end"),
        pytest.param(("list", -1), id="before the start"),
        pytest.param(("list", "0"), id="a key of a list"),
        pytest.param(("port", "x"), id="inside a number"),
        pytest.param(("env", 0), id="an index of a mapping"),
    ],
)
def test_a_value_is_put_nowhere_else(at: tuple[str | int, ...]) -> None:
    params = {"port": 1, "list": [None], "env": {"A": None}}
    filled = fill(params, [Placeholder(at=at, value=URL)], GIVEN.__getitem__)
    assert isinstance(filled, Mistake)
    assert "no place that a value can be put in" in filled.message


def test_a_place_is_filled_once() -> None:
    twice = [Placeholder(at=("x",), value=URL)] * 2
    assert isinstance(fill({"x": None}, twice, GIVEN.__getitem__), Mistake)


def test_all_that_is_filled_in_together_has_a_limit() -> None:
    params = {str(number): None for number in range(40)}
    many = [Placeholder(at=(key,), value=Constant(value="x" * 60_000)) for key in params]
    found = fill(params, many, GIVEN.__getitem__)
    assert isinstance(found, Mistake)
    assert "together are longer than" in found.message
