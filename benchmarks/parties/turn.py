"""A party's turn: pushes one after another, each awaited to its end, and what that took."""

import asyncio
import time
from dataclasses import dataclass, field

from benchmarks.parties.forge import Line, NotTaken, Push
from benchmarks.parties.party import Party, done, pushes
from benchmarks.parties.processes import Memory
from benchmarks.parties.work import gaps, whole

REFUSALS_MAX = 20  # of one push, for a party that is asked again
REFUSED_SECONDS = 0.2  # before it is


@dataclass
class Turn:
    """What a party gave in one turn, in seconds."""

    answered: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    cpu: float = 0.0  # a deployment
    memory: Memory | None = None  # none of bare processes
    refused: int = 0  # answers that asked to try again


async def taken(party: Party, number: int) -> Turn:
    """Let a party deploy so many pushes."""
    turn = Turn()
    before = party.held.cpu_seconds
    for _ in range(number):
        [push] = pushes(party, 1)  # only now: what was pushed before is all that a party can have fetched
        await _pushed(party, push, turn)
    turn.cpu = (party.held.cpu_seconds - before) / number
    turn.memory = party.held.memory
    return turn


async def _pushed(party: Party, push: Push, turn: Turn) -> None:
    sent = await _answered(party, push, turn)
    await done(party, push.commit)
    told = party.work.of(push.commit)
    assert whole(told), f"{party.name} did not do the five steps once each and in order: {told}"
    turn.first.append(told[0].at - sent)
    turn.between += gaps(told)
    turn.done.append(told[-1].at - sent)


async def _answered(party: Party, push: Push, turn: Turn) -> float:
    """Send a push, over a connection of its own; return when that began."""
    while True:
        sent = time.time()
        try:
            async with Line(party.hook.port) as line:
                await line.deliver(push)
        except NotTaken:
            turn.refused += 1
            if not party.may_refuse or turn.refused > REFUSALS_MAX:
                raise
            await asyncio.sleep(REFUSED_SECONDS)
            continue
        turn.answered.append(time.time() - sent)
        return sent
