"""What came of pushes, in words."""

from typing import Any

from services.cli import push_words
from shared.clock import SystemClock

FILE = ".windlass/shop/pipeline.yaml"


def problem(line: int, message: str, rule: str = "unknown-key", severity: str = "error") -> dict[str, Any]:
    place = {"file": FILE, "line": line, "column": 5}
    return {**place, "message": message, "hint": "", "rule": rule, "severity": severity}


def decision(kind: str, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"revision": None, "reason": "", "message": "", "problems": []}
    return {"pipeline": "shop", "commit": "c" * 40, "decision": kind, **empty, **more}


def push(*decisions: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {
        "repository": "acme/shop",
        "branch": "main",
        "tag": "",
        "commit": "c" * 40,
        "trigger": "push",
        "pusher": "",
        "received_at": SystemClock().now().isoformat(),
        "refused_code": "",
        "refused_message": "",
    }
    return {**usual, "decisions": list(decisions), **more}


def test_each_push_says_what_came_of_it() -> None:
    lines = list(
        push_words.told(
            [
                push(),
                push(refused_code="no_pipeline", refused_message="it defines\x1b[2J no pipeline", tag="v1"),
                push(decision("skipped", reason="untouched", message="nothing in /app differs")),
                push(decision("planned", revision=12), trigger="manual", pusher="ann"),
            ],
            None,
        )
    )
    assert lines == [
        "0 s ago: cccccccc of main in acme/shop",
        "  it is being looked at",
        "0 s ago: cccccccc of tag v1 in acme/shop",
        "  refused: it defines\\x1b[2J no pipeline",
        "0 s ago: cccccccc of main in acme/shop",
        "  shop: skipped, nothing in /app differs",
        "0 s ago: cccccccc of main in acme/shop, asked for by hand, by ann",
        "  shop: planned as revision 12",
    ]


def test_problems_are_told_where_they_may_still_hold() -> None:
    broken = decision("rejected", problems=[problem(7, "no such key")])
    lines = list(push_words.told([push(broken), push(broken)], "shop"))
    assert sum(f"{FILE}:7:5: no such key" in line for line in lines) == 1
    mended = list(push_words.told([push(decision("planned", revision=1)), push(broken)], "shop"))
    assert mended[-1] == "  shop: rejected, 1 problem"


def test_what_cannot_be_carried_out_yet_is_told_of_together() -> None:
    found = [problem(7, "no such key"), *(problem(n, f"not {n} yet", "unsupported") for n in (9, 12))]
    assert list(push_words.problems(found)) == [
        f"{FILE}:7:5: no such key",
        f"{FILE}: this release can plan the following and cannot carry it out:",
        "   9:5 | not 9 yet",
        "  12:5 | not 12 yet",
    ]


def test_of_very_many_problems_the_rest_is_counted() -> None:
    lines = list(push_words.problems([problem(n, "no") for n in range(1, 1_000)]))
    assert len(lines) == push_words.PROBLEMS_MAX + 1
    assert lines[-1] == "and 949 more, which --json lists"


def test_status_tells_of_a_rejection_in_one_line_that_begins_with_the_first_error() -> None:
    found = [problem(2, "a remark", severity="warning"), *(problem(n, "not yet") for n in range(3, 20))]
    (line,) = push_words.notices(
        {"pipeline": "shop", "rejected": decision("rejected", problems=found), "skipped": None}
    )
    assert line == (
        f"shop: the newest push is rejected: {FILE}:3:5: not yet; and 17 more: `windlass pushes shop`"
    )


def test_status_tells_of_a_skipped_push_in_one_line() -> None:
    skipped = decision("skipped", reason="untouched", message="nothing in /app differs")
    (line,) = push_words.notices({"pipeline": "shop", "rejected": None, "skipped": skipped})
    assert line == "shop: the newest push (cccccccc) needs no revision: nothing in /app differs"
    assert list(push_words.notices({"pipeline": "shop", "rejected": None})) == []
