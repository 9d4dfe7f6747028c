"""Results as suites would give them, small and the same each time."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.figures import Series
from benchmarks.machine import Conditions, Machine
from benchmarks.record import Result
from benchmarks.suite import Effort

MACHINE = Machine(
    processor="Some Processor 3",
    processors=2,
    memory_mb=8_340,
    system="Debian GNU/Linux 12 (bookworm)",
    kernel="Linux 6.1.0",
    python="CPython 3.11.7",
    sqlite="3.40.1",
    windlass="0.1.0",
    commit="c0ffee" + "0" * 34,
    changed=False,
)
BEFORE = Conditions(load=0.31, sync_p50=0.81, sync_p95=1.9, spawn_p50=0.7, python_p50=12.3)
AFTER = Conditions(load=1.5, sync_p50=0.92, sync_p95=3.1, spawn_p50=0.72, python_p50=12.9)


def result(suite: str, *series: Series, unavailable: str = "") -> Result:
    return Result(
        suite=suite,
        date="2026-11-22T19:00:00Z",
        seconds=312.4,
        effort=Effort(rounds=3),
        machine=MACHINE,
        before=BEFORE,
        after=AFTER,
        series=series,
        taken=tuple(sum(map(len, each.rounds)) for each in series),
        unavailable=unavailable,
    )


def spread(median: float, times: int = 9, rounds: int = 3) -> tuple[tuple[float, ...], ...]:
    """Return rounds of values from half to one and a half of the median."""
    steps = [0.5 + step / (times - 1) for step in range(times)] if times > 1 else [1.0]
    return tuple(
        tuple(round(median * step * (1 + number / 20), 4) for step in steps) for number in range(rounds)
    )


def of_push() -> Result:
    return result(
        "push",
        Series("webhook answered", "Windlass", "ms", spread(1.4)),
        Series("webhook answered", "Buildbot", "ms", spread(11.2)),
        Series("step to next step", "Windlass", "ms", spread(10.4)),
        Series("step to next step", "Buildbot", "ms", spread(70)),
        Series("step to next step", "Prefect", "ms", (), note="it could not\nbe installed"),
        Series("memory", "Windlass", "MB", spread(121, times=1)),
        Series("memory", "Buildbot", "MB", spread(89, times=1), note="without its worker | alone"),
    )


def of_queries() -> Result:
    curve = [
        Series(
            "list query",
            "Windlass",
            "ms",
            spread(2 + place),
            at=10.0 ** (3 + place),
            along="stored deployments",
        )
        for place in range(4)
    ]
    return result("queries", *curve)


def of_burst() -> Result:
    runs = Series("burst of 200 pushes: runs", "Windlass", "runs", ((2,), (2,), (3,)))
    commit = "burst of 200 pushes: last commit live"
    beside = replace(runs, party="Buildbot", rounds=((24,), (21,), (22,)))
    return replace(
        result("burst", runs, Series(commit, "Windlass", "of 1", ((1,), (1,), (1,))), beside),
        machine=replace(MACHINE, changed=True),
    )


def of_accept() -> Result:
    rate = Series(
        "pushes accepted while deploying",
        "Windlass",
        "a second",
        ((410.0,), (395.0,), (402.0,)),
        at=0,
        along="deployments running",
    )
    beside = replace(rate, at=1, party="Buildbot", rounds=((18.0,), (20.0,), (21.0,)))
    return result("accept", rate, replace(rate, at=1, rounds=((420.0,), (405.0,), (415.0,))), beside)


def of_all() -> Sequence[Result]:
    nowhere = result("distributed", unavailable="Kafka is missing: run `make kafka` once")
    return [of_accept(), of_burst(), nowhere, of_push(), of_queries()]
