"""The pipeline file: what is accepted, and every mistake with its place and a way out."""

from textwrap import dedent

import pytest

from shared.language.definition_reading import read_definition
from shared.language.problem import PROBLEMS_MAX
from tests.unit.language.sample import FILE, SHOP, planned, refused, with_step, with_steps, yaml

BUILD = "artifacts: {a: {type: BUNDLE:BUILD, "
DIST = "params: {file_path: /d}}}"
SCRIPT = "{name: Run, type: SCRIPT:EXECUTE, params: {commands: [x]}}"

SLASH = "must start with a slash, which stands for the repository"
LOWER = "must be lower-case letters, digits and hyphens, at most 63, no hyphen first"

TEN_MISTAKES = """\
version: "1"
pipeline:
  traks: release
  artifacts:
    Web:
      type: BUNDLE:BUILT
      params: {file_path: /dist}
    Site:
      type: BUNDLE:BUILD
      rebuild_when_changed: [/site, ../other]
      params: {file_path: dist}
  stages:
    - name: Staging
      variables: {port: 1}
    - name: live
      skip: [smok]
  steps:
    - name: smoke
      type: SCRIPT:EXECUT
      params: {commands: [x]}
    - name: Serve
      type: LOCAL:SERVICE:DEPLOY
      goes_after: [Smoke]
      params:
        artifact: Wep
        command: run
        port: 70000
        verify: {path: /health}
        env: {URL: "${{ vars.ulr }}"}
"""


def test_every_mistake_is_reported_at_once_where_it_stands() -> None:
    assert [problem[:3] for problem in refused(TEN_MISTAKES)] == [
        (3, 3, '"traks" is not a key of the pipeline'),
        (6, 13, '"BUNDLE:BUILT" is not a type of artifact'),
        (
            10,
            37,
            f'rebuild_when_changed[1] in artifact "Site" is "../other" and {SLASH}',
        ),
        (
            11,
            27,
            f'file_path in params of artifact "Site" is "dist" and {SLASH}',
        ),
        (
            13,
            13,
            f'name in stage "Staging" is "Staging" and {LOWER}',
        ),
        (14, 7, '"variables" is not a key of stage "Staging"'),
        (16, 14, 'there is no step "smok"'),
        (19, 13, '"SCRIPT:EXECUT" is not a step type'),
        (23, 20, 'there is no step "Smoke"'),
        (25, 19, 'there is no artifact "Wep"'),
        (27, 15, 'port in params of step "Serve" is "70000" and must be at most 65535'),
        (28, 18, '"path" is not a key of verify in params of step "Serve"'),
        (29, 20, '"${{ vars.ulr }}" has no value: there is no "ulr" in "vars", in stage live'),
    ]
    hints = {word: found[3] for found in refused(TEN_MISTAKES) for word in found[2].split(" ")}
    assert hints['"traks"'] == 'did you mean "tracks"?'
    assert hints['"variables"'] == 'did you mean "vars"?'
    assert hints['"smok"'] == 'did you mean "smoke"?'
    assert hints['"Wep"'] == 'did you mean "Web"?'


def test_a_right_file_has_no_problems_and_says_what_it_says() -> None:
    definition = read_definition(FILE, SHOP.encode())
    assert definition.problems == ()
    assert (definition.name, definition.tracks.describe()) == ("Shop", "tracks main")
    assert definition.sources == ("/app",)
    assert [stage.timeout_seconds for stage in definition.stages] == [3600.0, 600.0]
    assert [step.id for step in definition.steps] == ["migrate", "smoke", "serve"]


def test_an_artifact_without_paths_depends_on_the_whole_tree() -> None:
    definition = read_definition(FILE, with_step("name: a", "type: SCRIPT:EXECUTE").encode())
    assert definition.sources == ("/",)


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_a_file() -> None:
    plan = planned(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())
    assert plan.stages[0].vars["port"] == 8101


