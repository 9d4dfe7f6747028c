"""An event loop whose time is a number and whose order is a seed's: no selector, no thread, no waiting.

What is shuffled, and what is not. A task has at most one step ready at a time, and nothing promises in
which order the steps of different tasks run: whoever relies on one has a race. So among tasks the dice
choose. Plain callbacks (a future telling `gather`, a task group or a timeout) are chains that libraries
rely on: they run first come, first served, and before any task goes on. Timers keep their order.

Some of what is ready comes out of sets of tasks, whose order is that of their addresses. Tasks are
numbered as they are made, and chosen by number: so the same seed gives the same order in any process.

Naps are sleeps of whoever only looks whether there is something to do: a heartbeat, a sweep. While
nothing happens they last longer, up to `naps_end`, so that an idle day costs next to nothing.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Timer = tuple[float, int, asyncio.TimerHandle]

STEPS_MAX = 3_000_000  # of one trial; more is a loop in which no time passes


class Stuck(AssertionError):  # noqa: N818 - named for what is the case
    """Nothing is ready and no timer is set: whoever waits, waits for ever."""


class Life:
    """What a process is to the loop: its tasks, which may be frozen and end together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frozen = False
        self.tasks: dict[int, SimulatedTask] = {}

    def end(self) -> None:
        """Cancel all of its tasks, in the order in which they were made."""
        self.frozen = False
        for task in list(self.tasks.values()):
            task.cancel()


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


class SimulatedTask(asyncio.Task[Any]):
    """A task with a number, and the life that it is part of."""

    number = 0
    life: Life | None = None


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs what is ready in an order that the dice choose, then jumps to the next timer."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.naps_end: Callable[[float], float] = lambda due: due  # from when the next is due
        self.napped_at = 0.0  # when the last ones ended
        self.freezes = 0  # how many lives may be frozen: mostly none, and nobody need be asked
        self.steps = 0
        self._dice = dice
        self._instant = 0.0
        self._count = 0
        self._plain: deque[asyncio.Handle] = deque()
        self._steps: list[tuple[int, SimulatedTask, asyncio.Handle]] = []
        self._timers: list[Timer] = []
        self._naps: list[Timer] = []
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        """Return the virtual seconds since the trial began."""
        return self._instant

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Queue a callback: a task's step among the tasks, all else behind what was queued before."""
        handle = asyncio.Handle(callback, args, self, context)
        task = getattr(callback, "__self__", None)
        if isinstance(task, SimulatedTask):
            if not task.number:  # its first step, queued while it is being made
                self._count += 1
                task.number = self._count
                task.life = (context or copy_context()).get(LIFE)
            self._steps.append((task.number, task, handle))
        else:
            self._plain.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer."""
        return self._set(self._timers, when, callback, args, context)

    def nap_until(self, when: float, callback: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Set a timer that may come late while nothing happens."""
        return self._set(self._naps, when, callback, args, None)

    def _set(
        self,
        timers: list[Timer],
        when: float,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        self._count += 1
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(timers, (when, self._count, handle))
        return handle

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, T],
        *,
        context: Context | None = None,
    ) -> "asyncio.Task[T]":
        task = SimulatedTask(coro, loop=loop, context=context)
        number, life = task.number, task.life
        if life is not None:
            life.tasks[number] = task
            task.add_done_callback(lambda _: life.tasks.pop(number, None))
        return task

    def _run_once(self) -> None:
        """Run the callbacks and one step; the base class asks again until it is told to stop."""
        while self._plain:
            self._run(self._plain.popleft())
        if self._stopping:  # type: ignore[attr-defined]
            return
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise Stuck(f"{STEPS_MAX} steps and no end")
        awake = self._steps
        if self.freezes:
            awake = [step for step in awake if not (step[1].life and step[1].life.frozen)]
        if not awake:
            self._jump()
            return
        chosen = self._dice.choice(sorted(awake, key=_number)) if awake[1:] else awake[0]
        self._steps.remove(chosen)
        self._run(chosen[2])

    def _run(self, handle: asyncio.Handle) -> None:
        if not handle.cancelled():
            handle._run()

    def _jump(self) -> None:
        """Move time on to the next timer, or to when the naps end."""
        eager, nap = self._next(self._timers), self._next(self._naps)
        if eager is None and nap is None:
            raise Stuck("nothing is ready and no timer is set")
        ends = max(nap, self.naps_end(nap)) if nap is not None else None
        when = min(each for each in (eager, ends) if each is not None)
        self._instant = max(self._instant, when)
        due = self._due(self._timers)
        if ends is not None and ends <= self._instant:
            due += self._due(self._naps)
            self.napped_at = self._instant
        self._plain.extend(due)

    def _next(self, timers: list[Timer]) -> float | None:
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def _due(self, timers: list[Timer]) -> list[asyncio.Handle]:
        due: list[asyncio.Handle] = []
        while timers and timers[0][0] <= self._instant:
            due.append(heapq.heappop(timers)[2])
        return due

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: it is passed over when its time comes."""

    def _process_events(self, event_list: object) -> None:
        """Nothing: there are none."""

    def _write_to_self(self) -> None:
        """Nothing: nobody else has a thread."""


async def pause(seconds: float) -> None:
    """Let virtual time pass."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    timer = loop.call_later(max(seconds, 0.0), _wake, over)
    try:
        await over
    finally:
        timer.cancel()


async def nap(seconds: float) -> None:
    """Let virtual time pass, and more of it while nothing happens."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "there are naps in virtual time only"
    over = loop.create_future()
    timer = loop.nap_until(loop.time() + seconds, _wake, over)
    try:
        await over
    finally:
        timer.cancel()


def _number(step: tuple[int, SimulatedTask, asyncio.Handle]) -> int:
    return step[0]


def _wake(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)
