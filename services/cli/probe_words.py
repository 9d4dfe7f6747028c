"""What a verification asked and what came back, and what was found on the target, in words.

Rounds that went alike are told once: a service that refuses for a minute is one entry, and not three hundred.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.cli.output import Document
from services.cli.paragraph import paragraph

STRETCHES_FIRST, STRETCHES_LAST = 2, 4  # shown of a long verification: how it began, how it ended
PROBES_SHOWN_MAX = 10  # of one round
OUTPUT_LINES_MAX, OUTPUT_CHARACTERS_MAX = 10, 300
SHORT_SECONDS = 1.0  # below, milliseconds count
ANSWER_COLUMNS, TOOK_COLUMNS = 11, 12

PASSED = {"http": "answered", "tcp": "open", "command": "exit 0", "process": "runs"}
PROCESS = {
    "running": "running",
    "exited": "ended",
    "lost": "gone, and nothing says how it ended",
    "absent": "none was started",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rounds one after the other in which each probe came to the same."""

    rounds: tuple[Document, ...]

    @property
    def outcome(self) -> Any:
        """Return what each of its rounds came to."""
        return _outcome(self.rounds[-1])


def stretches(rounds: Sequence[Document]) -> list[Stretch]:
    """Return the rounds, those that went alike put together."""
    found: list[Stretch] = []
    for each in rounds:
        if found and found[-1].outcome == _outcome(each) and not _between(found[-1].rounds[-1], each):
            found[-1] = Stretch((*found[-1].rounds, each))
        else:
            found.append(Stretch((each,)))
    return found


def _between(earlier: Document, later: Document) -> int:
    """Return how many rounds between two are not told; a verifier that was away counts from 1 again."""
    return max(int(later["number"] - earlier["number"]) - 1, 0)


def _outcome(round_: Document) -> Any:
    probes = [
        (probe["service"], probe["url"], probe["passed"], probe["status"], probe["fault"])
        for probe in round_["probes"]
    ]
    return probes, bool(round_["further"])


def table(rounds: Sequence[Document]) -> Iterator[str]:
    """Yield the rounds: when, what was asked, what came back, how long that took."""
    found = stretches(rounds)
    shown = [*found[:STRETCHES_FIRST], *found[STRETCHES_FIRST:][-STRETCHES_LAST:]]
    for place, stretch in enumerate(shown):
        between = _between(shown[place - 1].rounds[-1], stretch.rounds[0]) if place else 0
        if between:
            yield f"  ... {between} rounds more"
        yield from _stretch(stretch)


def _stretch(stretch: Stretch) -> Iterator[str]:
    first, last = stretch.rounds[0], stretch.rounds[-1]
    which = f"round {first['number']}" if last is first else f"rounds {first['number']} to {last['number']}"
    clocks = dict.fromkeys((_clock(first["at"]), _clock(last["at"])))
    yield f"  {which}, {' to '.join(clocks)}"
    for place, probe in enumerate(last["probes"][:PROBES_SHOWN_MAX]):
        yield from _probe(probe, [each["probes"][place] for each in stretch.rounds])
    further = last["further"] + max(len(last["probes"]) - PROBES_SHOWN_MAX, 0)
    if further:
        yield f"    and {further} more" if last["probes"] else f"    ok  all {further} passed"


def _probe(probe: Document, same: Sequence[Document]) -> Iterator[str]:
    answer = str(probe["status"] or probe["fault"] or PASSED[probe["kind"]])
    latencies = [each["latency_seconds"] for each in same if each["latency_seconds"] is not None]
    mark = "ok" if probe["passed"] else "no"
    yield f"    {mark}  {answer:<{ANSWER_COLUMNS}}{span_of_latency(latencies):<{TOOK_COLUMNS}}{probe['url']}"
    if not probe["passed"] and probe["problem"]:
        yield from paragraph(probe["problem"], " " * 8)


def span_of_latency(seconds: Sequence[float]) -> str:
    """Return from where to where latencies went; "-" for none."""
    if not seconds:
        return "-"
    least, most = min(seconds), max(seconds)
    if most >= SHORT_SECONDS:
        return f"{most:.1f} s" if f"{least:.1f}" == f"{most:.1f}" else f"{least:.1f}-{most:.1f} s"
    least, most = round(least * 1000), round(most * 1000)
    return f"{most} ms" if least == most else f"{least}-{most} ms"


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%H:%M:%S}Z"


def on_the_target(found: Document) -> Iterator[str]:
    """Yield what was found there at the moment of the failure."""
    how = f", by {found['signal']}" if found["signal"] else ""
    if found["exit_code"] is not None:
        how = f", with exit code {found['exit_code']}"
    restarts = f"; started again {_times(found['restarts'])}" if found["restarts"] else ""
    yield from paragraph(f"{PROCESS[found['process']]}{how}{restarts}", "  process    ")
    yield from paragraph(", ".join(found["listening"]) or "nowhere", "  listening  ")
    lines = found["log_tail"][-OUTPUT_LINES_MAX:]
    if lines:
        yield "  it said last"
        yield from (f"    | {_cut(line['text'])}" for line in lines)


def _cut(text: str) -> str:
    return text if len(text) <= OUTPUT_CHARACTERS_MAX else f"{text[:OUTPUT_CHARACTERS_MAX]} ..."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
