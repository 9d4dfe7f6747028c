"""One seed, played from the first push to the last promise."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from time import process_time
from typing import Any

import structlog

from services.deployer.store import next_deadline
from shared.db import Noted
from tests.simulation import ending, ground, hours
from tests.simulation.forge import Forge
from tests.simulation.installation import Installation, Post
from tests.simulation.monitors import Monitors
from tests.simulation.people import Crowd
from tests.simulation.process import Process, Store, VirtualClock
from tests.simulation.quick_database import QuickDatabase
from tests.simulation.shapes import Shape
from tests.simulation.storm import Storm, Weather
from tests.simulation.virtual_loop import VirtualLoop, pause
from tests.simulation.watch import Watch
from tests.simulation.workshop import Workshop
from tests.simulation.world import Nature, World

SHORT_SEEDS = 300  # the first, which every test run plays; those after them last longer
SETTLES_SECONDS = 6 * 3600.0  # every gate and limit of a run is over by then
NAP_AT_WORK_SECONDS = 8.0  # with orders open: leases last fifteen
NAP_AT_REST_SECONDS = 7200.0
OPEN_WORK = "SELECT max(state) FROM work WHERE state <> 'done'"  # claimed, ready
UNFINISHED = (
    "SELECT count(*) FROM runs WHERE finished_at IS NULL AND (started_at IS NOT NULL OR ready AND in_line)"
)
BUGS = frozenset({"error", "exception", "critical"})


@dataclass(frozen=True)
class Outcome:
    """What came of a seed."""

    seed: int
    wrongs: list[str]
    story: str
    digest: str
    virtual_seconds: float
    cpu_seconds: float
    events: int
    steps: int
    counts: Counter[str]

    @property
    def faults(self) -> int:
        """Return how many befell it."""
        return sum(count for name, count in self.counts.items() if name.startswith("fault: "))


def play(seed: int, echo: Callable[[str], None] = lambda _line: None) -> Outcome:
    """Play one seed."""
    began = process_time()
    loop = VirtualLoop(Random(f"{seed} order"))
    begins = Random(f"{seed} begins").choice(hours.BEGINS)
    database = QuickDatabase(ground.blank(), VirtualClock(begins))
    watch = Watch(loop.time, database.rows, echo)
    with (
        _no_collecting(),
        closing(database.rows),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
        _reports_to(watch),
    ):
        runner.run(Trial(seed, begins, loop, database, watch).play())
    return Outcome(
        seed=seed,
        wrongs=watch.wrongs,
        story=watch.story,
        digest=watch.digest,
        virtual_seconds=loop.time(),
        cpu_seconds=process_time() - began,
        events=len(watch.events),
        steps=loop.steps,
        counts=watch.tally.counts,
    )


@dataclass
class Trial:
    """One seed's installation, people and faults."""

    seed: int
    begins: datetime
    loop: VirtualLoop
    database: QuickDatabase
    watch: Watch
    _deadline: tuple[float, float] | None = None  # the nearest one, and when it was looked for
    _work: tuple[int, str | None] = (-1, None)  # the state of what is open, and after which commit
    _wrong: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        dice = self._dice("trial")
        self.watch.on_wrong = self._wrong.set
        self.store = Store(self.database)
        self.people = Process("people", self.store, VirtualClock(self.begins))
        self.store.listeners += [(None, self._note_change), (None, self.watch.committed)]
        self.nature = _nature(dice)
        self.world = World(self.seed, self.nature, self.watch, self.people.clock)
        self.post = Post(
            self._dice("post"), self.watch.count, *(dice.choice((0.0, 0.0, 0.05, 0.3)) for _ in range(3))
        )
        self.forge = Forge(self.seed, self.watch)
        installation = Installation(self.world, Workshop(self.world), self.post, self.forge)
        names = ("one", "two")[: dice.choice((1, 2, 2))]
        weather = Weather.drawn(dice)
        self.storm = Storm(
            self._dice("storm"), weather, self.store, installation, self.watch, self.begins, names
        )
        shapes = [
            Shape(self._dice(name), name, self.begins)
            for name in ("shop", "blog")[: dice.choice((1, 1, 1, 2))]
        ]
        pushes, asks = dice.choice((12.0, 25.0, 50.0)), dice.choice((0.0, 15.0, 40.0))
        self.crowd = Crowd(
            self._dice("people"),
            self.people,
            self.watch,
            shapes,
            self.forge,
            pushes,
            asks,
            dice.choice((0.0, 1.0, 2.0)),
        )
        alarms = dice.choice((0.0, 60.0))
        self.monitors = Monitors(self._dice("monitors"), self.people, self.watch, shapes, alarms)
        self.watch.on_event += [self.crowd.answer_gates, self.crowd.react]
        self.hours = dice.choice((0.03, 0.05, 0.1)) * (1 if self.seed <= SHORT_SEEDS else 4)

    def _dice(self, name: str) -> Random:
        """Return dice of their own, so that one more throw here changes nothing there."""
        return Random(f"{self.seed} {name}")

    async def play(self) -> None:
        """Play until all is over, or something is wrong."""
        self.loop.naps_end = self._naps_end
        self.loop.set_exception_handler(lambda _, context: self._broke(context))
        acting = asyncio.ensure_future(self._act())
        wrong = asyncio.ensure_future(self._wrong.wait())
        await asyncio.wait({acting, wrong}, return_when=asyncio.FIRST_COMPLETED)
        wrong.cancel()
        if acting.done():
            acting.result()
        acting.cancel()
        self.storm.end()
        while any(process.life.tasks for process in self.storm.processes.values()):
            await pause(1.0)  # their last tasks end, of which some begin only now

    async def _act(self) -> None:
        until = self.hours * 3600
        for shape in self.crowd.shapes:
            await self.forge.register(self.people, shape.pipeline)
        self.storm.begin()
        await asyncio.gather(self.crowd.act(until), self.monitors.act(until), self.storm.blow(until))
        self.watch.tell("the faults are over")
        self.storm.calm()
        self.crowd.eagerness = 0.0
        self.post.late = self.post.twice = self.post.much_later = 0.0
        await self._settle()
        self._judge(await ending.at_rest(self.people))
        self.world.nature = Nature(seconds=1.0)
        self.watch.tell("what ended badly is tried again")
        await self.monitors.calm()
        retries = await self.crowd.try_again()
        await self._settle()
        self._judge(ending.ended_badly_again(self.watch, retries))
        self._judge(await ending.at_rest(self.people))
        self.watch.tell("what is plain is pushed")
        self.crowd.push_plain()
        await self._settle()
        self._judge(await ending.at_rest(self.people))
        self._judge(ending.live(self.watch, self.crowd.shapes))
        self._judge(ending.left_behind(self.world))
        self._judge(self.watch.changed_since_final())
        self._judge(self.watch.unanswered())
        self._judge(await ending.rebuilt(self.people))
        self.watch.tally.end(self.database.rows)

    async def _settle(self) -> None:
        """Let time go on until everything can be over; in a line that is one after the other."""
        left = None
        while True:
            await pause(SETTLES_SECONDS)
            (unfinished,) = self.database.rows.execute(UNFINISHED).fetchone()
            if not unfinished or (left is not None and unfinished >= left):
                break
            left = unfinished

    def _judge(self, found: list[str]) -> None:
        for each in found:
            self.watch.wrong(*each.split(": ", 1))

    def _note_change(self, noted: Noted) -> None:
        del noted
        self._deadline = None

    def _naps_end(self, due: float) -> float:
        """Return when those who nap look around: seldom while nothing happens, in time for a deadline."""
        work = self._open_work()
        if work == "ready":  # nobody has it: there is something to be found
            return due
        naps = NAP_AT_WORK_SECONDS if work else NAP_AT_REST_SECONDS
        return max(due, min(self.loop.napped_at + naps, self._next_deadline(self.loop.time())))

    def _open_work(self) -> str | None:
        if self._work[0] != self.database.commits:
            (state,) = self.database.rows.execute(OPEN_WORK).fetchone()
            self._work = (self.database.commits, state)
        return self._work[1]

    def _next_deadline(self, now: float) -> float:
        if self._deadline is None or self._deadline[0] <= now:
            after = self.begins + timedelta(seconds=now)
            at = _at_once(self._ask_deadline(after))
            self._deadline = ((at - self.begins).total_seconds() if at else float("inf"), now)
        return self._deadline[0]

    async def _ask_deadline(self, after: Any) -> Any:
        async with self.database.reading() as reading:
            return await next_deadline(reading, after)

    def _broke(self, context: MutableMapping[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, asyncio.CancelledError):
            self.watch.wrong("bug", f"{context['message']}: {error!r}")


def _nature(dice: Random) -> Nature:
    often = (0.0, 0.0, 0.05, 0.2)
    return Nature(
        broke=dice.choice(often),
        transient=dice.choice(often),
        endless=dice.choice((0.0, 0.0, 0.05)),
        unfit=dice.choice((0.0, 0.05, 0.2)),
        build_broke=dice.choice((0.0, 0.05, 0.2)),
        build_endless=dice.choice((0.0, 0.0, 0.05)),
        seconds=dice.choice((2.0, 20.0, 60.0)),
    )


def _at_once(coroutine: Any) -> Any:
    """Return what comes of a coroutine that never waits: the embedded store runs inline."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the store let somebody wait")


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Have nothing collected meanwhile: what is found unfinished then is ended, at a time of no seed's."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _reports_to(watch: Watch) -> Iterator[None]:
    """Have every error that is logged count as a bug."""

    def hear(_logger: object, method: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if said.get("event") == "work.fence_lost":
            watch.count("fault", "late result refused")
        if method in BUGS:
            error = said.pop("exc_info", None)
            watch.wrong("bug", f"{said} {error!r}"[:2000])
        raise structlog.DropEvent

    structlog.configure(processors=[hear])
    try:
        yield
    finally:
        structlog.reset_defaults()
