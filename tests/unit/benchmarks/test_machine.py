import asyncio
from dataclasses import astuple
from pathlib import Path

from benchmarks.machine import ROOT, Tries, conditions, machine


async def test_the_machine_is_told_without_its_names_and_places() -> None:
    it = await machine()
    told = " ".join(map(str, astuple(it)))
    assert all((it.processor, it.processors, it.memory_mb, it.system, it.kernel, it.python, it.sqlite))
    assert len(it.commit) in {0, 40}
    assert str(ROOT) not in told
    assert str(Path.home()) not in told


def test_how_fast_it_is_now_leaves_nothing_behind(tmp_path: Path) -> None:
    now = asyncio.run(conditions(tmp_path, Tries(syncs=3, spawns=2, starts=1)))
    assert min(now.sync_p50, now.spawn_p50, now.python_p50) > 0
    assert now.sync_p95 >= now.sync_p50
    assert list(tmp_path.iterdir()) == []
