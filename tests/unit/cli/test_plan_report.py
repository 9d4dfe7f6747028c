from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.cli.artifact_fate import fates
from services.cli.change_report import CHANGES_MAX, CHARACTERS_MAX, changes, effects
from services.cli.plan_report import ROWS_MAX, rendered
from services.cli.planning import Pipeline
from services.cli.queue_effects import QueueEffects, StageEffects
from services.cli.report.text import COLOURS, PLAIN
from shared.ids import BuildKey, Commit, Repository, Stage, Step
from shared.ids import Pipeline as Slug
from shared.language.difference import ApprovalNeeded, Change
from shared.language.discovery import PipelineFile
from shared.placeholder import ArtifactOf, Call, Constant, FactOf, Joined, OutputOf, Placeholder, SecretOf
from shared.plan import ArtifactPlan, Import, Plan, StagePlan, StepPlan


def step(name: str, *after: str, **more: Any) -> StepPlan:
    return StepPlan(
        id=Step(name.lower()),
        name=name,
        type=more.pop("type", "SCRIPT:EXECUTE"),
        params=more.pop("params", {}),
        goes_after=tuple(Step(each) for each in after),
        timeout_seconds=60.0,
        **more,
    )


def plan(*steps: StepPlan, artifacts: Sequence[ArtifactPlan] = ()) -> Plan:
    return Plan(
        pipeline=Slug("shop"),
        repository=Repository("acme/shop"),
        remote="",
        branch="main",
        commit=Commit("c" * 40),
        artifacts=tuple(artifacts),
        stages=(StagePlan(name=Stage("live"), target="local", steps=steps),),
    )


def artifact(**more: Any) -> ArtifactPlan:
    given = {"id": "web", "name": "Web", "build_key": BuildKey("1"), "sources": {"/app": "a" * 40}}
    return ArtifactPlan(**(given | more))


def lines(planned: Plan, palette: Any = PLAIN, queue: QueueEffects | None = None) -> list[str]:
    file = PipelineFile(Slug("shop"), ".windlass/shop/pipeline.yaml")
    shown = Pipeline(file, b"", (), planned, planned, (), None, ())
    return list(rendered(shown, queue, palette))


def steps_of(planned: Plan) -> list[str]:
    return [line.strip() for line in lines(planned) if "SCRIPT:EXECUTE" in line]


def test_steps_one_after_the_other_have_a_number_each() -> None:
    told = steps_of(plan(step("A"), step("B", "a"), step("C", "b")))
    assert told == ["1  A  SCRIPT:EXECUTE", "2  B  SCRIPT:EXECUTE", "3  C  SCRIPT:EXECUTE"]


def test_steps_side_by_side_have_one_number_and_say_what_they_wait_for() -> None:
    told = steps_of(plan(step("A"), step("B", "a"), step("C", "a"), step("D", "b", "c"), step("E")))
    assert told == [
        "1  A  SCRIPT:EXECUTE  at once",
        "2  B  SCRIPT:EXECUTE  after A",
        "2  C  SCRIPT:EXECUTE  after A",
        "3  D  SCRIPT:EXECUTE  after B, C",
        "1  E  SCRIPT:EXECUTE  at once",
    ]


def test_a_step_that_is_left_out_has_no_number_and_no_parameters() -> None:
    told = lines(plan(step("A", params={"commands": ["x"]}, skip=True)))
    assert told[-3] == "    -  A  SCRIPT:EXECUTE  skipped here"
    assert not any("commands" in line for line in told)


INFRA, SECRET = OutputOf(step=Step("infra"), name="cluster"), SecretOf(owner="organization", name="DB")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(INFRA, "⟨output of Infra: cluster⟩", id="output"),
        pytest.param(SECRET, "⟨secret DB⟩", id="secret"),
        pytest.param(SecretOf(owner="stage", name="DB"), "⟨stage secret DB⟩", id="stage's secret"),
        pytest.param(
            ArtifactOf(artifact="web", name="image_url", copied=True),
            "⟨artifact web: image_url⟩",
            id="artifact",
        ),
        pytest.param(FactOf(names=("organization", "slug")), "⟨organization.slug⟩", id="fact"),
        pytest.param(
            Joined(parts=(Constant(value="db://"), SECRET, Constant(value="@⟨x"))),
            "db://⟨secret DB⟩@\\u27e8x",
            id="joined",
        ),
        pytest.param(
            Call(function="upper", arguments=(Constant(value="a"), SECRET)),
            '⟨upper("a", ⟨secret DB⟩)⟩',
            id="call",
        ),
    ],
)
def test_what_is_not_known_yet_is_named_in_its_place(value: Any, shown: str) -> None:
    late = (Placeholder(at=("env", "X"), value=value),)
    told = lines(plan(step("Infra"), step("A", "infra", params={"env": {"X": None}}, late=late)))
    assert f"       env.X  {shown}" in told


