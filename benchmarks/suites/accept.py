"""How fast signed pushes are answered and accepted while other deployments run, and that none is lost.

Each push is of a commit of its own, and what it leads to is carried out meanwhile: fetched, planned,
superseded or deployed in five steps. The deployments that run beside it have one step, which sleeps.
With one running there is a peer: then that one is of the pushed pipeline itself, held in its first step, so
that every push takes the place of the one that waits; of both it is asked the same.
Whether a push is there once is read from the database, also after a kill -9 in the middle of accepting.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import httpx

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load.pipelines import manifest
from benchmarks.load.repositories import Source
from benchmarks.parties.accepting import LINES, Books, Taking, Turn, one_by_one, together
from benchmarks.parties.buildbot import Buildbot, buildbot
from benchmarks.parties.party import Entering, Party, counted, place, pushes, until
from benchmarks.parties.windlass import Windlass, windlass
from benchmarks.parties.work import Work
from benchmarks.suite import Bench, Unavailable, in_turns
from shared.language.discovery import PIPELINES_MAX
from tests.contract.git.repository import new_repository

ANSWERED, ACCEPTED = "webhook answered, one connection", "pushes accepted while deploying"
CPU, DIGESTED = "CPU an accepted push", "accepted pushes digested"
LOST = "accepted pushes lost or doubled"
SUBJECTS: tuple[str, ...] = (ANSWERED, ACCEPTED, CPU, DIGESTED, LOST)
ALONG = "deployments running"
RUNNING = (0, 10, 100)
RUNNING_BRIEF = (0, 10)
BESIDE = 1  # deployment running, where a peer does the same
SIZES, SIZES_BRIEF = (100, 1_000), (20, 100)  # pushes of a turn, one by one and together
SIZES_PEER, SIZES_PEER_BRIEF = (30, 100), (10, 20)  # forty a second, and then as many seconds for each
SLEEP = "exec sleep 86400"
HELD_SECONDS = 86_400.0
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
CHANGES = "SELECT revision, count(*) FROM changes GROUP BY 1"
REQUESTED = (
    "SELECT stamp.revision, count(*) FROM sourcestamps AS stamp "
    "JOIN buildset_sourcestamps AS stamped ON stamped.sourcestampid = stamp.id "
    "JOIN buildrequests AS request ON request.buildsetid = stamped.buildsetid GROUP BY 1"
)
UNREQUESTED = (
    "SELECT count(*) FROM changes WHERE revision NOT IN "  # noqa: S608 - of constants
    f"(SELECT revision FROM ({REQUESTED}) WHERE revision IS NOT NULL)"
)
# fmt: on


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure with none, some and many deployments running, in turns; then kill one in the middle."""
    async with AsyncExitStack() as stack:
        busy: dict[int, Windlass] = {
            running: await stack.enter_async_context(_deploying(bench, running))
            for running in (RUNNING_BRIEF if bench.effort.brief else RUNNING)
        }
        held = [each async for each in _beside(bench, stack)]
        taking = {(WINDLASS, running): _taking(party, bench) for running, party in busy.items()}
        taking |= {(party.name, BESIDE): _taking(party, bench) for party in held}
        turns = {f"{name} {running}": each.turn for (name, running), each in taking.items()}
        given = await in_turns(turns, bench)
        wrong = [await _killed(busy[10], bench) for _ in range(bench.effort.rounds)]
    notes = {party.name: party.note for party in held}
    found = [
        each
        for name, running in sorted(taking, key=lambda key: key[1])
        for each in _series(name, running, given[f"{name} {running}"], notes.get(name, ""))
    ]
    note = "killed with SIGKILL in the middle; what had no answer was delivered again"
    return [*found, Series(LOST, f"{WINDLASS}, killed", "pushes", one_each(wrong), note=note)]


