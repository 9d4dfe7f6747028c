"""What holds of every rule: its example, its near miss, its fix card, and what it costs."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from shared.diagnosis.evidence import LINES_MAX, Case, Setting, case_of_log
from shared.diagnosis.rollback_rules import ROLLBACK_RULES, RollbackRule
from shared.diagnosis.rule import Rule
from shared.diagnosis.rules import RULES, classify_case, classify_log
from tests.unit.diagnosis import order_conflicts

SETTING = Setting("shop", "staging", "7")
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
MEGABYTE = 1024**2


def test_every_rule_has_a_name_of_its_own() -> None:
    names = Counter([*(rule.name for rule in RULES), *(rule.name for rule in ROLLBACK_RULES)])
    assert [name for name, number in names.items() if number > 1] == []
    assert all(name.replace("_", "a").isalnum() and name.islower() for name in names)


@EACH
def test_a_rule_names_its_example(rule: Rule) -> None:
    assert rule.example is not None
    found = classify_case(rule.example, SETTING)
    assert found.rule == rule.name
    assert found.confidence == rule.confidence


@EACH
def test_a_rule_does_not_name_what_only_looks_like_it(rule: Rule) -> None:
    assert rule.near_miss is not None
    assert classify_case(rule.near_miss, SETTING).rule != rule.name


@EACH
def test_a_rule_says_what_to_look_at_and_how_it_is_seen_to_be_mended(rule: Rule) -> None:
    assert rule.check or any("{pipeline}" not in command for command in rule.commands)
    _in_sentences((rule.cause, rule.done_when, *rule.check))
    assert len(set(rule.commands)) == len(rule.commands)


@pytest.mark.parametrize("rule", ROLLBACK_RULES, ids=lambda rule: rule.name)
def test_a_rollback_has_its_own_fix_card(rule: RollbackRule) -> None:
    assert rule.check
    assert rule.commands
    _in_sentences((rule.cause, rule.done_when, *rule.check))


def _in_sentences(texts: Sequence[str]) -> None:
    for text in texts:
        assert text[0].isupper() or not text[0].isalpha(), text
        assert text.endswith((".", "!")), text
        assert "  " not in text, text


def test_which_rules_meet_in_one_failure_is_listed() -> None:
    listed = order_conflicts.LISTED.read_text("utf-8")
    assert order_conflicts.listed() == listed, "python -m tests.unit.diagnosis.accept, and look at the diff"


TRIES = 3  # a machine that is busy may be slow once
SECONDS_MAX = 30
LONG = 100_000  # characters of a line, which is cut long before it comes to a rule
# fmt: off
NASTY = (
    "a: ", "(", "ERROR: Get ", "= 1 failed ", "connection ", "\x1b[", "/", "java.lang.", "0:1:2: ", "  ",
    "error ", "npm error code ", " > ", "fatal: unable to access ", "\u2502 Error: ", "x.y(1,1) ",
    "An error occurred (", "A",
)
# fmt: on


def test_a_rule_takes_four_times_the_time_for_four_times_the_log() -> None:
    """Time grows with the log and not with its square; counted as a ratio, for machines differ."""
    slow = [rule.name for rule in RULES if not any(_grows_evenly(rule) for _ in range(TRIES))]
    assert slow == []


def _grows_evenly(rule: Rule) -> bool:
    lines = tuple(text * 20 for text in (*NASTY, *_cut(rule)))
    small, large = _seconds(rule, lines * 4), _seconds(rule, lines * 16)
    return large < max(small, 0.001) * 4 * 2.5


def _cut(rule: Rule) -> Iterator[str]:
    """Yield how this rule's own lines begin: what matches nearly takes longest."""
    assert rule.example is not None
    yield from (line[: len(line) * 2 // 3] for line in rule.example.lines[:2])


def _seconds(rule: Rule, lines: tuple[str, ...]) -> float:
    begun = time.process_time()
    rule.find(Case("unknown", "unknown", lines))
    return time.process_time() - begun


def test_a_line_without_an_end_costs_no_more_than_its_beginning() -> None:
    begun = time.process_time()
    for text in NASTY:
        long = (text * (LONG // len(text)),)
        for rule in RULES:
            rule.find(Case("unknown", "unknown", long))
    assert time.process_time() - begun < SECONDS_MAX


@pytest.mark.parametrize("text", [*NASTY, "\n", "\x1b]8;;"])
def test_ten_megabytes_of_anything_are_classified(text: str) -> None:
    log = text * (10 * MEGABYTE // len(text))
    assert len(case_of_log(log).lines) <= LINES_MAX
    assert classify_log(log).evidence is not None
