"""The commits that pushes are about."""

from pathlib import Path

from benchmarks.parties.commits import NOBODY, new_commits


def test_each_commit_is_on_top_of_the_one_before(tmp_path: Path) -> None:
    commits = new_commits(tmp_path / "shop", {".windlass/shop/pipeline.yaml": "version: é\n"})
    assert commits.newest == NOBODY
    made = commits.made(3) + commits.made(1) + commits.made(2)
    history = commits.repository.git("rev-list", "--reverse", "main").split()
    assert history == made
    assert len(set(made)) == 6
    assert commits.newest == made[-1]


def test_every_commit_has_the_files_and_a_change(tmp_path: Path) -> None:
    commits = new_commits(tmp_path / "shop", {".windlass/shop/pipeline.yaml": "version: é\n"})
    for number, commit in enumerate(commits.made(2), start=1):
        shown = [commits.repository.git("show", f"{commit}:{path}") for path in (*commits.files, "note")]
        assert shown == ["version: é", str(number)]
