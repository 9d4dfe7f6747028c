"""How fast pipeline files are checked and planned: `python -m benchmarks.plan`.

Prints the best of some rounds, since whatever else a machine does only ever makes a round slower.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from textwrap import dedent

from shared.ids import Commit, Pipeline, Repository
from shared.language.check import Given, check
from shared.language.definition_reading import read_definition
from shared.language.difference import differences
from shared.language.scope import Facts
from shared.language.synthesis import synthesize
from shared.plan import PLAN_BYTES_MAX, Plan
from shared.tree import Entry

ROUNDS = 5
STAGES, STEPS = 100, 50
FILE = ".windlass/shop/pipeline.yaml"

_STAGE = """\
    - name: stage-{number}
      target: aws
      account_id: "100000000001"
      region: eu-west-1
      vars: {{tier: tier-{number}}}
"""
SCRIPT = """\
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


def pipeline(stages: int, steps: int, step: str) -> bytes:
    """Return a file of so many stages and steps."""
    head = """\
        version: "1"
        pipeline:
          artifacts:
            App: {id: app, type: BUNDLE:BUILD, params: {build_commands: make, file_path: /dist}}
          stages:
        """
    places = "".join(_STAGE.format(number=number) for number in range(stages))
    work = "".join(step.format(number=number) for number in range(steps))
    return f"{dedent(head)}{places}  steps:\n{work}".encode()


def seconds(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return how long it takes at best."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return min(taken)


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


def main() -> None:
    """Measure, and print one line a figure."""
    usual = pipeline(3, 8, SCRIPT)
    check(FILE, usual, Given())  # what is made at the first use is not of the file
    taken = seconds(partial(check, FILE, usual, Given()), rounds=20)
    say(f"check, 3 stages of 8 steps: {1 / taken:.0f} files/s", taken)
    for name, step in (("scripts", SCRIPT), ("ECS", _ROLL_OUT)):
        source = pipeline(STAGES, STEPS, step)
        plan = plan_of(source)
        size = len(plan.canonical())
        of_these = f"{STAGES} stages of {STEPS} steps, {name}"
        say(f"{of_these}: read and planned", seconds(partial(plan_of, source)))
        say(f"{of_these}: {size // 1024} of {PLAN_BYTES_MAX // 1024} KiB", seconds(plan.canonical))
        say(f"{of_these}: compared with itself", seconds(partial(differences, plan, plan)))


def say(what: str, taken: float) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what:60} {taken * 1e3:8.1f} ms\n")


if __name__ == "__main__":
    main()
