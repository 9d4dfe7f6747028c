"""A build from a repository of the real git: exactly one commit, nothing of its neighbours."""

from dataclasses import replace
from pathlib import Path

from services.builder.adapters.fakes import FakeBuildLog
from services.builder.build_run import Built
from shared.artifacts import LocalArtifactStore
from shared.git import GitMirrors
from tests.contract.git.repository import new_repository
from tests.integration.builder.bench_program import bench, order


async def test_a_build_gets_exactly_its_commit_though_the_branch_moved_on(tmp_path: Path) -> None:
    source = new_repository(tmp_path / "source")
    built = source.commit({"in": b"boats", "only-here": b""})
    source.commit({"in": b"locks"})
    mirrors = GitMirrors(tmp_path / "mirrors")
    own = replace(bench(tmp_path), source=mirrors)
    asked = replace(
        order("mkdir dist", "cp in dist/", 'echo "$SOURCE_DATE_EPOCH" > dist/date', "test ! -e .git"),
        remote=source.remote,
        commit=built,
    )

    answer = await own.build(asked, FakeBuildLog())
    committed_at = (await mirrors.commit_info(source.remote, built)).committed_at
    await mirrors.close()

    assert isinstance(answer, Built), answer
    await LocalArtifactStore(tmp_path / "store").unpack(answer.digest, tmp_path / "release")
    assert (tmp_path / "release/in").read_text() == "boats"
    assert int((tmp_path / "release/date").read_text()) == committed_at.timestamp()
