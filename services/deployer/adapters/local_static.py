"""LOCAL:STATIC:DEPLOY: an immutable folder, verified on a port of its own, then given the stable one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.deployer.adapters.local import address
from services.deployer.adapters.local.candidate import take_away
from services.deployer.adapters.local.evidence import Witness
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.release import Launch, Release, is_over, release_of, unpack
from services.deployer.adapters.local.succession import Succession
from services.deployer.step_order import Done, Launched, StepAnswer, StepOrder, Stopped
from shared.artifacts.folder import disk_faults
from shared.crash import point
from shared.events import LogLine
from shared.faults import Refused
from shared.step_types import LocalStaticDeploy


@dataclass(frozen=True, slots=True)
class LocalStatic:
    """Carries out LOCAL:STATIC:DEPLOY."""

    host: Host
    succession: Succession

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Unpack the release and show it as a candidate."""
        try:
            with disk_faults(f"deploying {order.step.id}"):
                return await self._run(order, called_off)
        except Refused as fault:
            return self._witness.refused(order, fault)

    async def switch(self, order: StepOrder) -> StepAnswer:
        """Have the stable address lead to the candidate."""
        place = self.host.place(order)
        release = release_of(place, order)
        with disk_faults(f"switching {order.step.id}"):
            async with self.host.lock(place):
                answer = await self._switch(order, place, release)
            self.succession.begin_chores(place)
        return answer

    async def discard(self, order: StepOrder) -> StepAnswer:
        """Remove the candidate."""
        place = self.host.place(order)
        release = release_of(place, order)
        with disk_faults(f"discarding {order.step.id}"):
            await take_away(self.host, place, release)
            self.succession.begin_tidying(place)
        return Done()

    async def output(
        self,
        order: StepOrder,  # noqa: ARG002
        first_line: int,  # noqa: ARG002
    ) -> AsyncIterator[Sequence[LogLine]]:
        """Give nothing: no program runs."""
        nothing: Sequence[Sequence[LogLine]] = ()
        for lines in nothing:
            yield lines

    async def _run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        params = LocalStaticDeploy.model_validate(order.step.params)
        place = self.host.place(order)
        release = release_of(place, order)
        if called_off.is_set() or is_over(place, release):
            return Stopped()
        await unpack(self.host, order, params.artifact, release.files)
        point("deployer.release.unpacked")
        release.note_launch(Launch(order.release, order.revision, order.commit))
        async with self.host.lock(place):
            if called_off.is_set() or is_over(place, release):
                return Stopped()
            if not release.has("switched"):
                route = address.template(order, "static", root=str(release.files.absolute()))
                await address.show_candidate(self.host, place, release, route)
        return Launched((address.probe_target(order, release, params.verify),))

    async def _switch(self, order: StepOrder, place: Place, release: Release) -> StepAnswer:
        self.succession.note_replaced(place)
        if done := address.was_taken_over(self.host, place, release):
            return Done({"url": done})
        if not release.files.is_dir() or is_over(place, release):
            return self._witness.said(order, "target", "the candidate is no longer there")
        release.put("switched")
        point("deployer.release.promoted")
        params = LocalStaticDeploy.model_validate(order.step.params)
        route = address.template(order, "static", root=str(release.files.absolute()))
        taken = await address.take_over(self.host, place, release, route, params.port)
        if taken.problem:
            return self._witness.said(order, "target", taken.problem)
        return Done({"url": taken.url})

    @property
    def _witness(self) -> Witness:
        return Witness("rollout", "the site", self.host.processes, self.host.clock)
