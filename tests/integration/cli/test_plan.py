"""`windlass plan` on real working copies, without a server."""

from pathlib import Path

import pytest

from services.cli.planning import NOT_COMMITTED
from tests.integration.cli.working_copies import (
    FILE,
    SMALL,
    Copy,
    Windlass,
    document,
    only,
)
from tests.unit.language.sample import SHOP


def test_a_plan_of_the_files_as_they_are_is_shown(windlass: Windlass, shop: Copy) -> None:
    head = shop.git("rev-parse", "--short=8", "HEAD")
    shop.write({"app/more": "x", FILE: SHOP.replace("exit 0", "exit 1")})
    before = shop.git("rev-parse", "--short=8", "HEAD:app")
    ended = windlass()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(
        f"A push of the working copy, compared with HEAD ({head}): the last commit.\n"
    )
    assert "shop: 2 stages, 5 steps\n" in ended.out
    assert f"  Web App  build   /app changed: {before} -> " in ended.out
    assert "Stage staging  local\n    1  Migrate  SCRIPT:EXECUTE\n" in ended.out
    assert "    -  Smoke    SCRIPT:EXECUTE  skipped here\n" in ended.out
    assert "env.PORT      8102\n" in ended.out
    assert (
        'Changes of the definition  1\n    stage "staging" · step "Smoke" · params.commands: '
        '["true", "exit 0"] -> ["true", "exit 1"]\n'
    ) in ended.out
    assert "\x1b" not in ended.out


def test_compared_is_with_the_commit_before_if_everything_is_committed(
    windlass: Windlass, shop: Copy
) -> None:
    first = shop.git("rev-parse", "HEAD")
    shop.commit({"README": "changed"})
    found = document(windlass("--json"))
    assert found["compared_with"]["commit"] == first
    (artifact,) = found["pipelines"][0]["artifacts"]
    assert artifact["fate"] == "built"  # its environment has the commit's id
    assert artifact["reasons"] == [f"env.SHA changed: {first} -> {shop.git('rev-parse', 'HEAD')}"]
    assert found["pipelines"][0]["changes"] == []


def test_an_artifact_whose_sources_and_settings_are_as_before_is_reused(
    windlass: Windlass, shop: Copy
) -> None:
    shop.commit({FILE: SMALL, "site/index": "1"})
    shop.write({"README": "other"})
    assert only(windlass("--json"))["artifacts"][0]["fate"] == "reused"
    assert "reuse   same sources, settings and environment\n" in windlass().out
    shop.write({"site/index": "2"})
    assert only(windlass("--json"))["artifacts"][0]["fate"] == "built"


def test_an_artifact_that_knows_its_revision_is_built_each_time(windlass: Windlass, shop: Copy) -> None:
    numbered = SMALL.replace("type: BUNDLE", "envs: {N: '${{ trigger.revision }}'}, type: BUNDLE")
    shop.commit({FILE: numbered, "site/index": "1"})
    shop.commit({"README": "other"})
    found = only(windlass("--json"))
    assert found["artifacts"][0]["reasons"] == ["env.N changed: 1 -> 2"]
    assert found["changes"] == []


