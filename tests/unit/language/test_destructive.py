import re
from pathlib import Path

import pytest

from shared.language.destructive import RULES
from shared.language.difference import approval_needed, differences
from shared.language.guard import GUARDS
from tests.unit.language.live import LIVE, PRODUCTION, STAGING, edited, planned, rules

# fmt: off
DESTRUCTIVE = [  # what is edited in LIVE, and what the edit breaks; undone, it breaks nothing
    pytest.param("DESTRUCTIVE_CHANGES_ONLY", "NEVER",
                 {("definition-approval-lowered", "definition_approval")}, id="mode lowered"),
    pytest.param("approvals: 2", "approvals: 1",
                 {("approval-weakened", f'{PRODUCTION} · step "Go live" · params.approvals')},
                 id="approvals"),
    pytest.param("[alice, bob]", "[alice, bob, eve]",
                 {("approval-weakened", f'{PRODUCTION} · step "Go live" · params.approvers')}, id="approver"),
    pytest.param("self_approval: false", "self_approval: true",
                 {("approval-weakened", f'{PRODUCTION} · step "Go live" · params.self_approval')}, id="self"),
    pytest.param("duration_minutes: 30", "duration_minutes: 29",
                 {("approval-weakened", f'{each} · step "Soak" · params.duration_minutes')
                  for each in (STAGING, PRODUCTION)}, id="bake shorter"),
    pytest.param("requires_approval: ALWAYS", "requires_approval: DESTRUCTIVE_CHANGES_ONLY",
                 {("approval-weakened", f'{each} · step "Infrastructure" · params.requires_approval')
                  for each in (STAGING, PRODUCTION)}, id="terraform"),
    pytest.param("requires_approval: ALWAYS", "requires_approval: NEVER",
                 {("approval-weakened", f'{each} · step "Infrastructure" · params.requires_approval')
                  for each in (STAGING, PRODUCTION)}, id="terraform never"),
    pytest.param("auto_rollback_alarm_name: shop-5xx", "timeout_minutes: 60",
                 {("alarm-removed", f"{PRODUCTION} · alarm")}, id="alarm removed"),
    pytest.param("deployment_time_window: office", "deployment_time_window: NONE",
                 {("window-removed", f"{PRODUCTION} · window")}, id="window removed"),
    pytest.param('to: "16:00"', 'to: "16:01"',
                 {("window-widened", f"{PRODUCTION} · window")}, id="window wider"),
    pytest.param("skip: [Go live]", "skip: [Go live, Smoke]",
                 {("approval-removed", f'{STAGING} · step "Smoke" · skip')}, id="approval skipped"),
    pytest.param("skip: [Go live]", "skip: [Go live, Roll out]",
                 {("step-removed", f'{STAGING} · step "Roll out" · skip')}, id="step skipped"),
]
EITHER_WAY = [  # what is edited, and what both the edit and undoing it break
    pytest.param('"100000000002"', '"100000000003"', {("stage-moved", f"{PRODUCTION} · account_id")},
                 id="account"),
    pytest.param('"100000000002"\n      region: eu-west-1', '"100000000002"\n      region: eu-west-2',
                 {("stage-moved", f"{PRODUCTION} · region")}, id="region"),
    pytest.param("service_name: shop,", "service_name: shop2,",
                 {("place-changed", f'{each} · step "Roll out" · params.service_name')
                  for each in (STAGING, PRODUCTION)}, id="service"),
    pytest.param("steps.infra.cluster", "steps.infra.other",
                 {("place-changed", f'{each} · step "Roll out" · params.cluster_name')
                  for each in (STAGING, PRODUCTION)}, id="late place"),
    pytest.param("npm run smoke", "exit 0",
                 {("approval-weakened", f'{each} · step "Smoke" · params.testCommand')
                  for each in (STAGING, PRODUCTION)}, id="test gate's command"),
    pytest.param("auto_rollback_alarm_name: shop-5xx", "auto_rollback_alarm_name: never-fires",
                 {("alarm-removed", f"{PRODUCTION} · alarm")}, id="another alarm"),
    pytest.param("zone: Europe/Berlin", "zone: Europe/Lisbon",
                 {("window-widened", f"{PRODUCTION} · window")}, id="another zone"),
    pytest.param("WARM_KEY", "OTHER",
                 {("secret-reached", f'{STAGING} · secret "OTHER"'),
                  ("secret-reached", f'{PRODUCTION} · secret "OTHER"')}, id="secret"),
]
HARMLESS = [
    pytest.param("./warm.sh", "./other.sh", id="a script's commands"),
    pytest.param("/Dockerfile", "/other.Dockerfile", id="what is built"),
    pytest.param("tier: beta", "tier: beta, other: 1", id="a variable of no gate's"),
    pytest.param('from: "09:00"', 'from: "09:30"', id="a window that is narrower"),
    pytest.param("[alice, bob]", "[bob, alice]", id="approvers in another order"),
    pytest.param("duration_minutes: 30", "duration_minutes: 31", id="a longer bake"),
]
# fmt: on


