"""What is asked and told again and again."""

from typing import Any

from shared.events import Event, LogAppended, LogLine, RevisionPlanned
from shared.ids import Pipeline, Stage
from tests.builders import START, named
from tests.integration.status.conftest import Town
from tests.unit.status.stories import retold


def planned(revision: int = 1, **changes: Any) -> Event:
    """A revision of the pipeline `shop`, whose stages are staging and production."""
    more = {"pipeline": "shop", "revision": revision, "commit": f"{revision:040x}", **changes}
    return retold(RevisionPlanned.type, push=str(named(f"push {revision}")), **more)


def lines(first: int, *texts: str, log: str = "log/1", last: bool = False, stage: str = "staging") -> Event:
    return LogAppended(
        log=log,
        pipeline=Pipeline("shop"),
        revision=1,
        stage=Stage(stage),
        what="migrate",
        first_line=first,
        lines=tuple(LogLine(at=START, text=text) for text in texts),
        last=last,
    )


async def get(town: Town, path: str, status: int = 200, **query: Any) -> Any:
    answer = await town.web.client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()