def books_of(party: Party) -> Books:
    """Return where a party has written down what it took."""
    if isinstance(party, Buildbot):
        return Books(party.master / "state.sqlite", (UNREQUESTED,), (CHANGES, REQUESTED))
    assert isinstance(party, Windlass), f"{party.name} keeps no books that are known here"
    return Books(party.data / "windlass.db", (UNHEARD, UNDECIDED), (SAID, DECIDED))


def _taking(party: Party, bench: Bench) -> Taking:
    """Return the party with the sizes of its turns: that of the warm-up, which is forgotten, is small."""
    many, few = (SIZES, SIZES_BRIEF) if isinstance(party, Windlass) else (SIZES_PEER, SIZES_PEER_BRIEF)
    sizes: Iterator[tuple[int, int]] = chain((few,), repeat(few if bench.effort.brief else many))
    return Taking(party, books_of(party), sizes)


async def _beside(bench: Bench, stack: AsyncExitStack) -> AsyncIterator[Party]:
    """Yield both with one deployment that does not end; without the peer none, for then nobody compares."""
    try:
        peer = await stack.enter_async_context(_holding(bench, "Buildbot", buildbot))
    except Unavailable as why:
        bench.tell(f"Buildbot takes no part: {why}")
        return
    yield await stack.enter_async_context(_holding(bench, WINDLASS, windlass))
    yield peer


@asynccontextmanager
async def _holding(bench: Bench, name: str, enter: Entering) -> AsyncIterator[Party]:
    """Run a party whose pipeline is in the first step of a deployment that does not end."""
    work = Work(bench.folder / f"told-by-{name}", held_seconds=HELD_SECONDS)
    async with enter(bench, work) as party:
        work.hold.touch()
        [first] = pushes(party, 1)
        await one_by_one(party, [first])
        await until(lambda: bool(work.of(first.commit)), f"{name}: its first step")
        work.hold.unlink()
        yield party


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


async def _killed(party: Windlass, bench: Bench) -> float:
    """Kill the program while it accepts; deliver again what has no answer. Return how many are wrong."""
    books = books_of(party)
    burst = pushes(party, (SIZES_BRIEF if bench.effort.brief else SIZES)[1])
    sending = asyncio.create_task(together(party, burst))
    wanted = counted(books.database, TAKEN) + int(len(burst) * KILLED_AFTER)
    await until(lambda: counted(books.database, TAKEN) >= wanted, "half are taken")
    party.held.kill()
    taken = await sending
    await party.start()
    said = books.often(SAID)
    lost = sum(said[push.commit] != 1 for push in taken)
    answered = {push.commit for push in taken}
    again = await together(party, [push for push in burst if push.commit not in answered])
    await books.settled()
    return lost + len(burst) - len(taken) - len(again) + books.wrong(burst)


def _series(name: str, running: int, turns: Sequence[Turn], configured: str) -> list[Series]:
    at = partial(Series, party=name, at=float(running), along=ALONG)
    answered = in_milliseconds([turn.answered for turn in turns])
    rate = one_each([turn.accepted_a_second for turn in turns])
    cpu = one_each([turn.cpu * 1000 for turn in turns])
    digested = one_each([turn.digested_seconds for turn in turns])
    wrong = one_each([float(turn.wrong) for turn in turns])
    meanwhile = "the pushes are planned and deployed meanwhile"
    if running == BESIDE:
        meanwhile = f"with {BESIDE} running, of the same pipeline, each takes the place of the one that waits"
    note = "; ".join(filter(None, (f"{LINES} connections, kept open; {meanwhile}", configured)))
    return [
        at(ANSWERED, unit="ms", rounds=answered, note="kept open; each push when the one before is answered"),
        at(ACCEPTED, unit="a second", rounds=rate, note=note),
        at(CPU, unit="ms", rounds=cpu, note="of all its processes, what comes of the pushes included"),
        at(DIGESTED, unit="s", rounds=digested, note="from the last answer until each push is decided"),
        at(LOST, unit="pushes", rounds=wrong, note="said as an event and decided, each exactly once"),
    ]
