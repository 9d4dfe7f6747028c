"""What the tests of dead letters do again and again: have messages die, look at the letters, wait."""

from shared.db import Database, ServiceDatabase
from shared.dead_letters.letter import Letter
from shared.dead_letters.letter_state import LetterState
from shared.dead_letters.letters import Letters, Wanted
from shared.dead_letters.redelivery import SWEEP_SECONDS
from shared.events import LogAppended
from shared.faults import Poison
from tests.contract.bus.listener import Listener, say
from tests.contract.installation import Installation

EVERY = Wanted(frozenset(LetterState))
ANN = "ann"


def letters(database: Database) -> Letters:
    return Letters(ServiceDatabase(database, "office"))


async def every_letter(installation: Installation) -> list[Letter]:
    """Return all letters, the first to have died first."""
    return (await letters(installation.database).listed(EVERY, None, 200))[::-1]


async def only_letter(installation: Installation) -> Letter:
    (letter,) = await every_letter(installation)
    return letter


async def until_states(installation: Installation, *states: LetterState) -> list[Letter]:
    """Wait for the letters to stand like this, without moving the clock."""
    for _ in range(200):
        found = await every_letter(installation)
        if [letter.state for letter in found] == list(states):
            return found
        await installation.quiet()
    raise AssertionError(f"they never stood like {states}")


async def replay(installation: Installation, *which: Letter) -> None:
    for letter in which:
        assert await letters(installation.database).replay(letter.id, ANN, "mended")


async def sweeps(installation: Installation, seconds: float) -> None:
    """Let time pass, sweep by sweep."""
    for _ in range(int(seconds / SWEEP_SECONDS)):
        await installation.quiet()
        installation.clock.advance(SWEEP_SECONDS)
    await installation.quiet()


async def bury(installation: Installation, listener: Listener, *events: LogAppended) -> list[Letter]:
    """Have each of the events die once in the listener's hands."""
    for event in events:
        listener.faults.setdefault(f"{event.log} {event.first_line}", []).append(Poison("not yet"))
    await say(installation.database, *events)
    return await until_states(installation, *([LetterState.WAITING] * len(events)))
