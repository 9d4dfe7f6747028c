"""What is asked of a process from outside, over the HTTP application that both modes share."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from shared import metrics
from shared.db import tables
from shared.web.counting import Counted
from tests.builders import START
from tests.integration.ingest.conftest import ingest
from tests.integration.web import Web, serve


@pytest.fixture
async def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """Give a running ingest whose figures begin at nothing."""
    for source in (*metrics.COUNTERS, *metrics.GAUGES):
        monkeypatch.setattr(source, "values", {})
    async with serve(tmp_path, ingest) as served:
        yield served


async def figures(web: Web) -> dict[str, float]:
    answer = await web.stranger.get("/metrics")
    assert answer.status_code == 200
    return {
        f"{sample.name} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_whether_it_is_well_is_nobodys_secret(web: Web) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await web.stranger.get(path)).status_code == 200


async def test_what_waits_is_counted_and_how_long(web: Web) -> None:
    row = {
        "service": "builder", "kind": "build", "share": "shop", "payload": {}, "correlation": "",
        "traceparent": "", "state": "ready", "fence": 0, "attempts": 0, "created_at": START,
    }  # fmt: skip
    ready = {**row, "id": UUID(int=1), "not_before": START}
    later = {**row, "id": UUID(int=2), "not_before": START + timedelta(hours=1)}
    done = {**row, "id": UUID(int=3), "not_before": START, "state": "done"}
    async with web.database.begin() as (connection, _):
        await connection.execute(sa.insert(tables.work), [ready, later, done])
    web.clock.advance(7)
    found = await figures(web)
    assert found["windlass_work_open builder ready"] == 2
    assert found["windlass_work_oldest_ready_seconds builder"] == 7
    assert found["windlass_outbox_waiting"] == 0
    assert found["windlass_database_up"] == 1


async def test_the_database_is_looked_at_once_a_second_however_often_somebody_asks(web: Web) -> None:
    await figures(web)
    metrics.OUTBOX_ROWS.set(42)
    assert (await figures(web))["windlass_outbox_waiting"] == 42
    web.clock.advance(1)
    assert (await figures(web))["windlass_outbox_waiting"] == 0


async def test_requests_are_counted_by_route_never_by_what_somebody_sends(web: Web) -> None:
    answered = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        answered.append(message)

    for method, path in (
        ("DELETE", "/api/v1/repositories/acme/shop"),
        ("BREW", "/secret"),
        ("GET", "/healthz"),
    ):
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": [],
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "server": ("windlass.test", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await Counted(web.app)(scope, receive, send)
    assert metrics.REQUESTS.values == {
        ("DELETE", "/api/v1/repositories/{name:path}", "401"): 1,
        ("other", "none", "404"): 1,
        ("GET", "/healthz", "200"): 1,
    }
