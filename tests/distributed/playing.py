"""Playing a scenario from beginning to end: servers, trial, faults, dust settling, reckoning."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

from tests.distributed.programme import PROGRAMME, Scenario
from tests.distributed.reckoning import reckon, settled
from tests.distributed.report import Report
from tests.distributed.servers import Servers
from tests.distributed.trial import Load, Trial, trial


def play(name: str, folder: Path, seed: int, seconds: float, load: Load | None = None) -> Report:
    """Play it and return what it has shown; a trial that breaks off tells everybody's last words."""
    scenario = PROGRAMME[name]
    with scenario.servers() as servers:
        return asyncio.run(_play(scenario, servers, folder, Report(name, seed, seconds), load))


async def _play(
    scenario: Scenario, servers: Servers, folder: Path, report: Report, load: Load | None
) -> Report:
    began = time.monotonic()
    async with trial(folder, servers, load or scenario.load, report.seed) as on:
        try:
            await scenario.play(on, report.seconds)
            found = await settled(on)
            report.wrongs = [*found, *await reckon(on)]
        except Exception as fault:
            fault.add_note(f"again: {report.again}\n{on.fleet.last_words()}")
            raise
        report.counts = _counts(on, time.monotonic() - began)
        report.logs = on.fleet.last_words() if report.wrongs else ""
    return report


def _counts(on: Trial, seconds: float) -> Counter[str]:
    effects = [effect for barge in on.barges for effect in barge.effects()]
    counts = Counter({"pipelines": len(on.barges), "pushes": len(on.forge.acknowledged)})
    counts["tries"] = sum(told.tries for told in on.forge.acknowledged)
    counts["effects"] = len(effects)
    counts += on.counts
    counts["seconds in all"] = round(seconds)
    begun = {(effect.pipeline, effect.commit): effect.at for effect in reversed(effects)
             if effect.stage == on.barges[0].shape.stages[0]}  # fmt: skip
    lags = [(begun[at] - told.told_at) / 1e6 for told in on.forge.acknowledged
            if (at := (told.barge.name, told.commit)) in begun]  # fmt: skip
    if len(lags) > 1:
        parts = quantiles(lags, n=20)
        counts["ms from push to first step, half of them"] = round(parts[9])
        counts["ms, 95 %"] = round(parts[18])
    return counts