@pytest.mark.parametrize(("find", "put", "expected"), DESTRUCTIVE)
def test_what_takes_away_or_weakens_is_destructive_and_undoing_it_is_not(
    find: str, put: str, expected: set[tuple[str, str]]
) -> None:
    assert rules(LIVE, edited(find, put)) == expected
    assert rules(edited(find, put), LIVE) == set()


@pytest.mark.parametrize(("find", "put", "expected"), EITHER_WAY)
def test_what_may_be_worse_either_way_is_destructive(
    find: str, put: str, expected: set[tuple[str, str]]
) -> None:
    assert rules(LIVE, edited(find, put)) == expected
    assert len(rules(edited(find, put), LIVE)) == len(expected)


@pytest.mark.parametrize(("find", "put"), HARMLESS)
def test_what_watches_as_much_as_before_is_not_destructive(find: str, put: str) -> None:
    assert rules(LIVE, edited(find, put)) == set()


def test_a_variable_that_a_test_gate_sees_changes_the_gate() -> None:
    assert rules(LIVE, edited("tier: live", "tier: none")) == {
        ("approval-weakened", f'{PRODUCTION} · step "Smoke" · params.environmentVariables.TIER')
    }


TRACKED = [  # as it was, as it is, where more counts than before
    pytest.param("main", "main", set(), id="the same"),
    pytest.param("main", "[main, dev]", {"branches"}, id="a branch more"),
    pytest.param("[main, dev]", "main", set(), id="a branch less"),
    pytest.param("[main, dev]", "[dev, main, main]", set(), id="another order"),
    pytest.param("main", "dev", {"branches"}, id="another branch"),
    pytest.param('"release/*"', "release/1", set(), id="one name of a pattern"),
    pytest.param('["release/*", "!release/1"]', "release/1", {"branches"}, id="the one that was excluded"),
    pytest.param('["release/*", "!release/1"]', '"release/*"', {"branches"}, id="an exclusion less"),
    pytest.param('"release/*"', '["release/*", "!release/1"]', set(), id="an exclusion more"),
    pytest.param('["**", "!x"]', "main", set(), id="a name instead of a pattern and its exclusion"),
    pytest.param('"release/*"', '"release/**"', {"branches"}, id="another pattern"),
    pytest.param('"**"', '"release/*"', {"branches"}, id="a pattern that is not compared"),
    pytest.param("main", '{branches: main, tags: "v*"}', {"tags"}, id="tags too"),
    pytest.param("main", '{tags: "v*"}', {"tags"}, id="tags instead"),
    pytest.param('{branches: main, tags: "v*"}', "main", set(), id="no tags any more"),
    pytest.param("main", "{paths: [/app]}", set(), id="a path filter"),
    pytest.param("{paths: [/app]}", "main", {"paths"}, id="no path filter any more"),
    pytest.param("{paths: [/app]}", "{paths: [/app, /lib]}", {"paths"}, id="a path more"),
    pytest.param("{paths: [/app, /lib]}", "{paths: [/app]}", set(), id="a path less"),
    pytest.param("{paths: [/app]}", "{paths: [/app/web]}", set(), id="a folder inside"),
    pytest.param("{paths: [/app]}", "{paths: [/apple]}", {"paths"}, id="another folder"),
    pytest.param("{paths: [/]}", "{paths: [/app]}", set(), id="a folder instead of all"),
    pytest.param("{paths: [/app]}", "{paths: [/]}", {"paths"}, id="all instead of a folder"),
]


