"""The page docs/benchmarks.md: a pure function of the results in docs/benchmarks/."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.asked import what_is_asked
from benchmarks.budgets import WINDLASS
from benchmarks.contents import SUITES
from benchmarks.figures import Series
from benchmarks.machine import Conditions
from benchmarks.pictures import pictures
from benchmarks.record import VALUES_MAX, Result
from benchmarks.verdict import compared, measured, number, times, verdicts
from deploy.docs.markdown import table

PLACES_MAX = 12  # of a curve, in a table
HEAD = """\
# Benchmarks

<!-- Generated from docs/benchmarks/*.json by `python -m benchmarks`: do not edit. -->

What is asked of Windlass, and what was measured of a real one, beside a peer that did the same work in the
same run. How to measure, and how to read a ratio: [benchmarks](howto/benchmarks.md).

"""
NOTHING_YET = "Nothing has been published yet: `make bench`, then `make bench ARGS=--publish`.\n"
METHOD = f"""\
## How it was measured

- Real programs, started as their documentation says, on 127.0.0.1; each suite in a fresh folder of the disk
  on which its parties keep their data.
- Rounds in turns: in each round every party has its turn (A B A B, every other round backwards); a first
  round warms up and is forgotten. Ratios are taken within a round, for a shared machine is fast in one
  minute and slow in the next.
- Nothing was made less durable for it. Windlass keeps its data in SQLite with `journal_mode=WAL` and
  `synchronous=FULL`: every commit is on the disk before it counts, a push before it is answered, an order
  before its process starts, an end before the next step. Distributed, what counts is
  committed to PostgreSQL with `synchronous_commit=on`, and Kafka acknowledges with `acks=all`.
- A quantile is the smallest value that at least its share of all values does not exceed; p99 of fewer than
  100 values is the highest of them. The files keep at most {VALUES_MAX:,} values of a series, evenly by rank.
- Beside each run stands what the machine gave before and after it: 4 KB on the disk (`fdatasync`, p50 and
  p95), `/bin/true` started and ended, a Python that does nothing, the load. None of these can be beaten;
  where before and after differ much, so may the figures.

"""


def page(results: Sequence[Result]) -> str:
    """Return the page."""
    ordered = sorted(results, key=_order)
    found = [verdict for result in ordered for verdict in verdicts(result)]
    head = [HEAD, what_is_asked(found), "" if results else NOTHING_YET]
    sections = [*head, *map(_section, ordered), METHOD, _machines(ordered)]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections if section)


def _order(result: Result) -> tuple[int, str]:
    names = list(SUITES)
    return (names.index(result.suite) if result.suite in names else len(names), result.suite)


def _section(result: Result) -> str:
    about = SUITES[result.suite].about if result.suite in SUITES else ""
    sentence = f"{about[:1].upper()}{about[1:]}.\n\n" if about else ""
    head = f"## {result.suite}\n\n{sentence}{_when(result)}\n\n"
    if result.unavailable:
        return f"{head}Not measured: {_line(result.unavailable)}\n"
    return head + "\n".join(filter(None, (_flat(result), *_curves(result), _absent(result), _seen(result))))


def _when(result: Result) -> str:
    rounds = f"{result.effort.rounds} rounds" if result.effort.rounds != 1 else "1 round"
    brief = "; **brief: figures worth little**" if result.effort.brief else ""
    return (
        f"Measured on {result.date[:10]} at {_commit(result)}, {rounds}, {_duration(result.seconds)}{brief}."
    )


def _commit(result: Result) -> str:
    machine = result.machine
    at = f"commit `{machine.commit[:12]}`" if machine.commit else f"version {machine.windlass}"
    return f"{at} with changes" if machine.changed else at


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _flat(result: Result) -> str:
    """Return the table of what is on no curve."""
    series = [each for each in result.series if each.at is None and each.rounds]
    return _figures(result, "", series, [each.subject for each in series])


def _curves(result: Result) -> Iterator[str]:
    """Yield a table for each growth curve."""
    grown = [each for each in result.series if each.at is not None and each.rounds]
    for subject, along in dict.fromkeys((each.subject, each.along) for each in grown):
        curve = [each for each in grown if (each.subject, each.along) == (subject, along)]
        shown = sorted(_thinned(curve), key=_at)
        heading = f"### {subject[:1].upper()}{subject[1:]}\n\n"
        yield heading + _figures(result, along, shown, [number(_at(each)) for each in shown])


def _thinned(curve: Sequence[Series]) -> Iterable[Series]:
    """Leave out places between others where there are more than one reads; the picture has them all."""
    places = sorted({_at(each) for each in curve})
    step = -(-len(places) // PLACES_MAX)
    kept = {*places[::step], places[-1]}
    return [each for each in curve if _at(each) in kept]


def _at(series: Series) -> float:
    assert series.at is not None
    return series.at


def _figures(result: Result, first: str, series: Sequence[Series], names: Sequence[str]) -> str:
    head = (first, "party", "p50", "p95", "p99", "lowest to highest", "values", "Windlass over it")
    rows = [
        (name, *_cells(result, each), windlass_to(each, result.series))
        for name, each in zip(names, series, strict=True)
    ]
    notes = dict.fromkeys(
        f"- {each.subject}, {each.party}: {_line(each.note)}\n" for each in series if each.note
    )
    return table(head, rows) + ("\n" + "".join(notes) if notes else "") if rows else ""


def _cells(result: Result, series: Series) -> tuple[str, ...]:
    many = result.taken_of(series)
    high = [measured(series.quantile(share), series.unit) if many > 1 else "" for share in (0.95, 0.99)]
    ends = f"{number(series.quantile(0))} to {measured(series.quantile(1), series.unit)}"
    return (
        series.party,
        measured(series.quantile(0.5), series.unit),
        *high,
        ends if many > 1 else "",
        f"{many:,} in {len(series.rounds)}" if len(series.rounds) > 1 else f"{many:,}",
    )


def windlass_to(series: Series, among: Iterable[Series]) -> str:
    """Return the ratio of Windlass to another party that did the same."""
    if series.party == WINDLASS:
        return ""
    for ours in among:
        same = (ours.subject, ours.at, ours.unit) == (series.subject, series.at, series.unit)
        if same and ours.party == WINDLASS:
            return times(compared(ours, series))
    return ""


def _absent(result: Result) -> str:
    absent = [each for each in result.series if not each.rounds]
    return "".join(
        f'- {each.party} did not take part in "{each.subject}": {_line(each.note)}\n'
        for each in dict.fromkeys(absent)
    )


def _line(words: str) -> str:
    """Return words on one line, as an item of a list has to be."""
    return " ".join(words.split())


def _seen(result: Result) -> str:
    return "\n".join(f"![{each.title}](benchmarks/{each.name}.svg)\n" for each in pictures(result))


def _machines(results: Sequence[Result]) -> str:
    """Return what each suite ran on."""
    lines = dict.fromkeys(_machine(result) for result in results)
    head = ("suite", "date", "commit", "4 KB on disk", "`/bin/true`", "Python", "load")
    rows = [
        (
            result.suite,
            result.date.replace("T", " ").removesuffix("Z"),
            _commit(result).removeprefix("commit "),
            *_before_and_after(result.before, result.after),
        )
        for result in results
    ]
    return "".join(lines) + ("\n" + table(head, rows) if rows else "")


def _machine(result: Result) -> str:
    it = result.machine
    return (
        f"- {it.processor}, {it.processors} cores, {it.memory_mb / 1000:.1f} GB of memory; {it.system}, "
        f"{it.kernel}; {it.python}, SQLite {it.sqlite}; Windlass {it.windlass}.\n"
    )


def _before_and_after(before: Conditions, after: Conditions) -> Iterator[str]:
    """Yield cells: before and after, of times in milliseconds."""
    yield f"{_synced(before)} → {_synced(after)} ms"
    yield f"{number(before.spawn_p50)} → {number(after.spawn_p50)} ms"
    yield f"{number(before.python_p50)} → {number(after.python_p50)} ms"
    yield f"{before.load:.1f} → {after.load:.1f}"


def _synced(at: Conditions) -> str:
    return f"{number(at.sync_p50)} / {number(at.sync_p95)}"
