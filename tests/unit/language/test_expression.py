"""Expressions: what they give, what they refuse, and that nothing is ever resolved twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.language.command_line import split
from shared.language.expression import Budget, Mistake, parse, resolve

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
        "a-b": "hyphen",
        "trick": "${{ vars.name }}",
        "__class__": "only a key",
    },
    "stage": {"name": "staging"},
}


def value_of(text: str) -> Any:
    template = parse(text)
    return template if isinstance(template, Mistake) else resolve(template, SCOPE, Budget())


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
        ("${{ vars.a-b }}", "hyphen"),
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
    ("text", "message", "hint"),
    [
        ("${{ vars.prot }}", 'there is no "prot" in "vars"', 'did you mean "port"?'),
        ("${{ var.port }}", 'there is no "var"', 'did you mean "vars"?'),
        ("${{ vars.port.x }}", '"vars.port" holds no names', ""),
        ("${{ vars.name.upper }}", "holds no names", ""),
        ("${{ vars.list.0 }}", "is not an expression", "with dots"),
        ("${{ vars.list }}!", "cannot stand inside a text", "whole value"),
        ("${{ vars.none }}!", "is empty", ""),
        ("${{ }}", "is not an expression", ""),
        ("${{ vars. }}", "is not an expression", ""),
        ("${{ vars port }}", "is not an expression", ""),
        ("${{ .vars }}", "is not an expression", ""),
        ("${{ vars[0] }}", "is not an expression", ""),
        ("${{ vars['x }}", "is not an expression", ""),
        ("${{ vars.port", "does not end", "}}"),
        ("${{ vars.port }", "does not end", "}}"),
        ("${{ a + b }}", "is not an expression", ""),
        ("${{ secret('X') }}", "calls a function", ""),
        ("${{ ${{ vars.x }} }}", "is not an expression", ""),
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


def test_all_results_together_have_a_limit() -> None:
    template = parse("${{ vars.name }}")
    assert not isinstance(template, Mistake)
    budget = Budget(characters=7)
    assert [resolve(template, SCOPE, budget) for _ in range(2)] == ["Ada", "Ada"]
    assert isinstance(resolve(template, SCOPE, budget), Mistake)


def test_a_list_counts_with_all_it_holds() -> None:
    template = parse("${{ vars.list }}")
    assert not isinstance(template, Mistake)
    assert isinstance(resolve(template, SCOPE, Budget(characters=3)), Mistake)


def test_one_result_has_a_limit() -> None:
    template = parse("-${{ vars.big }}")
    assert not isinstance(template, Mistake)
    found = resolve(template, {"vars": {"big": "x" * 70_000}}, Budget())
    assert isinstance(found, Mistake)


@given(st.text(alphabet="${}[]()'\". \nvarspot0"))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    value_of(text)


@given(st.text())
def test_a_text_without_an_opening_is_itself(text: str) -> None:
    if "${{" not in text:
        assert value_of(text) == text


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python3 -m http.server", ["python3", "-m", "http.server"]),
        ("run --port=${{ vars.port }} ${{ vars.name }}", ["run", "--port=8101", "Ada"]),
        ("run '${{ vars.name }} ${{vars.on}}'", ["run", "Ada true"]),
        ('run "a b"${{ vars.name }}', ["run", "a bAda"]),
        ('run ${{ vars["two words"] }}', ["run", "x"]),
        ("run ''", ["run", ""]),
        ("run a\\ b # no remark", ["run", "a b", "#", "no", "remark"]),
        ("run ; rm -rf / $(id) `id` > x", ["run", ";", "rm", "-rf", "/", "$(id)", "`id`", ">", "x"]),
        ("run \ue0000\ue000 ${{ vars.name }}", ["run", "\ue0000\ue000", "Ada"]),
    ],
)
def test_a_command_is_words_and_never_a_shells(command: str, words: list[str]) -> None:
    templates = split(command)
    assert not isinstance(templates, Mistake)
    assert [str(resolve(template, SCOPE, Budget())) for template in templates] == words


@pytest.mark.parametrize(
    ("value", "word"),
    [("a b", "a b"), ("'", "'"), ("; x", "; x"), ("\ue000", "\ue000"), ("${{ vars.x }}", "${{ vars.x }}")],
)
def test_a_value_stays_one_word_whatever_is_in_it(value: str, word: str) -> None:
    templates = split("run ${{ vars.x }}")
    assert not isinstance(templates, Mistake)
    assert resolve(templates[1], {"vars": {"x": value}}, Budget()) == word


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("run 'x", "no closing quotation"),
        ("run \\", "no escaped character"),
        ("", "1 to 1000 words"),
        ("   ", "1 to 1000 words"),
        ("a " * 1_001, "1 to 1000 words"),
        ("run ${{ }}", "not an expression"),
        ("".join(chr(code) for code in range(0xE000, 0xF900)), "private character"),
    ],
)
def test_what_is_no_command_is_said_to_be_none(command: str, message: str) -> None:
    found = split(command)
    assert isinstance(found, Mistake)
    assert message in found.message
