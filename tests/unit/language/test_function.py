"""The functions of expressions: what they give, what they refuse, and what stays late."""

from typing import Any

import pytest

from shared.ids import Step
from shared.language.expression import Budget, Mistake, parse
from shared.language.function import FUNCTIONS, NAMES, PATHS, SIGNATURES, call
from shared.language.resolution import resolve
from shared.language.value import RESULT_CHARACTERS_MAX
from shared.placeholder import Call, Constant, Joined, Late, OutputOf, SecretOf

OUTPUT = OutputOf(step=Step("infra"), name="url")
SECRET = SecretOf(owner="organization", name="TOKEN")
SCOPE = {
    "vars": {
        "name": "Ada_L",
        "empty": "",
        "none": None,
        "no": False,
        "zero": 0,
        "hosts": ["a", "b", 3, True],
        "nested": [["a"]],
        "settings": {"b": [1, None, "é"], "a": "\u2028</script>"},
        "holes": "{} {0.__class__} %s",
        "big": "a" * 60_000,
        "nothing": [],
    },
    "late": {"output": Late(OUTPUT), "secret": Late(SECRET)},
}


def value_of(inside: str) -> Any:
    template = parse("${{ " + inside + " }}")
    assert not isinstance(template, Mistake), template
    return resolve(template, SCOPE, Budget())


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ("default(vars.name, 'x')", "Ada_L"),
        ("default(vars.missing, 'x')", "x"),
        ("default(vars.settings.missing, 'x')", "x"),
        ("default(vars.empty, 'x')", "x"),
        ("default(vars.none, 8080)", 8080),
        ("default(vars.no, true)", False),
        ("default(vars.zero, 1)", 0),
        ("default(vars.nothing, 1)", []),
        ("default(vars.name, vars.missing)", "Ada_L"),
        ("default(vars.missing, default(vars.none, vars.name))", "Ada_L"),
        ("default(lower(vars.missing), 'x')", "x"),
        ("default(vars.none, null)", None),
        ("join(vars.hosts, ',')", "a,b,3,true"),
        ("join(vars.hosts, '')", "ab3true"),
        ("join(vars.nothing, ',')", ""),
        ("format('{} and {}', vars.name, 7)", "Ada_L and 7"),
        ("format('none')", "none"),
        ("format('{}', vars.holes)", "{} {0.__class__} %s"),
        ('format(\'{"a": "{}"}\', true)', '{"a": "true"}'),
        ("format(vars.holes, 'x')", "x {0.__class__} %s"),
        ("lower(vars.name)", "ada_l"),
        ("upper('straße')", "STRASSE"),
        ("replace(vars.name, '_', '-')", "Ada-L"),
        ("replace('aaa', 'aa', 'b')", "ba"),
        ("replace('a.c', '.', '')", "ac"),
        ("json(vars.settings)", '{"a":"\u2028</script>","b":[1,null,"é"]}'),
        ("json(vars.none)", "null"),
        ("json('a\"b')", '"a\\"b"'),
        ("json(json(1.5))", '"1.5"'),
    ],
)
def test_a_function_gives(inside: str, value: object) -> None:
    found = value_of(inside)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("inside", "message", "hint"),
    [
        ("defalt(vars.name, 1)", 'no function "defalt"', 'did you mean "default"?'),
        ("default(var.name, 1)", 'there is no "var"', 'did you mean "vars"?'),
        ("default(vars.name)", "default() takes 2 values, not 1", "write default(a, b)"),
        ("default(vars.name, var.name)", 'there is no "var"', ""),
        ("default(vars.missing, vars.absent)", 'there is no "absent"', ""),
        ("default(vars.name.x, 1)", "holds no names", ""),
        ("default(lower(7), 1)", "must be a text", ""),
        ("lower()", "lower() takes 1 value, not 0", ""),
        ("lower(7)", "the first value given to lower() must be a text", "write lower"),
        ("upper(null)", "must be a text", ""),
        ("join(vars.name, ',')", "the first value given to join() must be a list", ""),
        ("join(vars.hosts, 1)", "the second value given to join() must be a text", ""),
        ("join(vars.nested, ',')", "the list holds something else", ""),
        ("join(vars.hosts)", "takes 2 values", ""),
        ("format()", "takes 1 value or more", ""),
        ("format('{} {}', 1)", "has 2 times {}, and 1 values follow", "one value for each"),
        ("format('{}', 1, 2)", "has 1 times {}, and 2 values follow", ""),
        ("format('{}', null)", "the second value given to format() must be a text, a number", ""),
        ("format('{}{}{}', 1, 2, vars.nested)", "a value given to format() must be", ""),
        ("format('{}', vars.settings)", "must be a text, a number", ""),
        ("replace('a', '', 'b')", "cannot look for an empty text", ""),
        ("replace('a', 'b', 3)", "the third value given to replace()", ""),
        ("json(late)", "is not a value", ""),
        ("replace(vars.big, 'a', vars.big)", "longer than", ""),
        ("join(vars.hosts, vars.big)", "longer than", ""),
        ("format('{}{}', vars.big, vars.big)", "longer than", ""),
        ("upper(replace(vars.big, 'a', '\u0390'))", "longer than", ""),
        ("json(replace(vars.big, 'a', '\"'))", "longer than", ""),
    ],
)
def test_a_function_refuses(inside: str, message: str, hint: str) -> None:
    found = value_of(inside)
    assert isinstance(found, Mistake)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("inside", "late"),
    [
        ("lower(late.output)", Call(function="lower", arguments=(OUTPUT,))),
        (
            "replace(late.secret, lower('A'), vars.name)",
            Call(function="replace", arguments=(SECRET, Constant(value="a"), Constant(value="Ada_L"))),
        ),
        (
            "default(late.output, vars.none)",
            Call(function="default", arguments=(OUTPUT, Constant(value=None))),
        ),
        ("join(late.output, ',')", Call(function="join", arguments=(OUTPUT, Constant(value=",")))),
        ("json(late.secret)", Call(function="json", arguments=(SECRET,))),
        (
            "upper(lower(late.output))",
            Call(function="upper", arguments=(Call(function="lower", arguments=(OUTPUT,)),)),
        ),
        ("default(vars.missing, late.output)", OUTPUT),
        ("default(vars.name, late.output)", None),
    ],
)
def test_a_call_with_something_late_is_late_with_the_rest_worked_out(inside: str, late: Any) -> None:
    assert value_of(inside) == (Late(late) if late else "Ada_L")


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("join(late.secret, ',')", "the first value given to join() must be a list"),
        ("join(lower(late.output), ',')", "the first value given to join() must be a list"),
        ("join(late.output, 1)", "the second value given to join() must be a text"),
        ("replace(late.output, '', 'x')", "cannot look for an empty text"),
        ("format('{}', late.output, late.output)", "2 values follow"),
        ("lower(late.output, 1)", "takes 1 value"),
        ("default(late.output, vars.missing)", 'there is no "missing"'),
        ("late.output.x", "holds no names"),
    ],
)
def test_what_can_never_work_is_refused_before_it_is_known(inside: str, message: str) -> None:
    found = value_of(inside)
    assert isinstance(found, Mistake)
    assert message in found.message


def test_a_text_with_something_late_is_joined_late_with_the_rest_put_together() -> None:
    template = parse(
        "a ${{ vars.name }}-${{ lower('X') }}${{ late.output }}${{ vars.empty }}/${{ 7 }}${{ '' }}"
    )
    assert not isinstance(template, Mistake)
    expected = Joined(parts=(Constant(value="a Ada_L-x"), OUTPUT, Constant(value="/7")))
    assert resolve(template, SCOPE, Budget()) == Late(expected)


def test_every_function_can_be_looked_up() -> None:
    assert set(NAMES) == set(SIGNATURES) == {*FUNCTIONS, *PATHS}
    assert set(NAMES) == {
        *("default", "join", "format", "lower", "upper", "replace", "json", "secret", "stage_secret"),
    }


def test_a_path_in_the_shape_of_a_call_is_no_function_of_a_plan() -> None:
    assert isinstance(call("secret", ["TOKEN"]), Mistake)


def test_no_function_gives_more_than_one_result_may_hold() -> None:
    longest = "x" * RESULT_CHARACTERS_MAX
    assert call("lower", [longest]) == longest
    assert isinstance(call("lower", [longest + "x"]), Mistake)
