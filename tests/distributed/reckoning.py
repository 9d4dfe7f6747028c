"""When the dust has settled: everything that must hold, and every way in which it does not."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import product

import asyncpg
import httpx

from services.deployer.run_state import TERMINAL
from tests.distributed.asking import Document
from tests.distributed.barge import OWNER, STAGES, Barge
from tests.distributed.lag import lag_of
from tests.distributed.rebuild import rebuilt_differently
from tests.distributed.trial import Trial

SETTLED_SECONDS_MAX = 400.0
CALM_SECONDS = 3.0  # for which nothing moves any more
LOOK_SECONDS = 0.5
DECISIONS = frozenset({"windlass.revision.planned.v1", "windlass.revision.skipped.v1",
                       "windlass.plan.rejected.v1"})  # fmt: skip
PLANNED = "windlass.revision.planned.v1"
ENDED_BADLY = frozenset({"windlass.run.failed.v1", "windlass.run.timed_out.v1",
                         "windlass.run.cancelled.v1", "windlass.push.refused.v1"})  # fmt: skip

ROWS_LEFT = {
    "outbox rows": "SELECT count(*) FROM outbox",
    "orders of work": "SELECT count(*) FROM work WHERE state <> 'done'",
    "runs that are not over": "SELECT count(*) FROM runs WHERE state <> ALL($1::text[])",
    "builds that are not over": "SELECT count(*) FROM builds WHERE state = 'building'",
}


async def settled(trial: Trial) -> list[str]:
    """Wait until nothing moves any more; return what is left when it does not come to that."""
    left: list[str] = ["everything"]
    try:
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            while left:
                await asyncio.sleep(LOOK_SECONDS)
                left = await not_at_rest(trial)
                if not left:
                    left = await _moved(trial)
    except TimeoutError:
        return [f"not at rest after {SETTLED_SECONDS_MAX:g} s: {each}" for each in left]
    return []


async def not_at_rest(trial: Trial) -> list[str]:
    """Return what is still on its way."""
    try:
        left = [*await _rows_left(trial), *await lag_of(trial.ground)]
    except (OSError, asyncpg.PostgresError) as fault:
        return [f"the database does not answer: {fault}"]
    return left or [f"{barge.name} has not arrived" for barge in trial.barges if not arrived(barge)]


async def reckon(trial: Trial) -> list[str]:
    """Return everything that is wrong."""
    checks: Sequence[Callable[[Trial], Awaitable[list[str]]]] = (
        _pushes_accounted_for,
        _events_agree,
        _live,
        _letters,
        _finished_runs_unchanged,
        rebuilt_differently,
    )
    found = [*trial.forge.refused, *trial.complaints]
    found += [wrong for barge in trial.barges for wrong in barge.wrongs()]
    for check in checks:
        try:
            found += await check(trial)
        except (TimeoutError, httpx.HTTPError, KeyError, asyncpg.PostgresError) as fault:
            found.append(f"{check.__name__.strip('_')} could not be checked: {fault!r}")
    return found


async def _rows_left(trial: Trial) -> list[str]:
    connection = await asyncpg.connect(trial.ground.database, timeout=5)
    try:
        counts = {
            name: await connection.fetchval(query, *([list(TERMINAL)] if "$1" in query else []))
            for name, query in ROWS_LEFT.items()
        }
    finally:
        await connection.close()
    return [f"{count} {name}" for name, count in counts.items() if count]


def arrived(barge: Barge) -> bool:
    """Tell whether the last commit's last effect is there; what else is there is for the judge."""
    last = barge.shape.steps[-1]
    return not barge.commits or any(
        effect.commit == barge.commits[-1] and effect.stage == STAGES[-1] and effect.did == (last, "end")
        for effect in barge.effects()
    )