def one(body: str) -> str:
    """Return a file whose pipeline is this body and else complete."""
    stages = "" if "stages:" in body else "  stages: [{name: staging}]\n"
    steps = "" if "steps:" in body else f"  steps: [{SCRIPT}]\n"
    lines = "".join(f"  {line}\n" for line in dedent(body).strip("\n").split("\n") if line)
    return f'version: "1"\npipeline:\n{lines}{stages}{steps}'


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        pytest.param("", (0, 1), "the file is empty", id="empty"),
        pytest.param("# only a remark", (0, 1), "the file is empty", id="a remark"),
        pytest.param("[]", (1, 1), "the file must be a mapping", id="a list"),
        pytest.param("just text", (1, 1), "the file must be a mapping", id="text"),
        pytest.param("a: [", (1, 5), "this is not YAML", id="not closed"),
        pytest.param("a: b: c", (1, 5), "this is not YAML", id="two colons"),
        pytest.param("\ta: b", (1, 1), "this is not YAML", id="a tab"),
        pytest.param("a: \0", (0, 1), "this is not YAML", id="a NUL"),
        pytest.param(b"a: b\nc: \xff", (2, 1), "the file is not UTF-8 text", id="not UTF-8"),
        pytest.param(b"\xff\xfea\x00", (1, 1), "the file is not UTF-8 text", id="UTF-16"),
        pytest.param("a: 1\n---\nb: 2", (2, 1), "more than one YAML document", id="two documents"),
        pytest.param("version: '1'", (1, 1), "pipeline is missing in the file", id="no pipeline"),
        pytest.param("version: '1'\npipeline:", (2, 1), "pipeline is missing in the file", id="null"),
        pytest.param("version: 2\npipeline: {}", (1, 10), "not a version", id="a later version"),
        pytest.param(
            f"pipeline: {{stages: [{{name: a}}], steps: [{SCRIPT}]}}", (1, 1), "version is missing", id="none"
        ),
        pytest.param(one("stages: []"), (3, 11), "stages in the pipeline must not be empty", id="no stages"),
        pytest.param(one("stages: {a: b}"), (3, 11), "must be a list", id="stages as a mapping"),
        pytest.param(one("stages: [a]"), (3, 12), "a stage must be a mapping", id="stage as text"),
        pytest.param(one("stages: [{target: local}]"), (3, 12), "name is missing in a stage", id="no name"),
        pytest.param(one("stages: [{name: a}, {name: a}]"), (3, 30), "another stage", id="twice"),
        pytest.param(one("stages: [{name: -a}]"), (3, 19), "no hyphen first", id="hyphen first"),
        pytest.param(one("stages: [{name: 5}]"), (3, 19), "must be text", id="number as name"),
        pytest.param(one(f"stages: [{{name: {'a' * 64}}}]"), (3, 19), "at most 63", id="long"),
        pytest.param(one("stages: [{name: a, target: aws}]"), (3, 19), "account_id is missing", id="target"),
        pytest.param(one("stages: [{name: a, vars: [1]}]"), (3, 28), "must be a mapping", id="vars"),
        pytest.param(one("stages: [{name: a, vars: {x: '${{ a }}'}}]"), (3, 32), "not resolved", id="var"),
        pytest.param(one("stages: [{name: a, timeout_minutes: 0}]"), (3, 39), "above 0", id="no time"),
        pytest.param(one("stages: [{name: a, timeout_minutes: x}]"), (3, 39), "number", id="minutes"),
        pytest.param(one("stages: [{name: a, timeout_minutes: true}]"), (3, 39), "number", id="yes"),
        pytest.param(one("stages: [{name: a, name: b}]"), (3, 22), "is there already, in line 3", id="key"),
        pytest.param(one("stages: [{name: a, skip: [{a: b}]}]"), (3, 29), "must be text", id="skip"),
        pytest.param(one("tracks: {branch: a}"), (3, 12), '"branch" is not a key of tracks', id="tracks"),
        pytest.param(one("name: ''"), (3, 9), "must be one line", id="empty name"),
        pytest.param(one("steps: [{name: a}]"), (3, 11), 'type is missing in step "a"', id="no type"),
        pytest.param(
            one("steps: [{type: SCRIPT:EXECUTE, params: {commands: x}}]"),
            (3, 11),
            "name is missing",
            id="unnamed",
        ),
        pytest.param(one("artifacts: [a]"), (3, 14), "must be a mapping", id="artifacts as a list"),
        pytest.param(
            one("artifacts: {a: {type: BUNDLE:BUILD}}"),
            (3, 15),
            "file_path is missing in params",
            id="params",
        ),
        pytest.param(one("artifacts: {日本: {type: BUNDLE:BUILD, " + DIST), (3, 15), "needs an id", id="id"),
        pytest.param(
            one(
                "artifacts: {a b: {type: BUNDLE:BUILD, params: {file_path: /d}}, a-b: {type: BUNDLE:BUILD, "
                + DIST
            ),
            (3, 67),
            "of another artifact",
            id="ids",
        ),
        pytest.param(
            one(BUILD + "params: {file_path: /a/../../b}}}"), (3, 59), "leaves the place it is in", id="out"
        ),
        pytest.param(one(BUILD + "params: {file_path: /-rf}}}"), (3, 59), "an option", id="dash"),
        pytest.param(
            one(BUILD + "rebuild_when_changed: [/a/*], " + DIST),
            (3, 62),
            "is a pattern",
            id="pattern",
        ),
        pytest.param(
            one(BUILD + "rebuild_when_changed: [], " + DIST),
            (3, 61),
            "at least one path",
            id="no paths",
        ),
        pytest.param(
            one(BUILD + "params: {file_path: /d, build_commands: 'x ${{ vars.a }}'}}}"),
            (3, 79),
            "this belongs to one stage",
            id="expression in a build",
        ),
        pytest.param(
            one(BUILD + "envs: {A-B: x}, " + DIST),
            (3, 46),
            "environment variable",
            id="variable's name",
        ),
        pytest.param(
            one(BUILD + "envs: {A: [x]}, " + DIST),
            (3, 49),
            "must be one value",
            id="variable's value",
        ),
        pytest.param(
            one(BUILD + "envs: {A: '${{ vars.a }}'}, " + DIST),
            (3, 49),
            "built once for all stages",
            id="stage's variable in a build",
        ),
        pytest.param("a: !!python/object:os.system x", (1, 4), "the tag", id="a tag"),
        pytest.param("a: !local {}", (1, 4), "the tag", id="a local tag"),
        pytest.param("a: *b", (1, 4), "stands for nothing", id="an alias without anchor"),
        pytest.param("a: &a [*a]", (1, 8), "or for itself", id="an alias of itself"),
        pytest.param("<<: {a: b}", (1, 1), "merge keys", id="a merge key"),
        pytest.param("? [a]\n: b", (1, 3), "a key must be a word", id="a list as key"),
        pytest.param('a: "\\0"', (1, 4), "a control character", id="a NUL escaped"),
        pytest.param('a: "\\x1b[31m"', (1, 4), "a control character", id="a terminal's escape"),
    ],
)
def test_a_mistake_is_found_where_it_stands(
    source: str | bytes, place: tuple[int, int], message: str
) -> None:
    found = refused(source)
    assert [problem for problem in found if problem[:2] == place and message in problem[2]], found


