"""The catalogue of errors says all that the vocabularies and the rules say, and leads to each by its name."""

import re

from deploy.docs import error_catalog
from deploy.docs.page import PAGES
from services.cli import failure_words
from shared.diagnosis.rollback_rules import ROLLBACK_RULES, RollbackRule
from shared.diagnosis.rule import Rule
from shared.diagnosis.rules import RULES
from shared.diagnosis.vocabulary import FAILURE_CODES

PAGE = error_catalog.render()
ALL: dict[str, Rule | RollbackRule] = {
    **{each.name: each for each in RULES},
    **{each.name: each for each in ROLLBACK_RULES},
}


def section(name: str) -> str:
    return PAGE.partition(f"\n### `{name}`\n")[2].partition("\n#")[0]


def row(word: str) -> str:
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| `{word}` | ") and _means(line)]
    return line


def _means(line: str) -> bool:
    return not re.fullmatch(r"(\| `[^`]*` )+\|", line)  # not a row of names only


def test_each_rule_is_told_with_its_cause_and_its_fix_card() -> None:
    for name, rule in ALL.items():
        told = section(name)
        assert rule.cause in told, name
        checks = [line.partition(". ")[2] for line in told.splitlines() if re.match(r"\d+\. ", line)]
        assert checks == [*rule.check], name
        assert f"\nDone when: {rule.done_when}\n" in told, name
        assert told.count("```sh") == bool(rule.commands), name


def test_each_rule_is_told_with_the_symptoms_of_its_example_and_where_it_finds_them() -> None:
    for rule in RULES:
        assert rule.example is not None, rule.name
        assert rule.example.phase in error_catalog.found_in(rule), rule.name
        assert all(line in section(rule.name) for line in rule.example.lines), rule.name


def test_each_rule_is_told_with_every_name_that_it_gives() -> None:
    for rule in RULES:
        told = section(rule.name)
        answers = {rule.answer(phase) for phase in error_catalog.found_in(rule) if phase != "unknown"}
        named = all(f"`{answer.category}` · `{answer.code}`" in told for answer in answers)
        assert named or "(#by-phase): `" in told, rule.name


def test_no_placeholder_of_a_command_is_left_in_braces() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    assert not [block for block in blocks if re.search(r"\{(pipeline|stage|revision|url)\}", block)]


def test_a_code_is_told_with_whether_it_may_pass_and_what_follows() -> None:
    for code, meaning in FAILURE_CODES.items():
        assert meaning.meaning in row(code), code
        retryable, follows = (cell.strip() for cell in row(code).split("|")[-3:-1])
        assert (retryable == "yes") == meaning.retryable, code
        assert {each.name for each in error_catalog.FOLLOWS[code]} == {*follows.split(", or ")}, code


def test_a_rule_is_reached_by_its_name_from_the_index_and_from_the_command_line() -> None:
    anchors = {name.lower() for name in re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)}
    linked = {*re.findall(r"\(#(.*?)\)", PAGE)} - {"by-phase"}
    assert linked == anchors == set(ALL)
    assert failure_words.CATALOG in {page.path for page in PAGES}
    assert "\n## By phase\n" in PAGE


def test_every_block_of_the_page_is_closed() -> None:
    assert PAGE.count("```") % 2 == 0
    assert not re.search(r"\n\n\n", PAGE)
