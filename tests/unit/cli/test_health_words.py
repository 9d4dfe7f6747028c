"""How services are told to do: a line for each hour, shares that do not flatter, the last changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.cli import health_words, words
from services.cli.output import Document

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STANDING = {
    "health": "degraded",
    "since": "2026-03-02T09:20:00Z",
    "reason": "2 of 6 looks bad",
    "revision": 12,
    "looked_at": None,
}


def hour(back: int, good: int = 0, slow: int = 0, bad: int = 0, silent: int = 0, **more: Any) -> Document:
    begins = NOW.replace(minute=0) - timedelta(hours=back)
    answers = good + slow + bad
    return {
        "begins_at": begins.isoformat(),
        "looks": answers + silent,
        "good": good,
        "slow": slow,
        "bad": bad,
        "silent": silent,
        "latency_seconds": 0.01 if answers else None,
        "latency_seconds_max": 0.2 if answers else None,
        **more,
    }


def service(*history: Document, **more: Any) -> Document:
    return {"service": "serve", "now": STANDING, "changes": [], "history": [*history], **more}


def told(*services: Document) -> list[str]:
    stage = {"pipeline": "shop", "stage": "staging", "status": "degraded", "services": [*services]}
    return list(health_words.told(stage, NOW))


def last_day(*history: Document) -> str:
    [line] = [line for line in told(service(*history)) if line.startswith("  last day")]
    return line.removeprefix("  last day   ")


@pytest.mark.parametrize(
    ("looks", "character"),
    [
        ({"good": 120}, "."),
        ({"good": 119, "slow": 1}, "~"),
        ({"good": 119, "bad": 1}, "!"),
        ({"good": 61, "bad": 30, "silent": 29}, "!"),
        ({"good": 60, "slow": 1, "bad": 30, "silent": 31}, "X"),
        ({"silent": 1}, "X"),
        ({"slow": 120}, "~"),
    ],
)
def test_an_hour_is_as_good_as_its_looks(looks: dict[str, int], character: str) -> None:
    assert last_day(hour(0, **looks))[:24] == f"{'-' * 23}{character}"


def test_the_hours_stand_in_their_order_and_what_is_older_than_a_day_is_left_out() -> None:
    history = [hour(24, bad=9), hour(23, good=9), hour(2, slow=9), hour(0, bad=9)]
    assert last_day(*history)[:24] == f".{'-' * 20}~-X"


def test_hours_are_those_of_utc_wherever_they_are_told_from() -> None:
    elsewhere = hour(3, good=9) | {"begins_at": "2026-03-02T12:15:00+05:45"}
    assert last_day(elsewhere)[:24] == f"{'-' * 20}.---"


def test_shares_are_never_flattered() -> None:
    assert last_day(hour(0, good=9_999, silent=1)).endswith("  99 % good, under 1 % no answer")
    assert last_day(hour(0, good=2), hour(1, slow=1, bad=1)).endswith("  50 % good, 25 % slow, 25 % bad")
    assert last_day(hour(0, good=2)).endswith("  100 % good")


def test_latencies_are_weighed_by_how_many_looks_there_were() -> None:
    lines = told(service(hour(1, good=1, latency_seconds=1.0), hour(0, good=9, latency_seconds=0.1)))
    assert "  answers    190 ms on average, 200 ms at most" in lines


def test_nothing_is_made_up_where_nobody_looked() -> None:
    lines = told(service(hour(30, good=9), hour(1) | {"looks": 0}))
    assert lines[1:3] == ["", lines[2]]
    assert lines[2].startswith("serve of revision 12: degraded for ")
    assert lines[3:] == ["  why        2 of 6 looks bad"]


def test_only_silence_has_no_latency() -> None:
    assert not [line for line in told(service(hour(0, silent=3))) if line.startswith("  answers")]


def test_the_last_changes_are_told_the_newest_first() -> None:
    changes = [
        {
            "health": "healthy",
            "before": "degraded",
            "since": NOW.isoformat(),
            "reason": f"reason {number}",
            "revision": number,
        }
        for number in range(9)
    ]
    found = [line for line in told(service(changes=changes)) if "before degraded" in line]
    assert [line.rpartition(" ")[2] for line in found] == ["8", "7", "6", "5", "4"]
    assert [line.startswith("  changes ") for line in found] == [True, False, False, False, False]


def test_a_stage_without_services_says_so() -> None:
    assert told() == ["shop/staging is degraded.", "  Nothing is live here whose health is looked at."]


def test_when_a_look_was_last_told_of_is_said_where_there_was_one() -> None:
    seen = service(now=STANDING | {"looked_at": "2026-03-02T09:26:00Z"})
    assert [line for line in told(seen, service()) if line.startswith("  last look  told ")] == [
        f"  last look  told {words.ago('2026-03-02T09:26:00Z')}"
    ]
