"""Steps that are one process, run to its end and once: a script, a test command.

    attempts/<run>/<step>/<attempt>/lives/<n>/
        process/    see shared/process
        ...         what else there is, the command says

There is a second `<n>` only where the first was lost with its host and the step may run again. Beside
`lives`, `discarded` says that nothing is to be started any more; both are looked at under `lock`, since
several deployers may be about one attempt when one of them was taken for dead.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol, TypeVar

from services.deployer.adapters.local.evidence import Witness
from services.deployer.adapters.local.host import Host, path_part
from services.deployer.adapters.local.progress import Attempt, Attempts
from services.deployer.adapters.local.release import delete
from services.deployer.adapters.local.succession import Chores
from services.deployer.step_order import Done, StepAnswer, StepOrder, Stopped
from shared.artifacts.folder import disk_faults
from shared.crash import point
from shared.events import LogLine
from shared.faults import Refused, TryAgain
from shared.file_lock import held
from shared.process import Absent, Exit, Lost, ProcessSpec

Answer = TypeVar("Answer")

LIVES_MAX = 3  # processes of one attempt, where a lost one may be started again
LOCK_SECONDS_MAX = 60.0  # it is held while a process is being started, unless its holder is frozen
LIMIT_MARGIN_SECONDS = 10.0  # the engine's own limit comes first, unless Windlass is down


class Command(Protocol):
    """What is run in a life's folder, and what its end says. Both verbs are safe to repeat."""

    @property
    def witness(self) -> Witness:
        """Return who tells how it broke."""
        ...

    @property
    def worked_with(self) -> Sequence[str]:
        """Return what in the folder is of no use once the end is answered for."""
        ...

    async def make_ready(self, order: StepOrder, life: Path) -> ProcessSpec:
        """Put everything there that the process needs."""
        ...

    async def answer(self, order: StepOrder, life: Path, end: Exit) -> StepAnswer:
        """Answer for an end; asked again, what it worked with may be gone."""
        ...


@dataclass(frozen=True, slots=True)
class RunToEnd:
    """Carries out steps of a type by their command."""

    host: Host
    chores: Chores
    command: Command
    attempts: Attempts = field(default_factory=Attempts)

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Run the command, or take up the process that an earlier life started, to its end."""
        with self.attempts.answering(order.log) as attempt:
            try:
                with disk_faults(f"running {order.step.id}"):
                    return await self._run(order, called_off, attempt)
            except Refused as fault:
                return self.command.witness.refused(order, fault)

    async def switch(self, order: StepOrder) -> StepAnswer:  # noqa: ARG002
        """Answer that it is done: there is no candidate."""
        return Done()

    async def discard(self, order: StepOrder) -> StepAnswer:
        """End the process, or see to it that it never starts."""
        with disk_faults(f"discarding {order.step.id}"):
            async with held(self._attempt(order) / "lock", LOCK_SECONDS_MAX):
                (self._attempt(order) / "discarded").touch()
            for life in self._lives(order):
                await self.host.processes.stop(life / "process")
            self._begin_clearing(order)
        return Done()

    async def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        """Give what the process says; where it was started again, one after the other."""
        attempt = self.attempts.of(order.log)
        skipped = first_line
        for number in count(1):
            if not await attempt.reaches(number):
                return
            async for batch in self.host.processes.output(self._life(order, number) / "process", 0):
                kept = batch[skipped:]
                skipped = max(skipped - len(batch), 0)
                if kept:
                    yield kept

    async def _run(self, order: StepOrder, called_off: asyncio.Event, attempt: Attempt) -> StepAnswer:
        number = max(len(self._lives(order)), 1)
        while True:
            life = self._life(order, number)
            if isinstance(self.host.processes.observe(life / "process"), Absent):
                if self.host.is_lost(order):
                    return self.command.witness.ended(order, life / "process", Lost())
                if not await self._start(order, life, called_off):
                    return Stopped()
            attempt.begin(number)
            end = await self._end(life / "process", called_off)
            point("deployer.script.ended")
            if not (isinstance(end, Lost) and order.step.repeatable and number < LIVES_MAX):
                answer = await self._answer(order, life, end, called_off)
                self._begin_clearing(order)
                return answer
            number += 1

    async def _start(self, order: StepOrder, life: Path, called_off: asyncio.Event) -> bool:
        """Start the process unless that was called off."""
        _make(life)
        spec = await _unless(called_off, self.command.make_ready(order, life))
        if spec is None:
            return False
        point("deployer.script.ready")
        async with held(self._attempt(order) / "lock", LOCK_SECONDS_MAX):
            if called_off.is_set() or (self._attempt(order) / "discarded").exists():
                return False
            await self.host.processes.start(life / "process", spec)
        point("deployer.script.started")
        return True

    async def _end(self, process: Path, called_off: asyncio.Event) -> Exit | Lost:
        """Wait for the process's end; bring it about once it is called off."""
        ended = await _unless(called_off, self.host.processes.wait(process))
        if ended is None:
            await self.host.processes.stop(process)
            ended = await self.host.processes.wait(process)
        return ended

    async def _answer(
        self, order: StepOrder, life: Path, end: Exit | Lost, called_off: asyncio.Event
    ) -> StepAnswer:
        if isinstance(end, Lost):
            return self.command.witness.ended(order, life / "process", end)
        if called_off.is_set() and end.reason == "stopped":
            return Stopped()
        return await self.command.answer(order, life, end)

    def _attempt(self, order: StepOrder) -> Path:
        attempts = self.host.folder / "attempts" / str(order.run) / path_part(order.step.id)
        return attempts / str(order.attempt)

    def _life(self, order: StepOrder, number: int) -> Path:
        return self._attempt(order) / "lives" / str(number)

    def _lives(self, order: StepOrder) -> Sequence[Path]:
        lives = (self._life(order, number) for number in range(1, LIVES_MAX + 1))
        return [life for life in lives if life.is_dir()]

    def _begin_clearing(self, order: StepOrder) -> None:
        self.chores.begin(f"clear {order.log}", partial(self._clear, self._lives(order)))

    async def _clear(self, lives: Sequence[Path]) -> None:
        """Remove what a process worked with; what it said and how it ended stays."""
        for life in lives:
            for name in self.command.worked_with:
                await delete(self.host, life / name)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _unless(called_off: asyncio.Event, doing: Coroutine[None, None, Answer]) -> Answer | None:
    """Return what is awaited; None once it is called off, with no more done for it.

    It is not made a task of its own: what is there at once should not wait for the loop's next turns.
    """
    if called_off.is_set():
        doing.close()
        return None
    time_limit = asyncio.timeout(None)
    try:
        async with time_limit:
            watching = asyncio.ensure_future(_expire_once(called_off, time_limit))
            try:
                return await doing
            finally:
                watching.cancel()
    except (TimeoutError, TryAgain):  # also of what is cleared away meanwhile: it was called off all the same
        if time_limit.expired():
            return None
        raise


async def _expire_once(called_off: asyncio.Event, time_limit: asyncio.Timeout) -> None:
    await called_off.wait()
    time_limit.reschedule(asyncio.get_running_loop().time())