def tracking(tracks: str) -> str:
    lists = re.sub(r"(branches|tags): ([^\[,}]+)", r"\1: [\2]", tracks)
    return edited("pipeline:\n", f"pipeline:\n  tracks: {lists}\n")


@pytest.mark.parametrize(("before", "after", "wider"), TRACKED)
def test_pushes_that_did_not_count_before_are_destructive(before: str, after: str, wider: set[str]) -> None:
    changes = differences(planned(tracking(before)), planned(tracking(after)))
    assert {(each.thing, each.rule) for each in changes if each.rule} == {
        (f"tracks.{kind}", "tracks-widened") for kind in wider
    }
    assert all(each.path[0] == "tracks" for each in changes)


def test_a_plan_from_before_plans_said_what_is_tracked_tracked_its_branch() -> None:
    older = planned(LIVE, tracks=None)
    assert differences(older, planned(tracking("main"))) == ()
    (change,) = differences(older, planned(tracking("[main, dev]")))
    assert (change.rule, change.old, change.new) == ("tracks-widened", '["main"]', '["dev", "main"]')


def test_who_tracks_more_needs_approval() -> None:
    assert approval_needed(planned(LIVE), planned(tracking("[main, dev]")))
    assert approval_needed(planned(LIVE), planned(tracking("{paths: [/app]}"))) is None


STAGES = re.compile(r"    - name: staging\n.*?(?=    - name: production)", re.DOTALL)


def test_a_stage_that_is_gone_is_destructive_and_one_that_is_new_is_not() -> None:
    alone = STAGES.sub("", LIVE)
    assert rules(LIVE, alone) == {("stage-removed", STAGING)}
    assert rules(alone, LIVE) == set()


def test_a_renamed_stage_is_one_that_is_gone() -> None:
    assert rules(LIVE, edited("name: staging", "name: beta")) == {("stage-removed", STAGING)}


def test_stages_in_another_order_are_destructive_either_way() -> None:
    (staging,) = STAGES.findall(LIVE)
    swapped = STAGES.sub("", LIVE).replace("  steps:\n", f"{staging}  steps:\n")
    for pair in ((LIVE, swapped), (swapped, LIVE)):
        assert rules(*pair) == {("stages-reordered", "stages")}
    (change,) = differences(planned(LIVE), planned(swapped))
    assert (change.kind, change.old) == ("reordered", '["staging", "production"]')


def test_a_stage_in_between_reorders_nothing() -> None:
    (staging,) = STAGES.findall(LIVE)
    between = staging.replace("staging", "qa").replace("01", "07")
    new = LIVE.replace("    - name: production\n", f"{between}    - name: production\n")
    assert rules(LIVE, new) == set()


def test_a_new_stage_must_not_deploy_around_an_approval_of_the_same_place() -> None:
    (staging,) = STAGES.findall(LIVE)
    beside = staging.replace("staging", "quick").replace("000001", "000002")
    new = LIVE.replace("    - name: production\n", f"{beside}    - name: production\n")
    assert rules(LIVE, new) == {("stage-bypass", 'stage "quick"')}
    asking = beside.replace("      skip: [Go live]\n", "")
    assert rules(LIVE, LIVE.replace("    - name: production\n", f"{asking}    - name: production\n")) == set()


ROLL_OUT = "    - name: Roll out\n      type: ECS:DEPLOY\n"