def test_only_parameters_that_somebody_has_set_are_shown() -> None:
    params = {
        "artifact": "web",
        "command": ["run"],
        "port": None,
        "env": {},
        "grace_seconds": 10.0,
        "verify": {
            "paths": [],
            "successes": 9,
            "interval_seconds": 0.2,
            "latency_seconds_max": 5.0,
            "deadline_seconds": 30.0,
        },
    }
    told = lines(plan(step("A", type="LOCAL:SERVICE:DEPLOY", params=params)))
    assert [line.strip() for line in told if line.startswith("       ")] == [
        "artifact          web",
        'command           ["run"]',
        "verify.successes  9",
    ]


def test_long_and_hostile_values_stay_on_one_bounded_line() -> None:
    params = {
        "commands": ["x" * 5000],
        "env": {"A\x1b[31m\nB": "\x1b]0;x\x07", **dict.fromkeys(map(str, range(99)), "")},
    }
    told = lines(plan(step("A\x1b[2J", params=params)))
    assert all(line.isprintable() for line in told)
    assert max(map(len, told)) < CHARACTERS_MAX + 40
    assert f"       and {100 + 1 - ROWS_MAX} more" in told


def test_colours_are_the_only_difference_between_terminals_and_others() -> None:
    planned = plan(step("A", params={"commands": ["x"]}, skip=True), artifacts=[artifact()])
    plain, coloured = "\n".join(lines(planned)), "\n".join(lines(planned, COLOURS))
    for mark in COLOURS:
        coloured = coloured.replace(mark, "")
    assert coloured == plain


def fate(new: ArtifactPlan, *old: ArtifactPlan) -> tuple[str, tuple[str, ...]]:
    (found,) = fates(plan(artifacts=[new]), plan(artifacts=old))
    return found.fate, found.reasons


SAME = "same sources, settings and environment"


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param({}, {}, ("reused", (SAME,)), id="same"),
        pytest.param({"id": "app"}, {}, ("reused", (f"{SAME}, as Web",)), id="same of another name"),
        pytest.param({"id": "app", "build_key": "2"}, {}, ("built", ("nothing to reuse",)), id="new"),
        pytest.param(
            {"build_key": "2", "sources": {"/app": "b" * 40}},
            {},
            ("built", ("/app changed: aaaaaaaa -> bbbbbbbb",)),
            id="a path changed",
        ),
        pytest.param(
            {"build_key": "2", "sources": {"/app": "absent", "/lib": "c" * 40}},
            {"sources": {"/app": "a" * 40, "/old": "d" * 40}},
            (
                "built",
                (
                    "/app changed: aaaaaaaa -> absent",
                    "/lib changed: not listed -> cccccccc",
                    "/old changed: dddddddd -> not listed",
                ),
            ),
            id="other paths",
        ),
        pytest.param(
            {"build_key": "2", "commands": ("make",), "env": {"A": "1"}, "timeout_seconds": 1.0},
            {"env": {"A": "2"}},
            ("built", ('commands changed: [] -> ["make"]', "env.A changed: 2 -> 1")),
            id="settings",
        ),
        pytest.param(
            {"build_key": "2", "env": {"SHA": "c" * 40}},
            {"env": {"SHA": "d" * 40}},
            ("built", (f"env.SHA changed: {'d' * 40} -> {'c' * 40}",)),
            id="a commit's id counts",
        ),
        pytest.param(
            {"build_key": "2", "imported": Import(url="nginx:2")},
            {"imported": Import(url="nginx:1")},
            ("imported", ("imported.url changed: nginx:1 -> nginx:2",)),
            id="imported",
        ),
    ],
)
def test_why_an_artifact_is_built_again(
    new: dict[str, Any], old: dict[str, Any], expected: tuple[str, tuple[str, ...]]
) -> None:
    assert fate(artifact(**new), artifact(**old)) == expected


