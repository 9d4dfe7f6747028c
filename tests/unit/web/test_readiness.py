"""What a process says is missing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.faults import TryAgain
from shared.web import readiness
from shared.web.readiness import BY_ITSELF, missing, not_ready


def saying(reason: str) -> Callable[[], Awaitable[str]]:
    async def check() -> str:
        return reason

    return check


async def raising() -> str:
    raise TryAgain("the broker is away")


async def hanging() -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def test_everything_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_SECONDS_MAX", 0.01)
    checks = {"a": saying(""), "b": saying("not yet"), "c": raising, "d": hanging}
    assert await missing(checks) == {
        "b": "not yet",
        "c": "the broker is away",
        "d": "no answer within 0.01 seconds",
    }


def test_the_answer_names_them_for_people_and_for_programs() -> None:
    document = not_ready({"bus": "not yet", "start": "soon"}).document
    assert document.status == 503
    assert document.detail == "bus: not yet; start: soon"
    assert document.model_dump()["not_ready"] == {"bus": "not yet", "start": "soon"}
    assert document.next == BY_ITSELF
