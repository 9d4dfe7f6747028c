"""How fast signed pushes are answered and accepted while other deployments run, and that none is lost.

Each push is of a commit of its own, and what it leads to is carried out meanwhile: fetched, planned,
superseded or deployed in five steps. The deployments that run beside it have one step, which sleeps.
Whether a push is there once is read from the database, also after a kill -9 in the middle of accepting.
"""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load.pipelines import manifest
from benchmarks.load.repositories import Source
from benchmarks.parties.forge import Line, NotTaken, Push
from benchmarks.parties.party import counted, place, pushes, until
from benchmarks.parties.windlass import Windlass
from benchmarks.parties.work import Work
from benchmarks.suite import Bench, in_turns
from shared.language.discovery import PIPELINES_MAX
from tests.contract.git.repository import new_repository

ANSWERED, ACCEPTED = "webhook answered, one connection", "pushes accepted while deploying"
CPU, DIGESTED = "CPU an accepted push", "accepted pushes digested"
LOST = "accepted pushes lost or doubled"
SUBJECTS: tuple[str, ...] = (ANSWERED, ACCEPTED, CPU, DIGESTED, LOST)
ALONG = "deployments running"
RUNNING = (0, 10, 100)
RUNNING_BRIEF = (0, 10)
ONE_BY_ONE, TOGETHER = 100, 1_000  # pushes a turn
ONE_BY_ONE_BRIEF, TOGETHER_BRIEF = 20, 100
LINES = 16  # connections kept open at once
SLEEP = "exec sleep 86400"
SLOTS = {"WINDLASS_DEPLOYER_SLOTS": "256"}  # so that as many steps as deployments may go on at once
KILLED_AFTER = 0.5  # of the pushes

# fmt: off
IN_PROGRESS = "SELECT count(*) FROM runs WHERE state = 'In Progress' AND pipeline <> 'shop'"
UNDECIDED = "SELECT count(*) FROM work WHERE service = 'synthesizer' AND state <> 'done'"
TAKEN = "SELECT count(*) FROM ingest_pushes"
UNHEARD = (
    "SELECT count(*) FROM outbox WHERE type = 'windlass.push.received.v1' "
    "AND id NOT IN (SELECT event FROM inbox WHERE consumer_group = 'synthesizer')"
)
SAID = (
    "SELECT json_extract(body, '$.commit'), count(*) FROM outbox "
    "WHERE type = 'windlass.push.received.v1' GROUP BY 1"
)
DECIDED = 'SELECT "commit", count(*) FROM ingest_pushes JOIN decisions USING (push) GROUP BY 1'
# fmt: on


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn gave."""

    answered: Sequence[float]  # seconds
    accepted_a_second: float
    cpu: float  # seconds of the program a push, while it was accepting
    digested_seconds: float  # from the last answer until each push is decided
    wrong: int


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure with none, some and many deployments running, in turns; then kill one in the middle."""
    async with AsyncExitStack() as stack:
        busy = {
            str(running): await stack.enter_async_context(_deploying(bench, running))
            for running in (RUNNING_BRIEF if bench.effort.brief else RUNNING)
        }
        turns = {running: partial(_turn, party, bench) for running, party in busy.items()}
        given = await in_turns(turns, bench)
        wrong = [await _killed(busy["10"], bench) for _ in range(bench.effort.rounds)]
    found = [each for running, taken in given.items() for each in _series(float(running), taken)]
    note = "killed with SIGKILL in the middle; what had no answer was delivered again"
    return [*found, Series(LOST, f"{WINDLASS}, killed", "pushes", one_each(wrong), note=note)]


@asynccontextmanager
async def _deploying(bench: Bench, running: int) -> AsyncIterator[Windlass]:
    """Run an installation with so many deployments that do not end."""
    folder = place(bench, f"beside-{running}")
    party = Windlass(folder, Work(folder / "told"), environ=SLOTS)
    try:
        await party.start()
        await party.register()
        for number in range(0, running, PIPELINES_MAX):
            await _begin(party, folder / f"sleepers-{number}", min(running - number, PIPELINES_MAX))
        database = party.data / "windlass.db"
        await until(lambda: counted(database, IN_PROGRESS) == running, f"{running} deployments run")
        yield party
    finally:
        await party.held.end()