def change(stage: str, **more: Any) -> Change:
    given = {
        "kind": "changed",
        "path": ("stages", stage, "steps", "a", "skip"),
        "old": "false",
        "new": "true",
    }
    return Change(thing=f'stage "{stage}" · step "A" · skip', **(given | more))


def test_a_change_that_is_the_same_in_several_stages_is_told_once() -> None:
    told = list(changes([change(f"s{n}") for n in range(6)], None, PLAIN))
    assert told == [
        "Changes of the definition  6; those that are the same in several stages are shown once",
        '    stages s0, s1, s2, s3 and 2 more · step "A" · skip: false -> true',
    ]
    assert len(list(changes([change("s0"), change("s1", new="other")], None, PLAIN))) == 3


def test_what_is_told_of_very_many_changes_is_bounded_here_too() -> None:
    told = list(changes([change("s", new=str(n)) for n in range(CHANGES_MAX + 5)], None, PLAIN))
    assert len(told) == CHANGES_MAX + 2
    assert told[-1] == "    and 5 more, which --json lists"


def test_that_nothing_is_different_is_told_too() -> None:
    assert list(changes([], None, PLAIN)) == ["Changes of the definition  none"]


def test_what_a_stage_holds_back_is_told() -> None:
    stage = StageEffects("live", "paused", None, (3, 4), ("It is stopped.",), (2,))
    told = list(effects(QueueEffects(5, "", None, ("Note.",), (stage,)), PLAIN))
    assert told == [
        "  It would be revision 5.",
        "  Note.",
        "  live is paused now",
        "    It is stopped.",
        "    It would supersede revisions 3 and 4, if those still wait.",
        "    Kept out of it: revision 2; this one goes past.",
    ]


def test_the_command_loads_no_server_and_no_drawing(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    code = (
        "import sys, services.cli.commands.plan, services.cli.planning, services.cli.plan_report;"
        "print(sorted({'httpx', 'rich', 'asyncio', 'sqlalchemy', 'fastapi'} & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=Path.cwd())
    assert ended.stdout.decode().strip() == "[]", tmp_path


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        pytest.param(
            ("timeout_seconds",), "3600.0", "", "timeout_minutes: 60 -> none", id="the pipeline's limit"
        ),
        pytest.param(
            ("definition_approval",),
            "ALWAYS",
            "NEVER",
            "pipeline_updates_require_approval: ALWAYS -> NEVER",
            id="approval",
        ),
        pytest.param(
            ("stages", "live", "steps", "a", "timeout_seconds"),
            "90.0",
            "1200.0",
            'stage "live" · timeout_minutes: 1.5 -> 20',
            id="a step's limit",
        ),
        pytest.param(
            ("stages", "live", "vars", "timeout_seconds"),
            "90.0",
            "1200.0",
            'stage "live" · timeout_seconds: 90.0 -> 1200.0',
            id="a variable of that name",
        ),
        pytest.param(
            ("stages", "live", "window"),
            "odd",
            "",
            'stage "live" · deployment_time_window: odd -> none',
            id="window",
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_the_file(
    path: tuple[str, ...], old: str, new: str, said: str
) -> None:
    thing = path[-1] if len(path) == 1 else f'stage "live" · {path[-1]}'
    change = Change(kind="changed", thing=thing, path=path, old=old, new=new)
    assert list(changes([change], None, PLAIN))[1].strip() == said


def test_changes_are_counted_as_whoever_approves_them_is_told() -> None:
    found = [
        Change(
            kind="changed",
            thing=f'stage "{stage}" · region',
            path=("stages", stage, "region"),
            old="a",
            new="b",
        )
        for stage in ("one", "two", "three")
    ]
    needed = ApprovalNeeded(mode="ALWAYS", changes=tuple(found))
    told = list(changes(found, needed, PLAIN))
    assert told[0].startswith("Changes of the definition  3; those that are the same")
    assert told[1].strip() == "stages one, two, three · region: a -> b"
    assert told[-1].endswith("and there are 3")
