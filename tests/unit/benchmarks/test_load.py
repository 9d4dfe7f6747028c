"""What suites put on a Windlass and read of it: pipeline files, notes of steps, files on disk."""

import os
from pathlib import Path

import pytest

from benchmarks.load.pipelines import Note, first_of, gaps, manifest, noting, read_notes
from benchmarks.load.repositories import new_crowd
from benchmarks.load.runs import Runs, WentBadly
from benchmarks.load.spent import Cpu, on_disk, own_cpu
from shared.language.check import Given, check

PLACE = ".windlass/of-0001/pipeline.yaml"

NOTES = """\
1 step-1 100.000000000
1 step-2 100.250000000
2 step-1 101.500000000
1 step-3 101.000000000
2 step-2 101.625000000
2 step-3 1"""


@pytest.mark.parametrize("steps", [1, 5])
def test_the_files_are_ones_that_windlass_takes(tmp_path: Path, steps: int) -> None:
    text = manifest(steps, noting(tmp_path / "notes"), "another-branch")
    assert check(PLACE, text.encode(), Given()).problems == ()
    assert text.count("SCRIPT:EXECUTE") == steps


def test_a_line_that_is_being_written_is_not_read() -> None:
    assert read_notes(NOTES)[-1] == Note(2, "step-2", 101.625)
    assert read_notes("2 step-3 1") == []


def test_gaps_are_within_a_revision_and_of_those_asked_for() -> None:
    notes = read_notes(NOTES)
    assert gaps(notes, [1]) == [0.25, 0.75]
    assert gaps(notes, [1, 2]) == [0.25, 0.75, 0.125]
    assert gaps(notes, []) == []


def test_a_revision_begins_with_its_first_step() -> None:
    assert first_of(read_notes(NOTES), 2) == 101.5


def test_a_crowd_has_as_many_repositories_as_its_pipelines_need(tmp_path: Path) -> None:
    crowd = new_crowd(tmp_path, "of", 101)
    assert [len(source.files) for source in crowd.sources] == [100, 1]
    assert crowd.pipelines == 101


def test_its_commits_change_every_repository_and_no_pipeline_file(tmp_path: Path) -> None:
    crowd = new_crowd(tmp_path, "of", 2)
    first, second = crowd.commit(), crowd.commit()
    assert crowd.revision == 2
    changed = crowd.sources[0].copy.git("diff", "--name-only", first[0], second[0])
    assert changed == "note"


def test_processor_time_is_what_came_since() -> None:
    used = Cpu(3.0, 5.0).since(Cpu(1.0, 1.5))
    assert (used.own, used.others, used.total) == (2.0, 3.5, 5.5)


def test_a_process_that_is_gone_has_used_nothing() -> None:
    assert own_cpu(2**22 + 1) == 0.0
    assert own_cpu(os.getpid()) > 0.0


def test_folders_count_as_files_and_blocks_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    empty = on_disk(tmp_path)
    (tmp_path / "folder" / "file").write_bytes(b"x" * 5_000)
    full = on_disk(tmp_path)
    assert (empty.files, full.files) == (1, 2)
    assert full.bytes - empty.bytes >= 5_000


def _runs(*answers: object) -> Runs:
    left = list(answers)

    async def ask(_query: str) -> object:
        return left.pop(0) if len(left) > 1 else left[0]

    return Runs(ask)


async def test_runs_are_waited_for_until_all_have_ended() -> None:
    await _runs(0, 1, 2, 0).end(2, 40)


async def test_a_run_that_ends_badly_spoils_the_measurement() -> None:
    with pytest.raises(WentBadly, match="1 of 2 runs ended otherwise than well"):
        await _runs(2, 1).end(2, 40)


async def test_a_run_that_does_not_end_spoils_it_too() -> None:
    with pytest.raises(WentBadly, match=r"1 of 2 runs ended within 0\.1 s"):
        await _runs(1).end(2, 0.1)


@pytest.mark.parametrize("last", ["2026-01-01T00:00:01.500000+00:00", "2026-01-01 00:00:01.500000+00:00"])
async def test_both_databases_tell_when_the_last_run_ended(last: str) -> None:
    assert await _runs(last).last_end() == 1_767_225_601.5