def test_a_step_that_does_not_wait_for_an_approval_any_more_bypasses_it() -> None:
    new = edited(ROLL_OUT, f"{ROLL_OUT}      goes_after: [Infrastructure]\n")
    found = {thing for rule, thing in rules(LIVE, new) if rule == "approval-bypassed"}
    assert found == {
        f'{PRODUCTION} · step "Roll out" · waits for "Go live"',
        f'{PRODUCTION} · step "Warm" · waits for "Go live"',
    }
    assert rules(new, LIVE) == set()


def test_a_new_step_that_deploys_before_the_approval_bypasses_it() -> None:
    early = ROLL_OUT.replace("Roll out", "Early") + "      goes_after: [Infrastructure]\n"
    early += "      params: {cluster_name: a, service_name: b, artifact: server}\n"
    new = edited("    - name: Soak\n", f"{early}    - name: Soak\n      goes_after: [Roll out]\n")
    assert ("approval-bypassed", f'{PRODUCTION} · step "Early" · waits for "Go live"') in rules(LIVE, new)
    late = early.replace("[Infrastructure]", "[Go live]")
    new = edited("    - name: Soak\n", f"{late}    - name: Soak\n      goes_after: [Roll out]\n")
    assert rules(LIVE, new) == set()


def test_a_new_script_before_the_approval_is_nobodys_loss() -> None:
    lint = "    - name: Lint\n      type: SCRIPT:EXECUTE\n      params: {commands: ./lint.sh}\n"
    assert rules(LIVE, edited("    - name: Go live\n", f"{lint}    - name: Go live\n")) == set()


GO_LIVE = re.compile(r"    - name: Go live\n.*?(?=    - name: Roll out)", re.DOTALL)


def test_an_approval_that_is_gone_is_told_once_in_each_stage_that_had_it() -> None:
    new = GO_LIVE.sub("", LIVE).replace("      skip: [Go live]\n", "")
    assert rules(LIVE, new) == {("approval-removed", f'{PRODUCTION} · step "Go live"')}
    assert rules(new, LIVE) == set()


def test_a_step_of_another_type_is_not_the_step_that_it_was() -> None:
    old = "type: APPROVAL:BAKE\n      params: {duration_minutes: 30}"
    new = edited(old, "type: SCRIPT:EXECUTE\n      params: {commands: sleep 1800}")
    assert rules(LIVE, new) == {
        ("approval-removed", f'{each} · step "Soak" · type') for each in (STAGING, PRODUCTION)
    }


def test_a_step_that_ran_nowhere_may_go() -> None:
    both = edited("      vars: {tier: live}\n", "      vars: {tier: live}\n      skip: [Go live]\n")
    gone = GO_LIVE.sub("", both).replace("      skip: [Go live]\n", "")
    assert rules(both, gone) == set()


def test_a_secret_of_the_organization_is_new_wherever_it_is_used_first() -> None:
    with_secret = edited("./warm.sh, env: {", "./warm.sh, env: {ORG: \"${{ secret('PAY') }}\", ")
    assert rules(LIVE, with_secret) == {("secret-reached", 'organization · secret "PAY"')}
    assert rules(with_secret, LIVE) == set()


def test_a_new_stages_own_secrets_are_its_own() -> None:
    assert rules(STAGES.sub("", LIVE), LIVE) == set()


def test_every_rule_is_broken_in_these_tests_and_no_other() -> None:
    told = {rule for case in (*DESTRUCTIVE, *EITHER_WAY) for rule, _ in case.values[2]}  # type: ignore[union-attr]
    told |= {guard.rule for guard in GUARDS}
    alone = {"stage-removed", "stages-reordered", "stage-bypass", "approval-bypassed", "tracks-widened"}
    assert told | alone == set(RULES)


def test_the_how_to_has_exactly_the_rules_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/definition-changes.md").read_text()
    table = page.partition("## What counts as destructive")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == set(RULES)