def test_compared_is_with_the_upstream_branch_if_a_push_would_add_to_it(
    windlass: Windlass, shop: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Copy(tmp_path).git("clone", "-q", str(shop.folder), "mine")
    mine = Copy(tmp_path / "mine")
    monkeypatch.chdir(mine.folder)
    mine.commit({"README": "1"})
    mine.commit({"README": "2"})
    mine.write({"README": "3"})
    assert document(windlass("--json"))["compared_with"]["name"] == "origin/main"
    assert ", compared with origin/main (" in windlass().out
    assert document(windlass("--json", "--against", "HEAD~1"))["compared_with"]["name"] == "HEAD~1"


def test_the_first_commit_is_compared_with_nothing(windlass: Windlass, shop: Copy) -> None:
    found = document(windlass("--json"))
    assert found["compared_with"] is None
    assert found["pipelines"][0]["changes"] == []
    assert found["pipelines"][0]["artifacts"][0]["reasons"] == ["nothing to reuse"]
    assert "compared with nothing: there is no commit before.\n" in windlass().out


def test_a_commits_stand_in_is_explained_where_it_shows(windlass: Windlass, shop: Copy) -> None:
    shop.write({"README": "other"})
    told = f"{NOT_COMMITTED} stands for the id of the commit that this becomes."
    assert told in windlass().out
    assert told not in windlass("--rev", "HEAD").out


def test_destructive_changes_are_marked_and_the_approval_is_told(windlass: Windlass, shop: Copy) -> None:
    guarded = SHOP.replace("  name: Shop\n", "  name: Shop\n  pipeline_updates_require_approval: ALWAYS\n")
    shop.commit({FILE: guarded})
    shop.write({FILE: guarded.replace("skip: [Smoke]", "skip: [Smoke, Migrate]").replace("ALWAYS", "NEVER")})
    out = windlass().out
    assert "Changes of the definition  4, of which 2 destructive\n" in out
    assert (
        "  ! pipeline_updates_require_approval: ALWAYS -> NEVER\n      definition-approval-lowered: " in out
    )
    assert '  ! stage "production" · step "Migrate" · skip: false -> true\n      step-removed: ' in out
    assert "Approval needed  any change of the definition must be approved (ALWAYS), and there are 4\n" in out
    found = only(windlass("--json"))
    assert found["approval"]["mode"] == "ALWAYS"
    assert [change["rule"] for change in found["changes"] if change["destructive"]] == [
        "definition-approval-lowered",
        "step-removed",
    ]


def test_problems_are_reported_as_validate_does(windlass: Windlass, shop: Copy) -> None:
    shop.write({FILE: SHOP.replace("rebuild_when_changed", "rebuild_when_chnged")})
    ended = windlass()
    assert ended.code == 1
    assert f"{FILE}:8:7: error[unknown-key]: " in ended.out
    assert 'did you mean "rebuild_when_changed"?' in ended.out
    found = only(windlass("--json"), code=1)
    assert (found["plan"], found["plan_hash"], found["problems"][0]["line"]) == (None, None, 8)


def test_a_file_that_had_problems_before_is_planned_without_comparison(
    windlass: Windlass, shop: Copy
) -> None:
    shop.commit({FILE: "version: nonsense"})
    shop.write({FILE: SHOP})
    found = only(windlass("--json"))
    assert found["plan"]
    assert found["notes"][-1] == "Nothing is compared: its file has problems in HEAD."


def test_all_pipelines_are_planned_unless_one_is_asked_for(windlass: Windlass, shop: Copy) -> None:
    shop.commit({".devramps/site/pipeline.yaml": "version: '1.0.0'", ".windlass/api/pipeline.yaml": SMALL})
    shop.write({"site/index": "1"})
    found = document(windlass("--json"), code=1)
    assert [each["pipeline"] for each in found["pipelines"]] == ["api", "shop", "site"]
    assert [bool(each["plan"]) for each in found["pipelines"]] == [True, True, False]
    assert only(windlass("--json", "--pipeline", "api"))["pipeline"] == "api"


def test_a_new_pipeline_is_told_to_be_new(windlass: Windlass, shop: Copy) -> None:
    shop.write({".windlass/api/pipeline.yaml": SMALL, "site/index": "1"})
    ended = windlass("--pipeline", "api")
    assert ended.code == 0
    assert "  It is new: HEAD does not have it.\n" in ended.out


def test_a_source_that_is_not_there_is_refused_as_by_a_push(windlass: Windlass, shop: Copy) -> None:
    shop.write({FILE: SMALL})
    ended = windlass()
    assert ended.code == 1
    assert f"{FILE}:4:65: error[path]: nothing that this artifact depends on is there" in ended.out
    shop.write({"site/index": "1"})
    assert windlass().code == 0
    shop.write({".gitignore": "site\n"})
    assert windlass().code == 1


def test_what_came_before_may_lack_its_sources(windlass: Windlass, shop: Copy) -> None:
    shop.commit({FILE: SMALL})
    shop.write({"site/index": "1"})
    found = only(windlass("--json"))
    assert found["notes"] == []
    assert found["artifacts"][0]["reasons"][0].startswith("/site changed: absent -> ")


TRACKED = SHOP.replace("pipeline:\n", "pipeline:\n  tracks: {branches: [main], paths: [/app, /lib]}\n", 1)


def skipped(windlass: Windlass, *words: str) -> list[str]:
    """Return why a push may start nothing."""
    return [note for note in only(windlass("--json", *words))["notes"] if "is skipped" in note]


def test_a_push_that_would_be_skipped_as_untouched_is_told(windlass: Windlass, shop: Copy) -> None:
    shop.commit({FILE: TRACKED})
    shop.write({"README": "other"})
    told = (
        "Where HEAD is the newest revision, a push is skipped: "
        "nothing in /app, /lib or the pipeline file differs."
    )
    assert skipped(windlass) == [told]
    assert f"  {told}\n" in windlass().out
    for path, text in ((FILE, f"{TRACKED}\n"), ("lib/new", "1"), ("app/index", "2")):
        shop.write({path: text})
        assert not skipped(windlass)
        shop.commit({})
        shop.write({"README": f"other than before {path}"})
        assert skipped(windlass) == [told]


def test_a_push_that_would_be_skipped_as_contained_is_told(
    windlass: Windlass, shop: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.git("rev-parse", "HEAD")
    shop.commit({"README": "1"})
    told = "HEAD has this commit already: where HEAD is deployed, a push of it is skipped."
    assert skipped(windlass, "--rev", first, "--against", "HEAD") == [told]
    assert not skipped(windlass, "--rev", "HEAD", "--against", first)
    Copy(tmp_path).git("clone", "-q", str(shop.folder), "mine")
    mine = Copy(tmp_path / "mine")
    monkeypatch.chdir(mine.folder)
    assert skipped(windlass) == [told.replace("HEAD", "origin/main")]
    mine.write({"README": "2"})
    assert not skipped(windlass)
    mine.commit({})
    assert not skipped(windlass)


def test_a_branch_that_is_not_tracked_is_told(windlass: Windlass, shop: Copy) -> None:
    shop.git("switch", "-q", "-c", "feature")
    assert (
        "  A push of feature starts nothing: the pipeline tracks main. It is planned as a push of main.\n"
    ) in windlass().out
    assert only(windlass("--json"))["plan"]["branch"] == "main"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--rev", "nothing"), 'There is no commit "nothing" in '),
        (("--rev", "--help"), 'There is no commit "--help" in '),
        (("--rev", "HEAD:app"), 'There is no commit "HEAD:app" in '),
        (("--rev", "a\x1b[31m"), r'There is no commit "a\x1b[31m" in '),
        (("--against", ""), 'There is no commit "" in '),
        (("--pipeline", "shpo"), 'There is no pipeline "shpo" in the working copy.\n  Known: shop.'),
        (("nowhere",), "There is no folder nowhere."),
        ((f"./{FILE}",), "There is no folder "),
    ],
)
def test_what_is_not_there_is_a_misuse(
    words: tuple[str, ...], told: str, windlass: Windlass, shop: Copy
) -> None:
    ended = windlass(*words)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_folder_without_a_repository_is_a_misuse(windlass: Windlass, tmp_path: Path) -> None:
    ended = windlass(str(tmp_path))
    assert ended.code == 2
    assert "is in no git working copy" in ended.err


def test_a_repository_without_pipelines_is_a_misuse(windlass: Windlass, shop: Copy, tmp_path: Path) -> None:
    shop.write({".gitignore": ".windlass\n"})
    shop.git("rm", "-q", "-r", "--cached", ".windlass")
    ended = windlass()
    assert ended.code == 2
    assert "There is no pipeline file in the working copy of " in ended.err
    assert "git must not ignore it" in ended.err


def test_a_server_is_asked_only_when_that_is_wanted(windlass: Windlass, shop: Copy) -> None:
    assert windlass().code == 0
    ended = windlass("--server")
    assert ended.code == 3
    assert "No Windlass has run in " in ended.err


def test_a_file_of_any_size_and_content_gives_an_answer(windlass: Windlass, shop: Copy) -> None:
    for content in ("x: " + "y" * 300_000, "\x00", "a: &a [*a]", ""):
        shop.write({FILE: content})
        assert windlass("--json").code == 1
