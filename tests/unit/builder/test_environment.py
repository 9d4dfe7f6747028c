"""What a build's commands see, and what they may not be made to see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.builder.build_run import BuildOrder
from services.builder.environment import SEARCH_PATH, Surroundings, environment, refused_names
from shared.ids import BuildKey, Commit, Pipeline
from shared.plan import ArtifactPlan

AROUND = Surroundings(Path("/w/home"), Path("/w/tmp"), datetime(2026, 1, 2, tzinfo=UTC))


def order(**env: str) -> BuildOrder:
    recipe = ArtifactPlan(
        id="web", name="Web", build_key=BuildKey("a" * 64), commands=("make",), path="dist", env=env
    )
    return BuildOrder(1, Pipeline("shop"), 7, "remote", Commit("c" * 40), recipe)


def test_the_environment_is_exactly_this_and_nothing_of_the_builders_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "secret")

    assert environment(order(NODE_ENV="production"), AROUND) == {
        "PATH": SEARCH_PATH,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CI": "true",
        "SOURCE_DATE_EPOCH": "1767312000",
        "NODE_ENV": "production",
        "HOME": "/w/home",
        "TMPDIR": "/w/tmp",
        "WINDLASS_COMMIT": "c" * 40,
        "WINDLASS_REVISION": "7",
        "WINDLASS_PIPELINE": "shop",
        "WINDLASS_ARTIFACT": "web",
    }


def test_a_recipe_may_choose_its_own_path_language_and_zone() -> None:
    chosen = {"PATH": "/opt/node/bin:/bin", "LANG": "de_DE.UTF-8", "TZ": "Europe/Berlin"}

    assert environment(order(**chosen), AROUND).items() >= chosen.items()


def test_a_commit_from_before_1970_counts_as_1970() -> None:
    before = Surroundings(Path("h"), Path("t"), datetime.fromtimestamp(0, UTC) - timedelta(days=1))

    assert environment(order(), before)["SOURCE_DATE_EPOCH"] == "0"


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "GIT_SSH_COMMAND",
        "GIT_DIR",
        "WINDLASS_COMMIT",
        "BASH_ENV",
        "ENV",
        "IFS",
        "PS4",
        "HOME",
        "TMPDIR",
        "",
        "A=B",
        "1A",
        "A\n",
        "A-B",
        "Ä",
    ],
)
def test_a_recipe_may_not_set(name: str) -> None:
    assert refused_names({name: "x", "FINE": "y"}) == (name,)


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "LDFLAGS", "_", "npm_config_cache", "ENVIRONMENT"])
def test_a_recipe_may_set_names_that_only_look_alike(name: str) -> None:
    assert refused_names({name: "x"}) == ()
