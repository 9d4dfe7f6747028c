"""A pipeline file that is right, and planning one as a push would."""

from collections.abc import Iterable, Mapping
from textwrap import dedent

from shared.git import Entry
from shared.ids import Commit, Pipeline, Repository
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.scope import Facts
from shared.language.synthesis import Synthesis, synthesize
from shared.plan import Plan, StepPlan

FILE = ".windlass/shop/pipeline.yaml"
COMMIT = Commit("c" * 40)
TREE = Entry("", "folder", "a" * 40)

SHOP = """\
version: "1"
pipeline:
  name: Shop
  artifacts:
    Web App:
      id: web
      type: BUNDLE:BUILD
      rebuild_when_changed: [/app]
      envs: {VERSION: 1.10, SHA: "${{ trigger.sha }}"}
      params:
        build_commands: |
          mkdir -p dist
          cp -r app/* dist/
        file_path: /dist
  stages:
    - name: staging
      vars: {port: 8101, greeting: "hello 'you'"}
    - name: production
      vars: {port: 8102, greeting: hi}
      skip: [Smoke]
      timeout_minutes: 10
  steps:
    - name: Migrate
      type: SCRIPT:EXECUTE
      params:
        commands: echo "$GREETING"
        artifact: Web App
        env: {GREETING: "<${{ vars.greeting }}>", N: 0010, PORT: "${{ vars.port }}"}
    - name: Smoke
      type: SCRIPT:EXECUTE
      params: {commands: [true, exit 0]}
      repeatable: true
      on_sibling_failure: finish
    - name: Serve
      type: LOCAL:SERVICE:DEPLOY
      params:
        artifact: web
        command: python3 server.py --greet '${{ vars.greeting }}!' --stage=${{ stage.name }}
        port: ${{ vars.port }}
        verify:
          paths: [{path: /health, status: 200}]
"""


def yaml(text: str) -> bytes:
    return dedent(text).encode()


def facts(
    definition: Definition, entries: Mapping[str, Entry | None] | None = None, revision: int = 1
) -> Facts:
    known: Mapping[str, Entry | None] = entries or {}
    return Facts(
        pipeline=Pipeline("shop"),
        repository=Repository("acme/shop"),
        remote="/srv/shop",
        branch="main",
        commit=COMMIT,
        revision=revision,
        entries={source: known.get(source, TREE) for source in definition.sources},
    )


def outcome(
    source: str | bytes, entries: Mapping[str, Entry | None] | None = None, revision: int = 1
) -> Synthesis:
    raw = source.encode() if isinstance(source, str) else source
    definition = read_definition(FILE, raw)
    return synthesize(definition, facts(definition, entries, revision))


def planned(
    source: str | bytes, entries: Mapping[str, Entry | None] | None = None, revision: int = 1
) -> Plan:
    result = outcome(source, entries, revision)
    assert result.plan, result.problems
    return result.plan


def refused(source: str | bytes) -> list[tuple[int, int, str, str]]:
    """Return line, column, message and hint of every problem."""
    result = outcome(source)
    assert result.plan is None
    assert {problem.file for problem in result.problems} == {FILE}
    return [(found.line, found.column, found.message, found.hint) for found in result.problems]


def with_step(*lines: str) -> str:
    """Return a small pipeline with one stage and this step."""
    return with_steps([lines])


def with_steps(steps: Iterable[Iterable[str]]) -> str:
    head = [
        "version: '1'",
        "pipeline:",
        "  artifacts:",
        "    Web: {type: BUNDLE:BUILD, params: {file_path: /dist}}",
        "  stages:",
        "    - {name: staging, vars: {port: 8101, none: ~, list: [1], text: a b, 'two words': x}}",
        "  steps:",
    ]
    for step in steps:
        head += [f"    {'-' if number == 0 else ' '} {line}" for number, line in enumerate(step)]
    return "\n".join(head) + "\n"


def step_of(plan: Plan, step: str, stage: int = 0) -> StepPlan:
    return next(found for found in plan.stages[stage].steps if found.id == step)