async def _begin(party: Windlass, folder: Path, pipelines: int) -> None:
    """Have so many pipelines deployed, each with a step that sleeps."""
    places = (f".windlass/{folder.name}-{number}/pipeline.yaml" for number in range(pipelines))
    source = Source(folder.name, new_repository(folder), dict.fromkeys(places, manifest(1, SLEEP)))
    token = json.loads((party.data / "client.json").read_text("utf-8"))["token"]
    headers, url = {"Authorization": f"Bearer {token}"}, f"http://127.0.0.1:{party.port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as operator:
        await source.register(operator)
    await source.push(source.commit())


async def _turn(party: Windlass, bench: Bench) -> Turn:
    alone, many = (ONE_BY_ONE_BRIEF, TOGETHER_BRIEF) if bench.effort.brief else (ONE_BY_ONE, TOGETHER)
    answered = await _one_by_one(party, pushes(party, alone))
    await _digested(party)
    burst = pushes(party, many)
    used, begun = party.held.cpu_seconds, time.monotonic()
    taken = await _together(party, burst)
    ended = time.monotonic()
    used = party.held.cpu_seconds - used
    await _digested(party)
    wrong = many - len(taken) + _wrong(party, taken)
    return Turn(answered, many / (ended - begun), used / many, time.monotonic() - ended, wrong)


async def _one_by_one(party: Windlass, given: Sequence[Push]) -> list[float]:
    """Deliver each when the one before is answered; return the seconds."""
    answered = []
    async with Line(party.hook.port) as line:
        for push in given:
            sent = time.perf_counter()
            await line.deliver(push)
            answered.append(time.perf_counter() - sent)
    return answered


async def _together(party: Windlass, given: Sequence[Push]) -> list[Push]:
    """Deliver down many lines, each as fast as answers come; return what was accepted, in that order."""
    waiting, taken = iter(given), list[Push]()

    async def send() -> None:
        with suppress(OSError, EOFError, NotTaken):  # the program was killed, or asks to come again
            async with Line(party.hook.port) as line:
                for push in waiting:
                    await line.deliver(push)
                    taken.append(push)

    await asyncio.gather(*(send() for _ in range(LINES)))
    return taken


async def _killed(party: Windlass, bench: Bench) -> float:
    """Kill the program while it accepts; deliver again what has no answer. Return how many are wrong."""
    burst = pushes(party, TOGETHER_BRIEF if bench.effort.brief else TOGETHER)
    sending = asyncio.create_task(_together(party, burst))
    database = party.data / "windlass.db"
    wanted = counted(database, TAKEN) + int(len(burst) * KILLED_AFTER)
    await until(lambda: counted(database, TAKEN) >= wanted, "half are taken")
    party.held.kill()
    taken = await sending
    await party.start()
    said = _by_commit(database, SAID)
    lost = sum(said[push.commit] != 1 for push in taken)
    answered = {push.commit for push in taken}
    again = await _together(party, [push for push in burst if push.commit not in answered])
    await _digested(party)
    return lost + len(burst) - len(taken) - len(again) + _wrong(party, burst)


async def _digested(party: Windlass) -> None:
    """Wait until nothing is left to be decided."""
    database = party.data / "windlass.db"
    await until(lambda: not counted(database, UNHEARD) and not counted(database, UNDECIDED), "decisions")


def _wrong(party: Windlass, given: Sequence[Push]) -> int:
    """Return how many pushes are not said once and decided once."""
    said, decided = (_by_commit(party.data / "windlass.db", query) for query in (SAID, DECIDED))
    return sum((said[push.commit], decided[push.commit]) != (1, 1) for push in given)


def _by_commit(database: Path, query: str) -> Counter[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        return Counter(dict(reader.execute(query)))


def _series(running: float, turns: Sequence[Turn]) -> list[Series]:
    at = partial(Series, party=WINDLASS, at=running, along=ALONG)
    answered = in_milliseconds([turn.answered for turn in turns])
    rate = one_each([turn.accepted_a_second for turn in turns])
    cpu = one_each([turn.cpu * 1000 for turn in turns])
    digested = one_each([turn.digested_seconds for turn in turns])
    wrong = one_each([float(turn.wrong) for turn in turns])
    note = f"{LINES} connections, kept open; the pushes are planned and deployed meanwhile"
    return [
        at(ANSWERED, unit="ms", rounds=answered, note="kept open; each push when the one before is answered"),
        at(ACCEPTED, unit="a second", rounds=rate, note=note),
        at(CPU, unit="ms", rounds=cpu, note="of all its processes, what comes of the pushes included"),
        at(DIGESTED, unit="s", rounds=digested, note="from the last answer until each push is decided"),
        at(LOST, unit="pushes", rounds=wrong, note="said as an event and decided, each exactly once"),
    ]
