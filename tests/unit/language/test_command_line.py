"""Commands written as one text: words, and never a shell's."""

import pytest

from shared.language.command_line import split
from shared.language.expression import Budget, Mistake
from shared.language.resolution import resolve

SCOPE = {"vars": {"port": 8101, "name": "Ada", "on": True, "two words": "x"}}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python3 -m http.server", ["python3", "-m", "http.server"]),
        ("run --port=${{ vars.port }} ${{ vars.name }}", ["run", "--port=8101", "Ada"]),
        ("run '${{ vars.name }} ${{vars.on}}'", ["run", "Ada true"]),
        ('run "a b"${{ vars.name }}', ["run", "a bAda"]),
        ('run ${{ vars["two words"] }}', ["run", "x"]),
        ("run ${{ format('{} of {}', vars.name, 3) }}", ["run", "Ada of 3"]),
        ("run $${{ vars.name }}", ["run", "${{", "vars.name", "}}"]),
        ("run '$${{ vars.name }}'", ["run", "${{ vars.name }}"]),
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
        ("x" * 70_000, "longer than"),
        ("".join(chr(code) for code in range(0xE000, 0xF900)), "private character"),
    ],
)
def test_what_is_no_command_is_said_to_be_none(command: str, message: str) -> None:
    found = split(command)
    assert isinstance(found, Mistake)
    assert message in found.message
