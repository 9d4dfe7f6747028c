"""Builds that do not behave, as real processes."""

import asyncio
from pathlib import Path

import pytest

from services.builder.adapters.fakes import FakeBuildLog
from services.builder.build_run import BuildAnswer, BuildFailed, BuildLimits, BuildStopped, Built
from shared.artifacts import LocalArtifactStore
from shared.events import Evidence
from tests.integration.builder.bench_program import bench, order
from tests.integration.process.conftest import alive, pid_in, until, written

QUICK = BuildLimits(grace_seconds=0.2)


async def build(root: Path, *commands: str, path: str = "dist") -> tuple[BuildAnswer, FakeBuildLog]:
    log = FakeBuildLog()
    return await bench(root).build(order(*commands, path=path), log), log


def evidence(answer: BuildAnswer) -> Evidence:
    assert isinstance(answer, BuildFailed), answer
    return answer.evidence


def bytes_below(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


async def all_end(*processes: int) -> None:
    """Wait for the ends of those that were killed: on a busy machine the kernel takes its time."""
    await until(lambda: not any(map(alive, processes)))


async def appeared(file: Path) -> int:
    """Wait until a real process has written a number, and return it."""
    await until(lambda: written(file))
    return pid_in(file)


async def test_an_honest_build_is_kept_and_its_output_told(tmp_path: Path) -> None:
    answer, log = await build(tmp_path, "mkdir dist", "cp in dist/", 'echo "at $WINDLASS_REVISION"')

    assert isinstance(answer, Built)
    assert answer.duration_seconds > 0
    assert log.texts[-1] == "at 7"
    await LocalArtifactStore(tmp_path / "store").unpack(answer.digest, tmp_path / "release")
    assert (tmp_path / "release/in").read_text() == "boats"


async def test_a_build_sees_a_clean_environment_inside_its_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "secret")
    _, log = await build(tmp_path, "env", 'touch "$TMPDIR/x" "$HOME/x"', "pwd", "mkdir dist")
    seen = dict(text.split("=", 1) for text in log.texts if "=" in text and text[0] != "$")

    assert "WINDLASS_TOKEN" not in seen
    assert seen["CI"] == "true"
    assert seen["SOURCE_DATE_EPOCH"] == "1735689600"
    assert Path(seen["HOME"]).is_relative_to(tmp_path / "workspaces")
    assert set(seen) - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "CI",
        "HOME",
        "LANG",
        "PATH",
        "SOURCE_DATE_EPOCH",
        "TMPDIR",
        "TZ",
        "WINDLASS_ARTIFACT",
        "WINDLASS_COMMIT",
        "WINDLASS_PIPELINE",
        "WINDLASS_REVISION",
    }


async def test_commands_that_fail_are_evidence_with_their_last_words(tmp_path: Path) -> None:
    answer, _ = await build(tmp_path, "echo compiling", "echo 'error: no such module' >&2; exit 3")
    failure = evidence(answer)

    assert (failure.kind, failure.exit_code) == ("process", 3)
    assert failure.log_tail[-1].text == "error: no such module"


async def test_200_megabytes_of_output_cost_neither_disk_nor_the_build(tmp_path: Path) -> None:
    own = bench(tmp_path, BuildLimits(output_bytes_max=1_000_000))
    log = FakeBuildLog()
    commands = ("head -c 200000000 /dev/zero | tr '\\0' 'x' | fold -w 1000", "mkdir dist")
    answer = await own.build(order(*commands), log)

    assert isinstance(answer, Built)
    assert bytes_below(tmp_path) < 1_500_000
    assert sum(map(len, log.texts)) < 1_500_000
    assert "left out" in log.texts[-1]


async def test_a_build_that_never_ends_is_ended_at_its_limit(tmp_path: Path) -> None:
    endless = order("trap '' TERM", "while :; do sleep 0.05; done", timeout_seconds=0.5)
    failure = evidence(await bench(tmp_path, QUICK).build(endless, FakeBuildLog()))
    group = (tmp_path / "workspaces" / endless.name / "process/group").read_text()

    assert failure.kind == "timeout"
    assert "did not end within 0.5 s" in failure.message
    await all_end(int(group.split()[0]))


async def test_children_that_a_build_leaves_behind_are_ended(tmp_path: Path) -> None:
    answer, log = await build(
        tmp_path,
        "(trap '' HUP TERM; while :; do sleep 0.05; done) & echo $!",
        "sleep 1000 & echo $!",
        "mkdir dist",
    )
    children = [int(text) for text in log.texts if text.isdigit()]

    assert isinstance(answer, Built)
    assert len(children) == 2
    await all_end(*children)