async def _moved(trial: Trial) -> list[str]:
    """Return what moves although nothing is left to do."""
    before = [len(barge.effects()) for barge in trial.barges]
    await asyncio.sleep(CALM_SECONDS)
    after = [len(barge.effects()) for barge in trial.barges]
    moved = [f"{barge.name} takes effect" for barge, b, a in zip(trial.barges, before, after, strict=True)
             if a != b]  # fmt: skip
    return moved or await not_at_rest(trial)


async def _pushes_accounted_for(trial: Trial) -> list[str]:
    """Every acknowledged push has one decision of its pipeline (S3, S6)."""
    found = []
    for told in trial.forge.acknowledged:
        shown = await trial.asking.get(f"/pushes/{told.push}")
        made = [(each["pipeline"], each["decision"]) for each in shown["decisions"]]
        if made not in ([(told.barge.name, "planned")], [(told.barge.name, "skipped")]):
            refused = shown["refused_message"] or "no decision"
            found.append(f"push {told.push} of {told.barge.name} {told.commit[:8]} became {made or refused}")
    lost = {commit for barge in trial.barges for commit in barge.commits}
    lost -= {told.commit for told in trial.forge.acknowledged}
    return found + [f"the push of {commit[:8]} was never acknowledged" for commit in sorted(lost)]


async def _events_agree(trial: Trial) -> list[str]:
    """The history tells of one decision per push, one revision per commit, and no run that went wrong."""
    decided: Counter[tuple[str, str]] = Counter()
    planned: Counter[tuple[str, str]] = Counter()
    bad: list[str] = []
    ours = {barge.name for barge in trial.barges} | {f"{OWNER}/{barge.name}" for barge in trial.barges}
    async for event in trial.asking.events():
        body, name = event["body"], event["type"]
        trial.counts["events"] += 1
        if name in DECISIONS:
            decided[body["push"], body["pipeline"]] += 1
        if name == PLANNED:
            planned[body["pipeline"], body["commit"]] += 1
        if name in ENDED_BADLY and body.get("pipeline", body.get("repository")) in ours:
            bad.append(_told(event))
    twice = [f"push {push} was decided on {count} times for {pipeline}"
             for (push, pipeline), count in decided.items() if count > 1]  # fmt: skip
    again = [f"{commit[:8]} of {pipeline} was planned {count} times"
             for (pipeline, commit), count in planned.items() if count > 1]  # fmt: skip
    return twice + again + bad


def _told(event: Document) -> str:
    body = event["body"]
    what = {key: body[key] for key in ("revision", "step", "code", "message", "evidence") if body.get(key)}
    return f"{event['subject']}: {event['type']} {what}"


async def _live(trial: Trial) -> list[str]:
    """The last commit is live everywhere: as the API has it, and as its stable URL answers (L1)."""
    found = []
    async with httpx.AsyncClient(trust_env=False) as http:
        for barge, stage in product(trial.barges, STAGES):
            document = await trial.asking.get(f"/pipelines/{barge.name}/stages/{stage}")
            live = (document["live"] or {}).get("commit", "nothing")
            if live != barge.commits[-1]:
                found.append(f"{barge.name}/{stage}: the API has {live[:8]} live")
            served = await _served(http, barge.url(stage)) if barge.shape.serves else live
            if served != live:
                found.append(f"{barge.name}/{stage} serves {served[:60]!r}")
    return found


async def _served(http: httpx.AsyncClient, url: str) -> str:
    try:
        return (await http.get(url, timeout=10)).text
    except httpx.HTTPError as fault:
        return repr(fault)


async def _letters(trial: Trial) -> list[str]:
    letters = (await trial.asking.get("/dead-letters"))["dead_letters"]
    return [f"dead letter: {letter['message_type']} {letter['reason'][:500]}" for letter in letters]


async def _finished_runs_unchanged(trial: Trial) -> list[str]:
    await trial.finished.look()
    trial.counts["runs"] = len(trial.finished.seen)
    return await trial.finished.changed()
