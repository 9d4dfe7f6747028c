"""What can be named where: known at once, late, or never."""

from dataclasses import replace
from typing import Any

import pytest

from shared.ids import Commit, Pipeline, Repository, Step
from shared.language.expression import Budget, Mistake, parse
from shared.language.node import Listing, Mapping, Scalar, plain_value
from shared.language.problem import Place, Problems
from shared.language.resolution import Scope, resolve
from shared.language.scope import (
    Facts,
    NamedArtifact,
    NamedStep,
    Resolver,
    Secrets,
    StageScope,
    revision_scope,
)
from shared.placeholder import ArtifactOf, Call, Constant, FactOf, Joined, Late, OutputOf, SecretOf

FACTS = Facts(
    pipeline=Pipeline("shop"),
    repository=Repository("acme/shop"),
    remote="/srv/shop",
    branch="main",
    commit=Commit("c" * 40),
    revision=7,
    entries={},
)
TOLD = replace(
    FACTS,
    pipeline_name="The Shop",
    tag="v1",
    organization={"name": "Acme", "slug": "acme"},
    secrets=Secrets(frozenset({"TOKEN", "db.key"}), {"beta": frozenset({"PASSWORD"})}),
)
STAGE = StageScope(
    facts=FACTS,
    name="beta",
    vars={"port": 8101, "list": [1], "none": None},
    account_id="100000000001",
    region="eu-west-1",
    artifacts=(
        NamedArtifact("server", "Shop Server", "image"),
        NamedArtifact("web", "Storefront", "bundle"),
        NamedArtifact("2048", "Game", "bundle", per_stage=True),
    ),
    steps=(
        NamedStep("infra", "Infrastructure", None, ()),
        NamedStep("serve", "Serve", ("url",), ("infra",)),
        NamedStep("soak", "Soak", ("verdict",), ("serve",)),
        NamedStep("smoke", "Smoke", (), ("soak",)),
        NamedStep("aside", "Aside", ("url",), ("infra",)),
    ),
    skipped=frozenset({"soak"}),
)


def value_of(inside: str, scope: Scope) -> Any:
    template = parse("${{ " + inside + " }}")
    assert not isinstance(template, Mistake), template
    return resolve(template, scope, Budget())


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ("vars.port", 8101),
        ("stage.name", "beta"),
        ("stage.account_id", "100000000001"),
        ("stage.region", "eu-west-1"),
        ("pipeline.slug", "shop"),
        ("pipeline.name", "shop"),
        ("trigger.sha", "c" * 40),
        ("trigger.branch", "main"),
        ("trigger.tag", ""),
        ("trigger.revision", 7),
        ("vars", {"port": 8101, "list": [1], "none": None}),
    ],
)
def test_what_is_known_is_there_at_once(inside: str, value: object) -> None:
    assert value_of(inside, STAGE.of_step("smoke")) == value
    assert value_of(inside, STAGE.of_build()) == value


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ("pipeline.name", "The Shop"),
        ("trigger.tag", "v1"),
        ("organization.name", "Acme"),
        ("organization.slug", "acme"),
    ],
)
def test_whatever_the_facts_tell_is_known(inside: str, value: str) -> None:
    assert value_of(inside, replace(STAGE, facts=TOLD).of_step("smoke")) == value
    assert value_of(inside, revision_scope(TOLD)) == value


@pytest.mark.parametrize(
    ("inside", "late"),
    [
        ("organization.slug", FactOf(names=("organization", "slug"))),
        ("organization.cicd_account_id", FactOf(names=("organization", "cicd_account_id"))),
        ("organization.secrets.TOKEN", SecretOf(owner="organization", name="TOKEN")),
        ('organization.secrets["db.key-1"]', SecretOf(owner="organization", name="db.key-1")),
        ('secret("TOKEN")', SecretOf(owner="organization", name="TOKEN")),
        ("secret(upper('token'))", SecretOf(owner="organization", name="TOKEN")),
        ("stage.secrets.PASSWORD", SecretOf(owner="stage", name="PASSWORD")),
        ("stage_secret('PASSWORD')", SecretOf(owner="stage", name="PASSWORD")),
        ("steps.infra.cluster", OutputOf(step=Step("infra"), name="cluster")),
        ('steps["Infrastructure"]["a b"]', OutputOf(step=Step("infra"), name="a b")),
        ("steps.serve.url", Joined(parts=(OutputOf(step=Step("serve"), name="url"),))),
        ("steps.Serve.url", Joined(parts=(OutputOf(step=Step("serve"), name="url"),))),
        ("stage.artifacts.server.image_url", ArtifactOf(artifact="server", name="image_url", copied=True)),
        (
            'stage.artifacts["Shop Server"].image_tag',
            ArtifactOf(artifact="server", name="image_tag", copied=True),
        ),
        ("stage.artifacts.web.s3_bucket", ArtifactOf(artifact="web", name="s3_bucket", copied=True)),
        ('stage.artifacts["2048"].s3_key', ArtifactOf(artifact="2048", name="s3_key", copied=False)),
        (
            "pipeline.pre_mirror_artifacts.web.digest",
            ArtifactOf(artifact="web", name="digest", copied=False),
        ),
        (
            "default(steps.serve.url, lower('X'))",
            Call(
                function="default",
                arguments=(
                    Joined(parts=(OutputOf(step=Step("serve"), name="url"),)),
                    Constant(value="x"),
                ),
            ),
        ),
    ],
)
def test_what_is_known_later_is_late(inside: str, late: Any) -> None:
    assert value_of(inside, STAGE.of_step("smoke")) == Late(late)


