"""A recipe as a script, and recipes that nothing can run."""

import subprocess

import pytest

from services.builder.recipe import SCRIPT_BYTES_MAX, VARIABLES_BYTES_MAX, recipe_problem, script
from shared.ids import BuildKey
from shared.plan import ArtifactPlan


def recipe(*commands: str, path: str = "dist", **env: str) -> ArtifactPlan:
    return ArtifactPlan(
        id="web", name="Web", build_key=BuildKey("a" * 64), commands=commands, path=path, env=env
    )


def run(*commands: str) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh"], input=script(commands), capture_output=True, text=True, check=False, timeout=50
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("commands", "outcome"),
    [
        pytest.param(("echo a", "echo b"), (0, "$ echo a\na\n$ echo b\nb\n"), id="one after another"),
        pytest.param(("false", "echo b"), (1, "$ false\n"), id="it ends at the first that fails"),
        pytest.param(("exit 7", "echo b"), (7, "$ exit 7\n"), id="with that one's code"),
        pytest.param(("a=1", "echo $a"), (0, "$ a=1\n$ echo $a\n1\n"), id="they share variables"),
        pytest.param(
            ("echo 'it''s' \"%s\" \\n",),
            (0, "$ echo 'it''s' \"%s\" \\n\nits %s n\n"),
            id="quotes and percent signs are shown as written",
        ),
        pytest.param(
            ("cat <<END\ntwo\nlines\nEND", "echo b"),
            (0, "$ cat <<END\ntwo\nlines\nEND\ntwo\nlines\n$ echo b\nb\n"),
            id="several lines",
        ),
        pytest.param(("echo a # remark", "echo b"), (0, "$ echo a # remark\na\n$ echo b\nb\n"), id="#"),
    ],
)
def test_a_script_does_what_its_commands_say(commands: tuple[str, ...], outcome: tuple[int, str]) -> None:
    assert run(*commands) == outcome


def test_a_variable_that_nobody_set_ends_the_script() -> None:
    code, _ = run("rm -rf ./$NOBODY_SET_THIS/build", "echo b")

    assert code != 0


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        pytest.param(
            recipe("make").model_copy(update={"build_key": BuildKey("../../etc")}),
            "not a sha256",
            id="a key that is a path",
        ),
        pytest.param(recipe("make", LD_PRELOAD="x.so"), "sets LD_PRELOAD", id="a refused variable"),
        pytest.param(recipe("echo \0"), "zero byte", id="a zero byte in a command"),
        pytest.param(recipe("make", A="\0"), "zero byte", id="a zero byte in a variable"),
        pytest.param(recipe("make", path="a\0"), "zero byte", id="a zero byte in the path"),
        pytest.param(recipe("#" * SCRIPT_BYTES_MAX), "longer than", id="endless commands"),
        pytest.param(recipe("m", A="é" * VARIABLES_BYTES_MAX), "longer than", id="endless variables"),
    ],
)
def test_a_recipe_that_nothing_can_run_is_told_apart(refused: ArtifactPlan, why: str) -> None:
    assert why in recipe_problem(refused)


def test_an_ordinary_recipe_has_no_problem() -> None:
    assert recipe_problem(recipe("npm ci", "npm run build", NODE_ENV="production")) == ""
