"""LOCAL:SERVICE:DEPLOY: a supervised process, verified on a port of its own, then given the stable one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.deployer.adapters.gateway.route import replace_file
from services.deployer.adapters.local import address, lives
from services.deployer.adapters.local.candidate import take_away
from services.deployer.adapters.local.environment import environment
from services.deployer.adapters.local.evidence import Witness
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.ports import noted
from services.deployer.adapters.local.progress import Attempt, Attempts, until_answered
from services.deployer.adapters.local.release import Launch, Life, Release, is_over, release_of, unpack
from services.deployer.adapters.local.succession import Succession
from services.deployer.step_order import Done, Launched, StepAnswer, StepOrder, Stopped
from shared.artifacts.folder import disk_faults
from shared.crash import point
from shared.events import LogLine
from shared.faults import Refused
from shared.process import Absent, Exit, Exited, Lost, Running
from shared.step_types import LocalServiceDeploy

# Of the step's time for the service to listen: the engine's own limit comes after ours, so that the
# evidence tells what did not happen.
START_SHARE = 0.9
LIVES_MAX = 3  # processes of one attempt, where a lost one may be started again


@dataclass(frozen=True, slots=True)
class LocalService:
    """Carries out LOCAL:SERVICE:DEPLOY."""

    host: Host
    succession: Succession
    attempts: Attempts = field(default_factory=Attempts)

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Unpack the release, start its process, and show the candidate once it listens."""
        with self.attempts.answering(order.log) as attempt:
            try:
                with disk_faults(f"deploying {order.step.id}"):
                    return await self._run(order, called_off, attempt)
            except Refused as fault:
                return self._witness.refused(order, fault)

    async def switch(self, order: StepOrder) -> StepAnswer:
        """Have the stable address lead to the candidate; the release before it ends beside that."""
        place = self.host.place(order)
        release = release_of(place, order)
        with disk_faults(f"switching {order.step.id}"):
            async with self.host.lock(place):
                answer = await self._switch(order, place, release)
            self.succession.begin_chores(place)
        return answer

    async def discard(self, order: StepOrder) -> StepAnswer:
        """End the candidate's processes and remove its files; what they said is kept."""
        place = self.host.place(order)
        release = release_of(place, order)
        with disk_faults(f"discarding {order.step.id}"):
            await take_away(self.host, place, release)
            self.succession.begin_tidying(place)
        return Done()

    async def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        """Give what the candidate says until `run` has its answer."""
        attempt = self.attempts.of(order.log)
        if not await attempt.reaches(1):
            return
        process = release_of(self.host.place(order), order).life(attempt.lives).process
        lines = self.host.processes.output(process, first_line)
        async for batch in until_answered(lines, attempt, lambda: self._goes_on(process)):
            yield batch

    async def _run(self, order: StepOrder, called_off: asyncio.Event, attempt: Attempt) -> StepAnswer:
        release = release_of(self.host.place(order), order)
        number = max(release.life_number(), 1)
        if number == 1 and self.host.is_lost(order) and self._is_absent(release.life(1)):
            return self._witness.ended(order, release.life(1).process, Lost())
        while True:
            life = release.life(number)
            if self._is_absent(life) and not await self._begin(order, release, life, called_off):
                return Stopped()
            attempt.begin(number)
            seconds = order.step.timeout_seconds * START_SHARE
            risen = await lives.rise(self.host, life, called_off, seconds)
            lost = isinstance(risen, lives.Ended) and isinstance(risen.end, Lost)
            if not (lost and order.step.repeatable and number < LIVES_MAX):
                return await self._answer(order, life, risen, called_off)
            number += 1

    async def _begin(self, order: StepOrder, release: Release, life: Life, called_off: asyncio.Event) -> bool:
        """Start a process unless nobody wants one any more; tell whether there is one now."""
        place = self.host.place(order)
        if is_over(place, release):
            return False
        launch = await self._make_ready(order, release)
        async with self.host.lock(place):
            if called_off.is_set() or is_over(place, release):
                return False
            await lives.begin(self.host, release, launch, life)
        return True

    async def _make_ready(self, order: StepOrder, release: Release) -> Launch:
        """Put the release's files there, and how it is started."""
        params = LocalServiceDeploy.model_validate(order.step.params)
        env = environment(order, params.env, self.host.search_path, release.home)
        await unpack(self.host, order, params.artifact, release.files)
        point("deployer.release.unpacked")
        launch = Launch(
            release=order.release,
            revision=order.revision,
            commit=order.commit,
            command=params.command,
            env=env,
            grace_seconds=params.grace_seconds,
        )
        release.note_launch(launch)
        return launch

    async def _answer(
        self, order: StepOrder, life: Life, risen: lives.Rise, called_off: asyncio.Event
    ) -> StepAnswer:
        if isinstance(risen, lives.Silent) and not await self._silence(order, life, risen):
            risen = lives.Listens(risen.port)
        match risen:
            case lives.Listens(port):
                return await self._show(order, port, called_off)
            case lives.CalledOff():
                await self.host.processes.stop(life.process)
                return Stopped(f"the service did not listen on 127.0.0.1 port {noted(life.port_file)}")
            case lives.Ended(end) if not life.silent_file.exists():
                if called_off.is_set() and isinstance(end, Exit) and end.reason == "stopped":
                    return Stopped()
                before = f" before it listened on port {noted(life.port_file)}"
                return self._witness.ended(order, life.process, end, before)
        # By an earlier life or another deployer or just now, it was stopped because it did not listen.
        message = life.silent_file.read_text(encoding="utf-8")
        return self._witness.said(order, "timeout", message, life.process)

    async def _silence(self, order: StepOrder, life: Life, silent: lives.Silent) -> bool:
        """End a process that does not listen; False: it does by now, or another deployer switched to it."""
        place = self.host.place(order)
        async with self.host.lock(place):
            if release_of(place, order).has("switched") or await lives.listens(life):
                return False
            replace_file(life.silent_file, _silence(order, silent).encode())
            await self.host.processes.stop(life.process)
        return True

    async def _show(self, order: StepOrder, port: int, called_off: asyncio.Event) -> Launched | Stopped:
        place = self.host.place(order)
        release = release_of(place, order)
        async with self.host.lock(place):
            if called_off.is_set() or is_over(place, release):
                return Stopped()
            if not release.has("switched"):
                route = address.template(order, "server", upstream_port=port)
                await address.show_candidate(self.host, place, release, route)
        params = LocalServiceDeploy.model_validate(order.step.params)
        return Launched((address.probe_target(order, release, params.verify),))

    async def _switch(self, order: StepOrder, place: Place, release: Release) -> StepAnswer:
        self.succession.note_replaced(place)
        if done := address.was_taken_over(self.host, place, release):
            return Done({"url": done})
        if is_over(place, release):
            return self._witness.said(order, "target", "the candidate is no longer there")
        life = release.life(release.life_number())
        match self.host.processes.observe(life.process):
            case Exited(end):
                return self._witness.ended(order, life.process, end, " before it was given its address")
            case Lost() as lost:
                return self._witness.ended(order, life.process, lost)
            case Absent():
                return self._witness.said(order, "target", "the candidate is no longer there")
        release.put("switched")
        self.host.processes.promote(life.process)
        point("deployer.release.promoted")
        params = LocalServiceDeploy.model_validate(order.step.params)
        route = address.template(order, "server", upstream_port=noted(life.port_file) or 0)
        taken = await address.take_over(self.host, place, release, route, params.port)
        if taken.problem:
            return self._witness.said(order, "target", taken.problem)
        return Done({"url": taken.url})

    @property
    def _witness(self) -> Witness:
        return Witness("rollout", "the service", self.host.processes, self.host.clock)

    def _is_absent(self, life: Life) -> bool:
        return isinstance(self.host.processes.observe(life.process), Absent)

    def _goes_on(self, process: Path) -> bool:
        return isinstance(self.host.processes.observe(process), Running)


def _silence(order: StepOrder, silent: lives.Silent) -> str:
    seconds = order.step.timeout_seconds * START_SHARE
    other = "; another process answers on that port" if silent.taken else ""
    return f"the service did not listen on 127.0.0.1 port {silent.port} within {seconds:g} s{other}"