@pytest.mark.parametrize(
    ("inside", "message", "hint"),
    [
        ("steps.infr.x", 'there is no step "infr"', 'did you mean "infra"?'),
        ("steps.smoke.x", 'step "Smoke" cannot use what it gives itself', ""),
        ("steps.aside.url", 'step "Aside" does not run before this one', 'name "Aside" in this step\'s goes'),
        ("steps.soak.verdict", 'step "Soak" is left out in stage beta', "default(a, b)"),
        ("steps.serve.ulr", 'step "Serve" gives no output "ulr"', 'did you mean "url"?'),
        ("steps.serve", "not a value", ""),
        ("steps", "not a value", ""),
        ("steps.serve.url.host", '"steps.serve.url" holds no names', ""),
        ('steps.infra[""]', "cannot be the name of an output", ""),
        ("stage.artifacts.sever.image_url", 'there is no artifact "sever"', 'did you mean "server"?'),
        (
            "stage.artifacts.web.image_url",
            'artifact "Storefront" is a bundle and has no "image_url"',
            "s3_url",
        ),
        ("stage.artifacts.server.s3_url", 'artifact "Shop Server" is an image and has no "s3_url"', ""),
        ('pipeline.pre_mirror_artifacts["2048"].s3_url', '"Game" is made for each stage', "stage.artifacts"),
        ("stage.secrets['a b']", '"a b" cannot be the name of a secret', "1 to 128"),
        ("secret('')", "cannot be the name of a secret", ""),
        ("secret('x" + "x" * 128 + "')", "cannot be the name of a secret", ""),
        ("secret(7)", "must be a text that is known", 'write secret("NAME")'),
        ("secret(steps.serve.url)", "must be a text that is known", ""),
        ("secret(vars.missing)", 'there is no "missing"', ""),
        ("secret()", "secret() takes 1 value, not 0", 'write secret("NAME")'),
        ("stage", "not a value", ""),
        ("stage.nme", 'there is no "nme" in "stage"', 'did you mean "name"?'),
        ("default(stage.nme, 1)", 'there is no "nme" in "stage"', ""),
        ("default(steps.infr.x, 1)", 'there is no step "infr"', ""),
        ("default(steps.aside.url, 1)", "does not run before", ""),
        ("default(steps.serve.ulr, 1)", "gives no output", ""),
        ("organization.nam", 'there is no "nam" in "organization"', 'did you mean "name"?'),
        ("trigger.commit", 'there is no "commit" in "trigger"', ""),
    ],
)
def test_what_can_never_have_a_value_is_a_mistake(inside: str, message: str, hint: str) -> None:
    found = value_of(inside, STAGE.of_step("smoke"))
    assert isinstance(found, Mistake), found
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ("default(steps.soak.verdict, 'none')", "none"),
        ("default(secret('MISSING'), 'none')", "none"),
        ("default(stage.account_id, 'none')", "none"),
        ("default(organization.cicd_account_id, 'none')", "none"),
    ],
)
def test_what_may_be_missing_can_be_replaced(inside: str, value: str) -> None:
    bare = replace(STAGE, facts=TOLD, account_id="")
    assert value_of(inside, bare.of_step("smoke")) == value


def test_secrets_that_are_known_must_exist() -> None:
    names = replace(STAGE, facts=TOLD).of_step("smoke")
    assert value_of("secret('db.key')", names) == Late(SecretOf(owner="organization", name="db.key"))
    assert value_of("stage_secret('PASSWORD')", names) == Late(SecretOf(owner="stage", name="PASSWORD"))
    found = value_of("secret('TOKN')", names)
    assert found.message.endswith('there is no secret "TOKN" of the organization')
    assert (found.hint, found.rule) == ('did you mean "TOKEN"?', "secret")
    found = value_of("stage_secret('TOKEN')", names)
    assert found.message.endswith('there is no secret "TOKEN" in stage beta')
    other = replace(STAGE, facts=TOLD, name="live").of_step("smoke")
    assert "in stage live" in value_of("stage_secret('PASSWORD')", other).message


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("vars.port", "built once for all stages"),
        ("stage.name", "built once for all stages"),
        ("stage_secret('X')", "built once for all stages"),
        ("steps.infra.x", "no step has run when an artifact is built"),
        ("pipeline.pre_mirror_artifacts.web.digest", "while artifacts are built, none can name another"),
    ],
)
def test_an_artifact_for_all_stages_knows_none_of_them(inside: str, message: str) -> None:
    found = value_of(inside, revision_scope(FACTS))
    assert isinstance(found, Mistake)
    assert message in found.message
    assert value_of("secret('X')", revision_scope(FACTS)) == Late(SecretOf(owner="organization", name="X"))


