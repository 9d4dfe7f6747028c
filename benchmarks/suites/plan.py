"""Pipeline files checked and planned, and `windlass validate` beside a Python that does nothing."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from textwrap import dedent

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds
from benchmarks.machine import ROOT
from benchmarks.suite import Bench, in_turns
from shared.ids import Commit, Pipeline, Repository
from shared.language.check import Given, check
from shared.language.definition_reading import read_definition
from shared.language.difference import differences
from shared.language.scope import Facts
from shared.language.synthesis import synthesize
from shared.plan import Plan
from shared.tree import Entry

USUAL, LARGE = (3, 8), (100, 50)  # stages, steps of each
FILE = ".windlass/shop/pipeline.yaml"
NOTHING = "Python that does nothing"
CHECKED = "one file of 3 x 8 checked"
VALIDATED = "windlass validate"
SCRIPTS, ROLL_OUTS = "100 x 50 planned", "100 x 50 planned, ECS"
WRITTEN, COMPARED = "plan of 100 x 50 written", "plan of 100 x 50 compared"
SUBJECTS: tuple[str, ...] = (CHECKED, SCRIPTS, ROLL_OUTS, WRITTEN, COMPARED, VALIDATED)

_STAGE = """\
    - name: stage-{number}
      target: aws
      account_id: "100000000001"
      region: eu-west-1
      vars: {{tier: tier-{number}}}
"""
_SCRIPT = """\
    - name: Step {number}
      type: SCRIPT:EXECUTE
      params:
        artifact: app
        commands: ./run.sh {number} "$TIER"
        env: {{TIER: "${{{{ vars.tier }}}}", KEY: "${{{{ stage_secret('KEY') }}}}"}}
"""
_ROLL_OUT = """\
    - name: Step {number}
      type: ECS:DEPLOY
      params:
        cluster_name: shop
        service_name: shop-{number}
        image_url: registry.example/shop:{number}
        env: {{TIER: "${{{{ vars.tier }}}}"}}
"""
_HEAD = """\
    version: "1"
    pipeline:
      artifacts:
        App: {id: app, type: BUNDLE:BUILD, params: {build_commands: make, file_path: /dist}}
      stages:
"""

Turn = Callable[[], Awaitable[list[float]]]


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure what is done in this process, then what a process of its own takes."""
    often, rarely = (2, 1) if bench.effort.brief else (20, 2)
    scripts = pipeline(*LARGE, _SCRIPT)
    plan = plan_of(scripts)
    file = bench.folder / FILE
    file.parent.mkdir(parents=True)
    await _ended("git", "init", "--quiet", "--", str(bench.folder))  # else it looks in the one around it
    file.write_bytes(pipeline(*USUAL, _SCRIPT))
    turns: Mapping[str, Turn] = {
        CHECKED: _here(partial(check, FILE, file.read_bytes(), Given()), often),
        SCRIPTS: _here(partial(plan_of, scripts), rarely),
        ROLL_OUTS: _here(partial(plan_of, pipeline(*LARGE, _ROLL_OUT)), rarely),
        WRITTEN: _here(plan.canonical, often),
        COMPARED: _here(partial(differences, plan, plan), often),
        VALIDATED: partial(_started, ("-m", "services.cli", "validate", str(bench.folder)), often),
        NOTHING: partial(_started, ("-c", "pass"), often),
    }
    taken = await in_turns(turns, bench)
    return [_series(subject, rounds) for subject, rounds in taken.items()]


def _series(subject: str, rounds: Sequence[Sequence[float]]) -> Series:
    if subject == NOTHING:
        return Series(VALIDATED, NOTHING, "ms", in_milliseconds(rounds), note="what every start costs")
    return Series(subject, WINDLASS, "ms", in_milliseconds(rounds))


def pipeline(stages: int, steps: int, step: str) -> bytes:
    """Return a file of so many stages and steps."""
    places = "".join(_STAGE.format(number=number) for number in range(stages))
    work = "".join(step.format(number=number) for number in range(steps))
    return f"{dedent(_HEAD)}{places}  steps:\n{work}".encode()


def plan_of(source: bytes) -> Plan:
    """Return the plan of a file."""
    definition = read_definition(FILE, source, "windlass")
    facts = Facts(
        pipeline=Pipeline("shop"),
        repository=Repository("acme/shop"),
        remote="",
        branch="main",
        commit=Commit("c" * 40),
        revision=1,
        entries=dict.fromkeys(definition.sources, Entry("", "folder", "a" * 40)),
        for_deployment=False,
    )
    synthesis = synthesize(definition, facts)
    assert synthesis.plan, synthesis.problems
    return synthesis.plan


def _here(act: Callable[[], object], times: int) -> Turn:
    """Return a turn that does something so many times in this process."""

    async def turn() -> list[float]:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            act()
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(0)  # an interruption is heard
        return taken

    return turn


async def _started(words: Sequence[str], times: int) -> list[float]:
    return [await _ended(sys.executable, *words) for _ in range(times)]


async def _ended(*command: str) -> float:
    """Run a command to its end, which must be a good one; return the seconds."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
    try:
        assert await process.wait() == 0, f"{' '.join(command)} ended badly"
    finally:
        if process.returncode is None:
            process.kill()
    return time.perf_counter() - began