async def test_a_build_that_is_stopped_ends_with_its_whole_group(tmp_path: Path) -> None:
    own, asked = bench(tmp_path, QUICK), order("sleep 1000 & echo $! > ../home/child; wait")
    building = asyncio.create_task(own.build(asked, FakeBuildLog()))
    child = await appeared(tmp_path / "workspaces" / asked.name / "home/child")

    await own.stop(asked)

    assert await building == BuildStopped()
    await all_end(child)
    assert await bench(tmp_path).build(asked, FakeBuildLog()) == BuildStopped()


async def test_a_build_outlives_its_worker_and_is_watched_again(tmp_path: Path) -> None:
    asked = order(
        "echo once >> ../home/effects", "while [ ! -e ../home/go ]; do sleep 0.01; done", "mkdir dist"
    )
    home, log = tmp_path / "workspaces" / asked.name / "home", FakeBuildLog()
    building = asyncio.create_task(bench(tmp_path).build(asked, log))
    await until(lambda: written(home / "effects"))
    building.cancel()
    await asyncio.wait([building])

    (home / "go").touch()
    answer = await bench(tmp_path).build(asked, log)

    assert isinstance(answer, Built)
    assert (home / "effects").read_text() == "once\n"
    assert [text[:6] for text in log.texts] == ["$ echo", "$ whil", "$ mkdi"]


async def test_a_file_that_grows_without_end_is_stopped(tmp_path: Path) -> None:
    own = bench(tmp_path, BuildLimits(file_bytes_max=1_000_000))
    failure = evidence(await own.build(order("exec cat /dev/zero > big"), FakeBuildLog()))

    assert failure.kind == "process"
    assert bytes_below(tmp_path) < 1_500_000


@pytest.mark.parametrize(
    ("commands", "path", "said"),
    [
        pytest.param(("true",), "dist", "dist is not there", id="no output"),
        pytest.param(("ln -s /etc dist",), "dist", "leads out", id="the output is a link out"),
        pytest.param(("ln -s ../../.. dist",), "dist", "leads out", id="a link above"),
        pytest.param(("true",), "../home", "leads out", id="another folder of the workspace"),
        pytest.param(("mkdir dist", "mkfifo dist/p"), "dist", "p is a fifo", id="a fifo"),
        pytest.param(
            ("mkdir dist", "ln -s /etc/passwd dist/p"), "dist", "is absolute", id="a link to a secret"
        ),
        pytest.param(
            ("mkdir dist", "truncate -s 300M dist/zeros"), "dist", "200 times", id="a bomb of zeros"
        ),
        pytest.param(
            ("mkdir dist", "truncate -s 5G dist/hole"), "dist", "at hole", id="a hole of five gigabytes"
        ),
    ],
)
async def test_an_output_that_cannot_be_kept_is_evidence_that_names_it(
    commands: tuple[str, ...], path: str, said: str, tmp_path: Path
) -> None:
    answer, _ = await build(tmp_path, *commands, path=path)
    failure = evidence(answer)

    assert (failure.phase, failure.kind, failure.exit_code) == ("build", "artifact", 0)
    assert said in failure.message
    assert str(tmp_path) not in failure.message
    assert bytes_below(tmp_path / "store") == 0


async def test_a_workspace_made_hard_to_remove_is_removed(tmp_path: Path) -> None:
    asked = order(
        "mkdir -p dist deep/a/b && chmod 000 deep/a",
        "i=0; while [ $i -lt 60 ]; do mkdir d$i; cd d$i; i=$((i+1)); done",
        'ln -s "$HOME/../../.." way-out; mkfifo pipe',
    )
    own = bench(tmp_path)
    (tmp_path / "precious").touch()
    answer = await own.build(asked, FakeBuildLog())

    await own.clear(asked)
    await own.clear(asked)

    assert isinstance(answer, Built)
    assert list((tmp_path / "workspaces").iterdir()) == []
    assert (tmp_path / "precious").exists()


async def test_sweeping_ends_and_removes_what_no_order_wants(tmp_path: Path) -> None:
    own, asked = bench(tmp_path, QUICK), order("echo $$ > ../home/self; sleep 1000")
    building = asyncio.create_task(own.build(asked, FakeBuildLog()))
    process = await appeared(tmp_path / "workspaces" / asked.name / "home/self")

    await own.sweep(own.workspaces() - {asked.name})
    assert alive(process)
    building.cancel()
    await asyncio.wait([building])
    await own.sweep(own.workspaces())

    await all_end(process)
    assert list((tmp_path / "workspaces").iterdir()) == []