def test_an_artifact_of_one_stage_knows_the_stage_but_no_step() -> None:
    names = StageScope(FACTS, "beta", {"a": 1}).of_build()
    assert value_of("vars.a", names) == 1
    assert value_of("stage_secret('X')", names) == Late(SecretOf(owner="stage", name="X"))
    for inside in ("steps.infra.x", "stage.artifacts.web.digest"):
        assert isinstance(value_of(inside, names), Mistake)


def test_a_circle_of_steps_ends() -> None:
    steps = (NamedStep("a", "A", None, ("b",)), NamedStep("b", "B", None, ("a", "gone")))
    stage = replace(STAGE, steps=steps, skipped=frozenset())
    assert value_of("steps.b.x", stage.of_step("a")) == Late(OutputOf(step=Step("b"), name="x"))


def scalar(text: str, line: int = 1) -> Scalar:
    return Scalar(plain_value(text), text, Place(line, 1))


def resolver(problems: Problems) -> Resolver:
    return Resolver(STAGE.of_step("smoke"), "stage beta", Budget(), problems, set())


def test_late_values_take_their_place_among_others() -> None:
    problems = Problems("f")
    node = Mapping(
        (
            (scalar("a"), Listing((scalar("x"), scalar("${{ steps.serve.url }}")), Place(1, 1))),
            (scalar("b"), scalar("u=${{ steps.serve.url }}")),
            (scalar("c"), scalar("007")),
            (scalar("d"), scalar("7")),
        ),
        Place(1, 1),
    )
    output = OutputOf(step=Step("serve"), name="url")
    assert resolver(problems).plain(node) == {
        "a": ["x", Late(Joined(parts=(output,)))],
        "b": Late(Joined(parts=(Constant(value="u="), output))),
        "c": "007",
        "d": 7,
    }
    assert not problems.listed()


def test_a_late_value_where_a_text_is_needed_becomes_one() -> None:
    output, secret = OutputOf(step=Step("serve"), name="url"), SecretOf(owner="organization", name="X")
    reads = resolver(Problems("f")).text
    assert reads(scalar("${{ steps.serve.url }}")) == Late(Joined(parts=(output,)))
    assert reads(scalar("${{ secret('X') }}")) == Late(secret)
    assert reads(scalar("${{ lower(secret('X')) }}")) == Late(Call(function="lower", arguments=(secret,)))
    chosen = Call(function="default", arguments=(secret, Constant(value=8080)))
    assert reads(scalar("${{ default(secret('X'), 8080) }}")) == Late(Joined(parts=(chosen,)))
    assert reads(scalar("1.10")) == "1.10"
    assert reads(scalar("$${{ x }}")) == "${{ x }}"


def test_problems_say_their_rule_and_the_stage_where_it_matters() -> None:
    problems = Problems("f")
    reads = resolver(problems)
    for line, text in enumerate(
        ["${{ vars.prt }}", "${{ stage.nme }}", "${{ secret('a b') }}", "${{ vars.list }}!", "${{"], 1
    ):
        reads.value(scalar(text, line))
    assert [reads.text(scalar("${{ vars.none }}", 9)), len(reads.failed)] == ["", 6]
    assert [(found.message, found.rule) for found in problems.listed()] == [
        ('"${{ vars.prt }}" has no value: there is no "prt" in "vars", in stage beta', "expression"),
        ('"${{ stage.nme }}" has no value: there is no "nme" in "stage"', "expression"),
        ('"${{ secret(\'a b\') }}" has no value: "a b" cannot be the name of a secret', "secret"),
        (
            '"${{ vars.list }}" is a list or a mapping and cannot stand inside a text, in stage beta',
            "expression",
        ),
        ('"${{" does not end', "expression"),
        ('"${{ vars.none }}" gives a list, a mapping or nothing, not a text, in stage beta', "expression"),
    ]


def test_an_environment_built_for_all_stages_names_no_stage_twice() -> None:
    problems = Problems("f")
    reader = Resolver(revision_scope(FACTS), "the build", Budget(), problems, set())
    text = reader.text(scalar("${{ vars.a }}"))
    assert text == ""
    (found,) = problems.listed()
    assert found.message.endswith("this belongs to one stage")
    assert found.hint == "with per_stage: true an artifact is built for each stage"
