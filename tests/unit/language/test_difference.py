import json
from typing import Any

import pytest
from hypothesis import given

from shared.language.difference import (
    _OF_A_STAGE,
    _OF_A_STEP,
    _OF_AN_ARTIFACT,
    CHANGES_TOLD_MAX,
    approval_needed,
    differences,
)
from shared.language.shown_value import VALUE_CHARACTERS_MAX
from shared.placeholder import Constant, Joined, Placeholder
from shared.plan import ArtifactPlan, Plan, StagePlan, StepPlan
from tests.unit.language.live import JSON, LIVE, PRODUCTION, SECRET, STAGING, edited, planned
from tests.unit.language.sample import SHOP

BEFORE = planned(SHOP)


def test_equal_definitions_have_no_differences() -> None:
    assert differences(planned(LIVE), planned(LIVE)) == ()


def test_facts_of_a_push_are_no_changes() -> None:
    first = planned(SHOP)
    pushed = first.model_copy(
        update={
            "commit": "d" * 40,
            "branch": "release",
            "artifacts": tuple(
                each.model_copy(
                    update={"build_key": "k", "sources": {"/app": "e"}, "env": {**each.env, "SHA": "d" * 40}}
                )
                for each in first.artifacts
            ),
        }
    )
    assert differences(first, pushed) == ()


def test_the_old_commits_id_written_out_is_a_change() -> None:
    first = planned(SHOP)
    literal = planned(edited("${{ trigger.sha }}", first.commit, SHOP)).model_copy(
        update={"commit": "d" * 40}
    )
    assert [change.thing for change in differences(first, literal)] == ['artifact "Web App" · env.SHA']


def test_a_change_says_what_it_is_about_in_words_and_as_a_path() -> None:
    found = differences(planned(SHOP), planned(edited("[true, exit 0]", "[true, exit 1]", SHOP)))
    assert [change.model_dump() for change in found] == [
        {
            "kind": "changed",
            "thing": 'stage "staging" · step "Smoke" · params.commands',
            "path": ("stages", "staging", "steps", "smoke", "params", "commands"),
            "old": '["true", "exit 0"]',
            "new": '["true", "exit 1"]',
            "rule": None,
        }
    ]


def test_changes_come_in_the_order_of_the_new_plan() -> None:
    new = edited("file_path: /dist", "file_path: /out", SHOP)
    new = edited("hello 'you'", "bye", edited("timeout_minutes: 10", "timeout_minutes: 9", new))
    things = [change.thing for change in differences(planned(SHOP), planned(new))]
    assert things == [
        'artifact "Web App" · path',
        'stage "staging" · vars.greeting',
        'stage "staging" · step "Migrate" · params.env.GREETING',
        'stage "staging" · step "Serve" · params.command',
        'stage "production" · timeout_seconds',
    ]


def test_a_renamed_step_was_removed_and_another_added() -> None:
    found = differences(planned(SHOP), planned(edited("name: Migrate", "name: Move", SHOP)))
    told = {(change.kind, change.thing) for change in found}
    assert ("removed", 'stage "staging" · step "Migrate"') in told
    assert ("added", 'stage "staging" · step "Move"') in told


def test_what_is_filled_in_late_is_compared_by_what_it_says_and_never_shown_as_text() -> None:
    new = edited("stage_secret('WARM_KEY')", "stage_secret('OTHER')")
    (first, *_) = differences(planned(LIVE), planned(new))
    assert (first.old, first.new) == ("⟨stage secret WARM_KEY⟩", "⟨stage secret OTHER⟩")
    forged = edited("\"${{ stage_secret('WARM_KEY') }}\"", '"⟨stage secret WARM_KEY⟩"')
    (first, *_) = differences(planned(LIVE), planned(forged))
    assert first.new == "\\u27e8stage secret WARM_KEY\\u27e9"


def test_long_values_are_shown_around_their_first_difference() -> None:
    old, new = (edited("[true, exit 0]", f"'{'x' * 5000}{end}'", SHOP) for end in ("old", "new"))
    (change,) = differences(planned(old), planned(new))
    assert len(change.old) <= VALUE_CHARACTERS_MAX + 2
    assert change.old.endswith('xold"]')
    assert change.new.endswith('xnew"]')


def test_what_a_stranger_wrote_is_shown_on_one_line_and_obeyed_by_no_terminal() -> None:
    new = edited("exit 0", '"a\\u202eb\\nc"', SHOP)
    (change,) = differences(planned(SHOP), planned(new))
    assert change.new.isprintable()


def test_every_field_of_a_plan_is_compared_or_left_out_on_purpose() -> None:
    assert {*_OF_A_STEP, "id", "params", "late"} == set(StepPlan.model_fields)
    assert {*_OF_A_STAGE, "name", "steps"} == set(StagePlan.model_fields)
    keys = {"id", "stage", "env", "late", "sources", "build_key"}
    assert {*_OF_AN_ARTIFACT, *keys} == set(ArtifactPlan.model_fields)
    of_a_push = {"version", "pipeline", "repository", "remote", "branch", "tag", "commit"}
    compared = {"definition_approval", "timeout_seconds", "tracks", "artifacts", "stages"}
    assert of_a_push | compared == set(Plan.model_fields)


