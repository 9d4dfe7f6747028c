"""Expressions: what they give, what they refuse, and that nothing is ever resolved twice."""

from typing import Any

import pytest

from shared.language.expression import Budget, Mistake, has_expression, parse, roots
from shared.language.resolution import resolve

SCOPE = {
    "vars": {
        "port": 8101,
        "name": "Ada",
        "on": True,
        "none": None,
        "ratio": 1.5,
        "list": [1, 2],
        "deep": {"er": {"still": "here"}},
        "two words": "x",
        'quo"te': "q",
        "it's": "its",
        "a-b": "hyphen",
        "true": "a name like any",
        "trick": "${{ vars.name }}",
        "__class__": "only a key",
    },
    "stage": {"name": "staging"},
}


def value_of(text: str, scope: dict[str, Any] | None = None) -> Any:
    template = parse(text)
    return template if isinstance(template, Mistake) else resolve(template, scope or SCOPE, Budget())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$ {{ x }} and }} and {{", "$ {{ x }} and }} and {{"),
        ("${{ vars.port }}", 8101),
        ("${{vars.port}}", 8101),
        ("${{\n  vars\t. port }}", 8101),
        ("${{ vars.on }}", True),
        ("${{ vars.none }}", None),
        ("${{ vars.list }}", [1, 2]),
        ("${{ vars.deep }}", {"er": {"still": "here"}}),
        ("${{ vars.deep.er.still }}", "here"),
        ('${{ vars["deep"]["er"].still }}', "here"),
        ('${{ vars["two words"] }}', "x"),
        ("${{ vars['quo\"te'] }}", "q"),
        ('${{ vars["quo""te"] }}', "q"),
        ("${{ vars['it''s'] }}", "its"),
        ("${{ vars.a-b }}", "hyphen"),
        ("${{ vars.true }}", "a name like any"),
        ("${{ vars.__class__ }}", "only a key"),
        (" ${{ vars.port }}", " 8101"),
        ("${{ vars.port }}${{ vars.port }}", "81018101"),
        ("${{ vars.on }}/${{ vars.ratio }}", "true/1.5"),
        ("http://${{ stage.name }}:${{ vars.port }}/", "http://staging:8101/"),
        ("${{ vars.trick }}", "${{ vars.name }}"),
        ("<${{ vars.trick }}>", "<${{ vars.name }}>"),
    ],
)
def test_an_expression_gives(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ 'x' }}", "x"),
        ('${{ "say ""hi""" }}', 'say "hi"'),
        ("${{ 'it''s' }}", "it's"),
        ("${{ '''' }}", "'"),
        ("${{ '' }}", ""),
        ("${{ 'a\\n\"b' }}", 'a\\n"b'),
        ("${{ 'a\nb' }}", "a\nb"),
        ("${{ '}}' }}", "}}"),
        ("${{ '${{ vars.name }}' }}", "${{ vars.name }}"),
        ("${{ 7 }}", 7),
        ("${{ -7 }}", -7),
        ("${{ 1.50 }}", 1.5),
        ("${{ 1e3 }}", 1000.0),
        ("${{ true }}", True),
        ("${{ false }}", False),
        ("${{ null }}", None),
    ],
)
def test_a_constant_stands_for_itself(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$${{ vars.name }}", "${{ vars.name }}"),
        ("a $${{ vars.name }} b", "a ${{ vars.name }} b"),
        ("$$${{ vars.name }}", "$${{ vars.name }}"),
        ("$${{", "${{"),
        ("$${{ ${{ vars.name }}", "${{ Ada"),
        ("${{ vars.name }}$${{", "Ada${{"),
        ("${{ vars.name }}${{ vars.name }}", "AdaAda"),
        ("$${{$${{", "${{${{"),
        ("$$", "$$"),
        ("$$ costs $$5 ${{ vars.port }} $$", "$$ costs $$5 8101 $$"),
        ("echo $$ {{ $$$ {", "echo $$ {{ $$$ {"),
        ("$ ${{ vars.name }}", "$ Ada"),
    ],
)
def test_dollars_begin_or_escape_only_in_front_of_braces(text: str, value: str) -> None:
    assert value_of(text) == value


