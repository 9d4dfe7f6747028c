"""How services are doing, in words and in a line of one character an hour."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.cli import words
from services.cli.output import Cell, Document
from services.cli.paragraph import paragraph
from services.cli.probe_words import span_of_latency

COLUMNS = ("Pipeline", "Stage", "Service", "Health", "Since", "Revision", "Why")
STYLES: Mapping[str, str] = {"healthy": "green", "degraded": "red", "unreachable": "red", "unknown": "dim"}
HOURS_SHOWN = 24
CHANGES_SHOWN_MAX = 5
MOSTLY = 0.5  # of an hour's looks

GOOD, SLOW, PARTLY_BAD, MOSTLY_BAD, NO_LOOK = ".", "~", "!", "X", "-"
LEGEND = (
    f'An hour is "{GOOD}" good, "{SLOW}" at times slow, "{PARTLY_BAD}" at times bad, "{MOSTLY_BAD}" mostly '
    f'bad, "{NO_LOOK}" not looked at. Looks are told five minutes at a time.'
)


def rows(stage: Document) -> Iterator[list[Cell]]:
    """Yield a line of the list for each service of a stage."""
    for service in stage["services"]:
        now = service["now"]
        yield [
            stage["pipeline"],
            stage["stage"],
            service["service"],
            (now["health"], STYLES.get(now["health"], "")),
            words.ago(now["since"]),
            str(now["revision"]),
            now["reason"],
        ]


def told(stage: Document, now: datetime) -> Iterator[str]:
    """Yield all about a stage's services."""
    yield f"{stage['pipeline']}/{stage['stage']} is {stage['status']}."
    if not stage["services"]:
        yield "  Nothing is live here whose health is looked at."
    for service in stage["services"]:
        yield ""
        yield from _service(service, now)


def _service(service: Document, now: datetime) -> Iterator[str]:
    standing = service["now"]
    lasting = words.ago(standing["since"]).removesuffix(" ago")
    yield f"{service['service']} of revision {standing['revision']}: {standing['health']} for {lasting}"
    yield from paragraph(standing["reason"], "  why        ")
    if standing["looked_at"]:
        yield f"  last look  told {words.ago(standing['looked_at'])}"
    day = _last_day(service["history"], now)
    if day:
        yield f"  last day   {line(day, now)}  {_shares(day)}"
        yield from _latency(day)
    for place, change in enumerate(service["changes"][: -CHANGES_SHOWN_MAX - 1 : -1]):
        yield from _change(change, "changes" if place == 0 else "")


def _change(change: Document, label: str) -> Iterator[str]:
    when = words.ago(change["since"])
    said = f"{change['health']}, before {change['before']} (revision {change['revision']})"
    yield from paragraph(f"{said}: {change['reason']}", f"  {label:<9}  {when:<10}  ")


def _last_day(history: Sequence[Document], now: datetime) -> list[Document]:
    """Return the hours of the last day in which somebody looked."""
    first = _hour(now) - timedelta(hours=HOURS_SHOWN - 1)
    return [each for each in history if each["looks"] and _hour(_begin(each)) >= first]


def line(day: Sequence[Document], now: datetime) -> str:
    """Return a character for each hour of the last day, this one last."""
    known = {_hour(_begin(each)): _character(each) for each in day}
    hours = [_hour(now) - timedelta(hours=back) for back in range(HOURS_SHOWN - 1, -1, -1)]
    return "".join(known.get(hour, NO_LOOK) for hour in hours)


def _character(stretch: Document) -> str:
    wrong = stretch["bad"] + stretch["silent"]
    if wrong:
        return MOSTLY_BAD if wrong >= stretch["looks"] * MOSTLY else PARTLY_BAD
    return SLOW if stretch["slow"] else GOOD


def _shares(day: Sequence[Document]) -> str:
    looks = sum(each["looks"] for each in day)
    counts = {
        "good": sum(each["good"] for each in day),
        "slow": sum(each["slow"] for each in day),
        "bad": sum(each["bad"] for each in day),
        "no answer": sum(each["silent"] for each in day),
    }
    return ", ".join(f"{_percent(count, looks)} {name}" for name, count in counts.items() if count)


def _percent(count: int, of: int) -> str:
    """Return a share that is 100 % only if it is all, and 0 % only if it is nothing."""
    share = count * 100 // of
    return f"{share} %" if share else "under 1 %"


def _latency(day: Sequence[Document]) -> Iterator[str]:
    known = [each for each in day if each["latency_seconds"] is not None]
    if known:
        usual = sum(each["latency_seconds"] * each["looks"] for each in known)
        looks = sum(each["looks"] for each in known)
        most = max(each["latency_seconds_max"] or each["latency_seconds"] for each in known)
        yield f"  answers    {span_of_latency([usual / looks])} on average, {span_of_latency([most])} at most"


def _begin(stretch: Document) -> datetime:
    return datetime.fromisoformat(stretch["begins_at"])


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
