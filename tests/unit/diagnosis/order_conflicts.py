"""Which rules find something in the same failure: for each rule's example, who else does, and where.

What decides among them is the place, and in one place the order of the rules. The list is checked in, so
that a change of order, or a pattern that takes in more than it should, is seen in a diff.
"""

from collections.abc import Iterator
from pathlib import Path

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import IN_THE_END, SETTLED, Finding
from shared.diagnosis.rules import RULES

LISTED = Path(__file__).with_name("order_conflicts.txt")
HEADING = """\
# For the example of each rule: the rules that find something in it, as `place rule`, in the order in which
# they count. The first has it. `settled` stands before every line, `end` after all of them; rules that are
# known only from the end and come last anyway are left out where a line decides.
# Written by `python -m tests.unit.diagnosis.accept`.
"""


def listed() -> str:
    """Return the list as it is checked in."""
    return HEADING + "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    for rule in RULES:
        if rule.example is not None:
            found = _finders(rule.example)
            if len(found) > 1:
                yield f"{rule.name}: {', '.join(f'{_where(finding)} {name}' for finding, name in found)}"


def _finders(case: Case) -> list[tuple[Finding, str]]:
    found = [(finding, rule.name) for rule in RULES if (finding := rule.find(case))]
    found.sort(key=lambda pair: pair[0].place)
    decided = found[0][0].place < IN_THE_END
    return [pair for pair in found if not decided or pair[0].place < IN_THE_END]


def _where(finding: Finding) -> str:
    return {SETTLED: "settled", IN_THE_END: "end"}.get(finding.place, str(finding.place + 1))
