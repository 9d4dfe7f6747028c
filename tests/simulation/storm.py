"""What goes wrong with processes, and how often: drawn anew for each seed, each kind often not at all.

A seed with few kinds of faults comes further with each (swarm testing); all at once hide one another.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from tests.simulation.installation import Installation
from tests.simulation.process import SKEW_SECONDS_MAX, Process, Store, VirtualClock
from tests.simulation.virtual_loop import VirtualLoop, pause
from tests.simulation.watch import Watch

FROZEN_SECONDS_MAX = 90.0  # six leases
SLOW_SECONDS_MAX = 12.0  # less than one: late, and still whose the work is
DOWN_SECONDS = 20.0  # on average


@dataclass(frozen=True)
class Weather:
    """Faults per hour and process."""

    crashes: float = 0.0
    freezes: float = 0.0
    jumps: float = 0.0
    power_cuts: float = 0.0  # all processes at once

    @classmethod
    def drawn(cls, dice: Random) -> "Weather":
        """Return some seed's."""
        crashes, freezes, jumps = (dice.choice((0.0, 0.0, 2.0, 10.0, 40.0)) for _ in range(3))
        return cls(crashes, freezes, jumps, power_cuts=dice.choice((0.0, 0.0, 0.0, 4.0)))


@dataclass
class Storm:
    """Keeps an installation's processes running, and lets them down."""

    dice: Random
    weather: Weather
    store: Store
    installation: Installation
    watch: Watch
    begins: datetime
    names: tuple[str, ...]
    processes: dict[str, Process] = field(default_factory=dict)
    over: bool = False

    def begin(self) -> None:
        """Start every process."""
        for name in self.names:
            self._start(name)

    async def blow(self, until: float) -> None:
        """Let faults befall until then."""
        befall: list[tuple[float, Callable[[Process], None]]] = [
            (self.weather.crashes, self._crash),
            (self.weather.freezes, self._freeze),
            (self.weather.jumps, self._jump),
            (self.weather.power_cuts, self._cut),
        ]
        rate = sum(share for share, _ in befall) * len(self.names) / 3600
        loop = asyncio.get_running_loop()
        while rate and loop.time() < until:
            await pause(self.dice.expovariate(rate))
            (fault,) = self.dice.choices([act for _, act in befall], [share for share, _ in befall])
            process = self.processes[self.dice.choice(self.names)]
            if process.lives and not process.life.frozen:
                fault(process)

    def calm(self) -> None:
        """Let no fault befall any more, and undo those that last."""
        self.over = True
        for process in self.processes.values():
            process.dies_in = None
            process.host_clock.skew = 0.0
            self._thaw(process)

    def end(self) -> None:
        """Let all processes be gone, for good."""
        self.over = True
        for process in self.processes.values():
            process.on_death = lambda: None
            process.crash()

    def _start(self, name: str) -> None:
        before = self.processes.get(name)
        clock = VirtualClock(self.begins, before.host_clock.skew if before else 0.0)
        process = self.processes[name] = Process(name, self.store, clock)
        process.on_death = lambda: self._died(process)
        self.watch.tell(f"{name} starts")
        self.installation.start(process).add_done_callback(lambda task: self._ended(process, task))

    def _ended(self, process: Process, task: "asyncio.Task[None]") -> None:
        if process.lives:
            self.watch.wrong("S6", f"{process.name} ended by itself: {task!r}")

    def _died(self, process: Process) -> None:
        self.watch.tell(f"{process.name} crashes")
        if process.dies_in == 0:
            self.watch.count("fault", f"crash {'before' if process.dies_before else 'after'} a commit")
        down = 1.0 if self.over else self.dice.expovariate(1 / DOWN_SECONDS)
        asyncio.get_running_loop().call_later(down, self._start, process.name)

    def _crash(self, process: Process) -> None:
        """Now, wherever its tasks wait; or with one of the commits to come."""
        if self.dice.random() < 0.3:
            self.watch.count("fault", "crash between two steps")
            process.crash()
        else:
            process.dies_in = self.dice.randint(1, 30)
            process.dies_before = self.dice.random() < 0.5

    def _freeze(self, process: Process) -> None:
        slow = self.dice.random() < 0.4
        seconds = self.dice.uniform(1, SLOW_SECONDS_MAX if slow else FROZEN_SECONDS_MAX)
        self.watch.count("fault", "slow worker" if slow else "frozen worker")
        self.watch.tell(f"{process.name} is frozen for {seconds:.0f} s")
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "who lives in virtual time is frozen there"
        process.life.frozen = True
        loop.freezes += 1
        loop.call_later(seconds, self._thaw, process)

    def _thaw(self, process: Process) -> None:
        if process.life.frozen:
            process.life.frozen = False
            self.watch.tell(f"{process.name} goes on")

    def _cut(self, _process: Process) -> None:
        """End all processes in one moment."""
        self.watch.count("fault", "power cut")
        for process in self.processes.values():
            process.crash()

    def _jump(self, process: Process) -> None:
        self.watch.count("fault", "clock jump")
        process.host_clock.skew = self.dice.uniform(-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX)
        self.watch.tell(f"the clock of {process.name} is off by {process.host_clock.skew:+.1f} s")
