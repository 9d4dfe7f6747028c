"""The page's tables of what is asked of Windlass: as it stands, and as a ratio of what a peer gave."""

from collections.abc import Sequence

from benchmarks.budgets import BUDGETS, WINDLASS
from benchmarks.figures import Series
from benchmarks.verdict import (
    Related,
    Verdict,
    asked,
    asked_beside,
    asked_ratio,
    measured,
    number,
    place,
)
from deploy.docs.markdown import table

WORDS = """\
## What is asked

Each budget is a figure of one machine on one day, most of them beside what a peer gave there. Where that
peer ran beside Windlass in one run, the design asks for the ratio of the two, for what slows a machine slows
both: there "as a ratio" is the verdict that counts, and the table below it says how it came about. The
verdict on the figure itself stands beside it all the same. Where no peer ran, that one counts, and so it does
for what is counted (runs, pushes, effects): no machine's speed excuses it.

What is asked along a growth curve holds at each of its places, unless one is named; the worst is shown.

"""
RATIOS = """\
### As a ratio of a peer

Windlass / peer, of the same statistic. What was measured is taken round by round: the median of the rounds,
and in brackets the lowest and the highest. 0.10 is a tenth of the peer's; of rates, more than 1 is better.
Along a growth curve it is taken where the peer stands too.

"""
NOBODY = "not measured beside it"


def what_is_asked(found: Sequence[Verdict]) -> str:
    """Return the section."""
    return f"{WORDS}{_figures(found)}\n{RATIOS}{_ratios(found)}"


def _figures(found: Sequence[Verdict]) -> str:
    rows: list[tuple[str, ...]] = []
    for budget in BUDGETS:
        judged = [verdict for verdict in found if verdict.budget == budget]
        rows += map(_judged, judged) if judged else [_unmeasured(budget.subject, asked(budget))]
    return table(("", "asked", "measured", "verdict", "as a ratio", "suite"), rows)


def _unmeasured(subject: str, words: str) -> tuple[str, ...]:
    return (subject, words, "", "not measured", "", "")


def _judged(verdict: Verdict) -> tuple[str, ...]:
    budget, series, words = verdict.budget, verdict.series, verdict.words
    return (
        _of(series, budget.subject),
        asked(budget),
        measured(budget.figure(series), series.unit),
        words if verdict.is_met else f"**{words}**",
        _related_words(verdict.related) if verdict.related else "",
        f"[{verdict.suite}](#{verdict.suite})",
    )


def _related_words(related: Related) -> str:
    is_good = related.is_met or related.budget.is_counted
    return related.words if is_good else f"**{related.words}**"


def _ratios(found: Sequence[Verdict]) -> str:
    rows: list[tuple[str, ...]] = []
    for budget in BUDGETS:
        if budget.beside is None or budget.ratio is None:
            continue
        both, share = asked_beside(budget, budget.beside), asked_ratio(budget, budget.ratio)
        related = [each.related for each in found if each.budget == budget and each.related]
        rows += [
            (_of(each.series, budget.subject), each.peer.party, both, share, *_compared(each))
            for each in related
        ]
        if not related:
            rows.append((budget.subject, budget.beside.party, both, share, "", "", NOBODY))
    return table(("", "peer", "asked", "ratio asked", "measured", "ratio measured", "verdict"), rows)


def _compared(related: Related) -> tuple[str, ...]:
    budget, ratio = related.budget, related.measured
    ours, theirs = budget.figure(related.series), budget.figure(related.peer)
    spread = f"({number(ratio.lowest)} to {number(ratio.highest)})"
    return (
        f"{number(ours)} / {measured(theirs, related.peer.unit)}",
        f"{number(ratio.median)} {spread}",
        _related_words(related),
    )


def _of(series: Series, subject: str) -> str:
    """Say what was measured, of which Windlass, where on its curve."""
    which = series.party.removeprefix(WINDLASS).strip(" ,()")
    return ", ".join(filter(None, (subject, which, f"at {place(series)}" if place(series) else "")))