@pytest.mark.parametrize(
    ("steps", "place", "message"),
    [
        pytest.param(
            [["name: a", "type: SCRIPT:EXECUTE", "goes_after: [a]", "params: {commands: x}"]],
            (10, 20),
            'step "a" waits for itself',
            id="after itself",
        ),
        pytest.param(
            [
                ["name: a", "type: SCRIPT:EXECUTE", "params: {commands: x}", "goes_after: [c]"],
                ["name: b", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
                ["name: c", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
            ],
            (11, 20),
            '"a" after "c" after "b" after "a"',
            id="in a circle through list order",
        ),
        pytest.param(
            [["name: a", "type: SCRIPT:EXECUTE", "params: {commands: x}"]] * 2,
            (11, 13),
            'another step named "a"',
            id="a name twice",
        ),
        pytest.param(
            [
                ["name: A b", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
                ["name: a-B", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
            ],
            (11, 13),
            'has the id "a-b" of another step',
            id="an id twice",
        ),
        pytest.param(
            [
                ["name: a", "id: x", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
                ["name: b", "id: a", "type: SCRIPT:EXECUTE", "params: {commands: x}"],
            ],
            (8, 13),
            "names one step and is the id of another",
            id="a name that is an id",
        ),
        pytest.param(
            [["name: a", "id: A!", "type: SCRIPT:EXECUTE", "params: {commands: x}"]],
            (9, 11),
            "must be lower-case letters",
            id="a bad id",
        ),
        pytest.param(
            [["name: a", "type: SCRIPT:EXECUTE", "on_rollback: never", "params: {commands: x}"]],
            (10, 20),
            "must be run or skip",
            id="a word that is not allowed",
        ),
        pytest.param(
            [["name: a", "type: SCRIPT:EXECUTE", "repeatable: yes", "params: {commands: x}"]],
            (10, 19),
            "true or false",
            id="YAML 1.1's yes",
        ),
    ],
)
def test_steps_that_do_not_fit_together_are_found(
    steps: list[list[str]], place: tuple[int, int], message: str
) -> None:
    found = refused(with_steps(steps))
    assert [problem for problem in found if problem[:2] == place and message in problem[2]], found


def test_a_file_beyond_the_limits_is_refused_in_few_words() -> None:
    many = "\n".join(f"x{number}: 1" for number in range(500))
    found = refused(many)
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1][2] == f"{502 - PROBLEMS_MAX} further problems are not listed"
    assert "larger than 256 KiB" in refused("a: " + "x" * 300_000)[0][2]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("a: " + "[" * 5_000, id="lists in lists"),
        pytest.param("{a: " * 5_000, id="mappings in mappings"),
        pytest.param("- " * 50_000, id="dashes"),
        pytest.param("? " * 50_000, id="questions"),
        pytest.param("a: " + ", ".join(["x"] * 60_000).join("[]"), id="a long list"),
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
            id="a billion laughs",
        ),
        pytest.param(
            "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3_000)),
            id="deep by aliases",
        ),
        pytest.param("".join(f"k{n}: 1\n" for n in range(19_000)), id="many keys"),
        pytest.param("a: &x" + "y" * 200_000 + " 1\nb: *x", id="a long anchor"),
        pytest.param("a: " + "9" * 250_000, id="a long number"),
        pytest.param("a: '" + "${{ vars.x }}" * 15_000 + "'", id="many expressions"),
        pytest.param('"' + "\\\n" * 100_000, id="folded lines"),
        pytest.param(
            with_step("name: a", "type: SCRIPT:EXECUTE", "params:", *(f"  k{n}: 1" for n in range(9_000))),
            id="many parameters",
        ),
        pytest.param(
            with_step(
                "name: a", "type: SCRIPT:EXECUTE", f"goes_after: [{', '.join(f'z{n}' for n in range(9_000))}]"
            ),
            id="many unknown names",
        ),
        pytest.param("%YAML 1.1\n%TAG ! tag:x,2000:\n---\na: !x 1", id="directives"),
    ],
)
@pytest.mark.timeout(10)
def test_a_file_made_to_cost_much_costs_little(source: str) -> None:
    found = refused(yaml(source))
    assert 0 < len(found) <= PROBLEMS_MAX + 1
    assert all(len(problem[2]) < 500 and len(problem[3]) < 1_500 for problem in found)
