"""A pipeline with everything in it that keeps watch, and what becomes of changes to it."""

from typing import Any

from hypothesis import strategies as st

from shared.language.definition_reading import read_definition
from shared.language.difference import (
    differences,
)
from shared.language.scope import Facts
from shared.language.synthesis import synthesize
from shared.placeholder import SecretOf
from shared.plan import Plan
from tests.unit.language.sample import FILE, facts

LIVE = """\
version: "1"
pipeline:
  pipeline_updates_require_approval: DESTRUCTIVE_CHANGES_ONLY
  windows:
    office: {zone: Europe/Berlin, hours: [{days: mon-fri, from: "09:00", to: "16:00"}]}
  artifacts:
    Server: {id: server, type: DOCKER:BUILD, params: {dockerfile: /Dockerfile}}
  stages:
    - name: staging
      target: aws
      account_id: "100000000001"
      region: eu-west-1
      vars: {tier: beta}
      skip: [Go live]
    - name: production
      target: aws
      account_id: "100000000002"
      region: eu-west-1
      vars: {tier: live}
      auto_rollback_alarm_name: shop-5xx
      deployment_time_window: office
  steps:
    - name: Infrastructure
      id: infra
      type: TERRAFORM:SYNTHESIZE
      params: {source: /terraform, requires_approval: ALWAYS}
    - name: Go live
      type: APPROVAL:MANUAL
      params: {approvers: [alice, bob], approvals: 2, self_approval: false}
    - name: Roll out
      type: ECS:DEPLOY
      params: {cluster_name: "${{ steps.infra.cluster }}", service_name: shop, artifact: server}
    - name: Soak
      type: APPROVAL:BAKE
      params: {duration_minutes: 30}
    - name: Smoke
      type: APPROVAL:TEST
      params: {testCommand: npm run smoke, environmentVariables: {TIER: "${{ vars.tier }}"}}
    - name: Warm
      type: SCRIPT:EXECUTE
      params: {commands: ./warm.sh, env: {KEY: "${{ stage_secret('WARM_KEY') }}"}}
"""
STAGING, PRODUCTION = 'stage "staging"', 'stage "production"'
SECRET = SecretOf(owner="stage", name="X")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def planned(text: str, **changed: Any) -> Plan:
    definition = read_definition(FILE, text.encode(), "windlass")
    known = facts(definition, revision=changed.pop("revision", 1))
    told = Facts(**{name: getattr(known, name) for name in Facts.__slots__} | {"for_deployment": False})
    synthesis = synthesize(definition, told)
    assert synthesis.plan, synthesis.problems
    return synthesis.plan.model_copy(update=changed)


def edited(find: str, put: str, text: str = LIVE) -> str:
    assert find in text
    return text.replace(find, put)


def rules(old: str, new: str) -> set[tuple[str, str]]:
    changes = differences(planned(old), planned(new))
    assert changes
    return {(change.rule, change.thing) for change in changes if change.rule}
