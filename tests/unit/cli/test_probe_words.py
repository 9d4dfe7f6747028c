"""A verification's rounds and what was found on the target, as people read them."""

from datetime import timedelta
from typing import Any

import pytest

from services.cli import probe_words
from services.cli.output import Document
from shared.events import Diagnostics, LogLine, ProbeResult, ProbeRound
from tests.builders import START

URL = "http://127.0.0.1:4000/health"
REFUSED: dict[str, Any] = {"passed": False, "fault": "refused", "problem": "nothing listens there"}
BROKEN: dict[str, Any] = {
    "passed": False, "fault": "status", "status": 500, "problem": "answered 500", "latency_seconds": 0.012
}  # fmt: skip
FINE: dict[str, Any] = {"passed": True, "status": 200, "latency_seconds": 0.004}


def round_(number: int, *probes: dict[str, Any], further: int = 0) -> Document:
    at = START + timedelta(seconds=number)
    made = tuple(ProbeResult(**{"at": at, "url": URL, **probe}) for probe in probes)
    return ProbeRound(number=number, at=at, probes=made, further=further).model_dump(mode="json")


def clock(seconds: int) -> str:
    return f"{START + timedelta(seconds=seconds):%H:%M:%S}Z"


def table(*rounds: Document) -> list[str]:
    return list(probe_words.table(rounds))


def test_rounds_that_went_alike_are_told_once_with_the_span_of_their_latency() -> None:
    slower = BROKEN | {"latency_seconds": 0.2}
    assert table(round_(1, REFUSED), round_(2, BROKEN), round_(3, slower), round_(4, BROKEN)) == [
        f"  round 1, {clock(1)}",
        f"    no  refused    -           {URL}",
        "        nothing listens there",
        f"  rounds 2 to 4, {clock(2)} to {clock(4)}",
        f"    no  500        12-200 ms   {URL}",
        "        answered 500",
    ]


def test_each_probe_of_a_round_has_its_line_and_one_that_passed_needs_no_reason() -> None:
    other = FINE | {"url": "http://127.0.0.1:4000/"}
    assert table(round_(1, FINE | {"problem": "is not shown"}, other, further=2))[1:] == [
        f"    ok  200        4 ms        {URL}",
        "    ok  200        4 ms        http://127.0.0.1:4000/",
        "    and 2 more",
    ]


def test_of_a_long_verification_the_beginning_and_the_end_are_shown() -> None:
    rounds = [round_(number, FINE if number % 2 else REFUSED) for number in range(1, 301)]
    told = table(*rounds)
    assert sum(line.startswith("  round") for line in told) == 6
    assert "  ... 294 rounds more" in told
    assert told[0].startswith("  round 1,")
    assert any(line.startswith("  round 300,") for line in told)


def test_a_round_of_which_only_is_told_that_it_passed_says_so() -> None:
    assert table(round_(1, further=3)) == [f"  round 1, {clock(1)}", "    ok  all 3 passed"]


def test_rounds_that_are_not_told_are_counted_and_not_taken_for_those_around_them() -> None:
    told = table(round_(1, REFUSED), round_(2, REFUSED), round_(147, REFUSED), round_(148, REFUSED))
    assert [line for line in told if "round" in line] == [
        f"  rounds 1 to 2, {clock(1)} to {clock(2)}",
        "  ... 144 rounds more",
        f"  rounds 147 to 148, {clock(147)} to {clock(148)}",
    ]


def test_a_verifier_that_was_away_and_counts_anew_leaves_no_gap() -> None:
    told = table(round_(7, REFUSED), round_(1, BROKEN))
    assert [line.split(",")[0] for line in told if "round" in line] == ["  round 7", "  round 1"]


def test_of_a_round_with_very_many_probes_not_all_are_shown() -> None:
    told = table(round_(1, *[BROKEN | {"url": f"{URL}/{number}"} for number in range(60)]))
    assert len(told) == 22
    assert told[-1] == "    and 50 more"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [([], "-"), ([0.0004], "0 ms"), ([0.9, 1.24], "0.9-1.2 s"), ([1.21, 1.24], "1.2 s"), ([5.0], "5.0 s")],
)
def test_a_latency_is_told_in_a_unit_that_people_compare(seconds: list[float], said: str) -> None:
    rounds = [round_(each, BROKEN | {"latency_seconds": second}) for each, second in enumerate(seconds)]
    told = table(*(rounds or [round_(1, BROKEN | {"latency_seconds": None})]))
    assert told[1].split(maxsplit=2)[2].startswith(said)


def found(**facts: Any) -> list[str]:
    return list(probe_words.on_the_target(Diagnostics(at=START, **facts).model_dump(mode="json")))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"process": "running"}, "running"),
        ({"process": "exited", "exit_code": 0}, "ended, with exit code 0"),
        ({"process": "exited", "exit_code": 1, "restarts": 1}, "ended, with exit code 1; started again once"),
        (
            {"process": "exited", "signal": "SIGKILL", "restarts": 3},
            "ended, by SIGKILL; started again 3 times",
        ),
        ({"process": "lost"}, "gone, and nothing says how it ended"),
        ({"process": "absent"}, "none was started"),
    ],
)
def test_a_process_is_told_with_how_it_ended(facts: dict[str, Any], said: str) -> None:
    assert found(**facts) == [f"  process    {said}", "  listening  nowhere"]


def test_where_it_listens_and_its_last_output_are_told() -> None:
    lines = tuple(LogLine(at=START, text=f"line {number}") for number in range(20))
    told = found(process="running", listening=("127.0.0.1:5000", "[::]:8080"), log_tail=lines)
    assert told[1:4] == ["  listening  127.0.0.1:5000, [::]:8080", "  it said last", "    | line 10"]
    assert told[-1] == "    | line 19"


def test_a_line_of_output_without_an_end_is_cut() -> None:
    told = found(process="running", log_tail=(LogLine(at=START, text="x" * 2_000),))
    assert told[-1] == f"    | {'x' * 300} ..."


@pytest.mark.parametrize(
    ("kind", "said"), [("http", "answered"), ("tcp", "open"), ("command", "exit 0"), ("process", "runs")]
)
def test_what_passed_without_a_status_is_told_by_what_it_is(kind: str, said: str) -> None:
    assert table(round_(1, {"passed": True, "kind": kind, "url": "it"}))[1].startswith(f"    ok  {said} ")
