"""Records from topics, whoever wrote them."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.bus.kafka.envelope import headers_of
from shared.bus.kafka.reading import read_or_refuse
from shared.delivery import Foreign
from shared.events import LogAppended, PushReceived, Topic
from shared.events.envelope import Message
from shared.faults import Poison
from tests.builders import START, line, named


async def take(_message: Message[Any]) -> None: ...


def record(**changes: Any) -> Any:
    row: Any = SimpleNamespace(
        id=named("a"), type=LogAppended.type, source="builder", subject="run/a", time=START, key="run/a",
        correlation="", causation=None, traceparent="",
    )  # fmt: skip
    fields = {
        "topic": "windlass.logs", "partition": 3, "offset": 41, "timestamp": 1_000, "key": b"run/a",
        "value": line("run/a", 7).model_dump_json().encode(), "headers": headers_of(row),
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def read(written: Any) -> Any:
    return read_or_refuse(written, Topic.LOGS, {LogAppended: take})


def test_an_event_comes_back_as_it_was_said() -> None:
    handler, message = read(record(headers=[*record().headers, ("x-team", b"blue")]))
    assert handler is take
    assert (message.id, message.key, message.body) == (named("a"), "run/a", line("run/a", 7))
    assert (message.position, message.origin) == (42, "windlass.logs/3@41")
    assert message.headers == {"x-team": "blue"}


def test_what_the_group_does_not_hear_is_passed_over() -> None:
    assert read_or_refuse(record(), Topic.LOGS, {PushReceived: take}) is None
    headers = [(name, b"windlass.teleport.engaged.v9" if name == "ce_type" else value)
               for name, value in record().headers]  # fmt: skip
    assert read(record(headers=headers)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"headers": []}, "no header ce_id", id="no headers"),
        pytest.param({"value": b"{}"}, "does not parse", id="another body"),
        pytest.param({"value": None}, "does not parse", id="no body"),
        pytest.param({"value": b"\xff\xfe"}, "does not parse", id="no text"),
        pytest.param({"headers": [], "timestamp": -(10**30)}, "no header", id="a time out of this world"),
        pytest.param({"headers": [], "key": None, "value": None}, "no header", id="nothing at all"),
        pytest.param({"headers": None}, "reading it broke", id="what our own reading breaks on"),
    ],
)
async def test_what_cannot_be_taken_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    written = record(**changes)
    if changes.get("headers", 0) is None:
        written.headers = Breaking()
    handler, message = read(written)
    assert message.origin == "windlass.logs/3@41"
    assert (message.body.type == Foreign.type) is reason.startswith("no header")
    with pytest.raises(Poison, match=reason):
        await handler(message)


class Breaking(list[Any]):
    """Headers at whose first reading something goes wrong."""

    read = False

    def __iter__(self) -> Any:
        if not self.read:
            self.read = True
            raise RuntimeError("a bug")
        return iter(())