def test_an_escape_has_to_be_resolved_too() -> None:
    assert has_expression("$${{ x }}")
    assert not has_expression("$$ {{ x }}")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${{ vars.prot }}", 'there is no "prot" in "vars"', 'did you mean "port"?'),
        ("${{ var.port }}", 'there is no "var"', 'did you mean "vars"?'),
        ("${{ vars.port.x }}", '"vars.port" holds no names', ""),
        ("${{ vars.name.upper }}", "holds no names", ""),
        ("${{ vars.list.0 }}", "is not an expression", "with dots"),
        ("${{ vars.list }}!", "cannot stand inside a text", "whole value"),
        ("${{ vars.none }}!", "is empty", "default(a, b)"),
        ("${{ }}", "is not an expression", ""),
        ("${{ vars. }}", "is not an expression", ""),
        ("${{ vars port }}", "is not an expression", ""),
        ("${{ .vars }}", "is not an expression", ""),
        ("${{ vars[0] }}", "is not an expression", ""),
        ("${{ vars['x }}", "is not an expression", ""),
        ("${{ vars.port", "does not end", "close it with }}, or write $${{"),
        ("${{ vars.port }", "does not end", "}}"),
        ("${{ a + b }}", "is not an expression", "no operators"),
        ("${{ vars.a || 'x' }}", "is not an expression", "default(a, b)"),
        ("${{ ${{ vars.x }} }}", "is not an expression", ""),
        ("${{ 'a' 'b' }}", "is not an expression", ""),
        ("${{ 0x10 }}", "is not an expression", ""),
        ("${{ 007 }}", "is not an expression", ""),
        ("${{ 1234567890123456789012 }}", "is not an expression", ""),
        ("${{ 1e999 }}", "too large a number", ""),
        ("${{ lower(vars.name }}", "is not an expression", ""),
        ("${{ lower(,) }}", "is not an expression", ""),
        ("${{ lower(vars.name,) }}", "is not an expression", ""),
        ("${{ lower(vars.name).x }}", "is not an expression", ""),
        ("${{ vars.lower(vars.name) }}", "is not an expression", ""),
        ("${{ __import__('os') }}", 'there is no function "__import__"', "known here"),
        ("${{ true.x }}", 'there is no "true"', ""),
        ("${{ " + "lower(" * 9 + "vars.name" + ")" * 9 + " }}", "more than 8 deep", ""),
        ("${{ format('', " + "1, " * 40 + "1) }}", "more than 32 values", ""),
        ("${{ " + "a." * 17 + "a }}", "more than 16 names", ""),
        ("${{ vars.name }}" * 101, "more than 100 expressions", ""),
        ("${{ vars.name }}" + "x" * 70_000, "longer than", ""),
    ],
)
def test_what_is_no_expression_is_said_to_be_none(text: str, message: str, hint: str) -> None:
    found = value_of(text)
    assert isinstance(found, Mistake)
    assert message in found.message
    assert hint in found.hint


def test_as_much_nesting_as_is_allowed_is_resolved() -> None:
    assert value_of("${{ " + "lower(" * 8 + "vars.name" + ")" * 8 + " }}") == "ada"


def test_a_mistake_shows_the_expression_it_is_in() -> None:
    found = value_of("a ${{ lower(vars.nme) }} b")
    assert found == Mistake(
        '"${{ lower(vars.nme) }}" has no value: there is no "nme" in "vars"',
        'did you mean "name"?',
        absent=True,
    )


def test_the_first_names_of_a_text_can_be_asked_for() -> None:
    template = parse("${{ default(vars.a, lower(stage.b)) }} ${{ trigger.sha }} ${{ 'x' }}")
    assert not isinstance(template, Mistake)
    assert roots(template) == {"vars", "stage", "trigger"}


def test_all_results_together_have_a_limit() -> None:
    template = parse("${{ vars.name }}")
    assert not isinstance(template, Mistake)
    budget = Budget(characters=14)
    assert [resolve(template, SCOPE, budget) for _ in range(2)] == ["Ada", "Ada"]
    found = resolve(template, SCOPE, budget)
    assert isinstance(found, Mistake)
    assert found.rule == "limit"


def test_what_functions_are_given_counts_too() -> None:
    template = parse("${{ replace(vars.name, 'Ada', '') }}")
    assert not isinstance(template, Mistake)
    assert resolve(template, SCOPE, Budget(characters=22)) == ""
    assert isinstance(resolve(template, SCOPE, Budget(characters=21)), Mistake)


def test_a_list_counts_with_all_it_holds() -> None:
    template = parse("${{ vars.list }}")
    assert not isinstance(template, Mistake)
    assert isinstance(resolve(template, SCOPE, Budget(characters=7)), Mistake)


def test_one_result_has_a_limit() -> None:
    found = value_of("-${{ vars.big }}", {"vars": {"big": "x" * 70_000}})
    assert isinstance(found, Mistake)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="an object"),
        pytest.param({1: 2}, id="keys that are no texts"),
        pytest.param([b"x"], id="bytes"),
        pytest.param(float("nan"), id="no number"),
        pytest.param(10**5_000, id="a number without end"),
    ],
)
def test_what_json_cannot_hold_is_no_value(value: object) -> None:
    found = value_of("${{ vars.x }}", {"vars": {"x": value}})
    assert isinstance(found, Mistake)
    assert "not a value" in found.message


def test_a_value_deep_in_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    for value in (endless, deep):
        found = value_of("${{ json(vars.x) }}", {"vars": {"x": value}})
        assert isinstance(found, Mistake)
        assert "deep in each other" in found.message