def test_another_queue_is_a_change_and_takes_nothing_away() -> None:
    waits = "vars: {tier: live}\n      queue: fifo"
    line, newest = planned(edited("vars: {tier: live}", waits)), planned(LIVE)
    assert [stage.queue for stage in line.stages] == ["newest", "fifo"]
    told = [(change.thing, change.old, change.new, change.rule) for change in differences(line, newest)]
    assert told == [(f"{PRODUCTION} · queue", "fifo", "newest", None)]


def test_true_and_one_are_not_the_same() -> None:
    old, new = (planned(edited("vars: {tier: live}", f"vars: {{tier: live, x: {x}}}")) for x in ("true", "1"))
    assert [change.thing for change in differences(old, new)] == [f"{PRODUCTION} · vars.x"]


def test_a_late_value_that_holds_the_commit_changes_with_it_and_is_none() -> None:
    def at(commit: str) -> Plan:
        late = Joined(parts=(Constant(value=f"v-{commit}"), SECRET))
        plan = planned(SHOP, commit=commit)
        late_env = {"env": {}, "late": (Placeholder(at=("KEY",), value=late),)}
        artifact = plan.artifacts[0].model_copy(update=late_env)
        return plan.model_copy(update={"artifacts": (artifact,)})

    assert differences(at("c" * 40), at("d" * 40)) == ()


def approval(mode: str, new: str) -> list[str] | None:
    old = planned(edited("DESTRUCTIVE_CHANGES_ONLY", mode))
    found = approval_needed(old, planned(new))
    assert not found or found.mode == mode
    return [change.thing for change in found.changes] if found else None


@pytest.mark.parametrize(
    ("mode", "find", "put", "things"),
    [
        pytest.param("NEVER", "approvals: 2", "approvals: 1", None, id="never"),
        pytest.param("DESTRUCTIVE_CHANGES_ONLY", "./warm.sh", "./w.sh", None, id="nothing is lost"),
        pytest.param(
            "DESTRUCTIVE_CHANGES_ONLY",
            "./warm.sh, env: {",
            "./w.sh, env: {ORG: \"${{ secret('PAY') }}\", ",
            ['organization · secret "PAY"'],
            id="only what is lost is told",
        ),
        pytest.param("ALWAYS", "region: eu", "region: eu", None, id="nothing has changed"),
    ],
)
def test_the_mode_decides_what_must_be_approved(
    mode: str, find: str, put: str, things: list[str] | None
) -> None:
    new = edited("DESTRUCTIVE_CHANGES_ONLY", mode, edited(find, put))
    assert approval(mode, new) == things


def test_lowering_the_mode_is_judged_by_the_mode_that_is_lowered() -> None:
    for mode in ("ALWAYS", "DESTRUCTIVE_CHANGES_ONLY"):
        assert approval(mode, edited("DESTRUCTIVE_CHANGES_ONLY", "NEVER")) == ["definition_approval"]
    assert approval("NEVER", edited("DESTRUCTIVE_CHANGES_ONLY", "ALWAYS")) is None
    assert approval("ALWAYS", LIVE) == ["definition_approval"]


def test_always_asks_for_any_change() -> None:
    always = edited("DESTRUCTIVE_CHANGES_ONLY", "ALWAYS")
    assert approval("ALWAYS", edited("./warm.sh", "./w.sh", always)) == [
        f'{each} · step "Warm" · params.commands' for each in (STAGING, PRODUCTION)
    ]


def test_the_first_plan_needs_no_approval() -> None:
    assert approval_needed(None, planned(LIVE)) is None


def test_what_is_told_of_very_many_changes_is_bounded() -> None:
    stage = planned(LIVE).stages[0]
    many = tuple(stage.model_copy(update={"name": f"s{n}"}) for n in range(CHANGES_TOLD_MAX + 7))
    old = planned(LIVE, stages=(stage, *many))
    found = approval_needed(old, planned(LIVE, stages=(stage,)))
    assert found
    assert (len(found.changes), found.further) == (CHANGES_TOLD_MAX, 7)


@given(JSON, JSON)
def test_values_of_any_shape_are_compared_and_what_differs_is_told(old: Any, new: Any) -> None:
    def holding(value: Any) -> Plan:
        stage = BEFORE.stages[0].model_copy(update={"vars": {"x": value}})
        return BEFORE.model_copy(update={"stages": (stage, *BEFORE.stages[1:])})

    found = differences(holding(old), holding(new))
    assert bool(found) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    assert all((change.old + change.new).isprintable() for change in found)
    assert differences(holding(old), holding(old)) == ()
