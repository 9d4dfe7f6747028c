"""What parties are asked to do, and what is read from what their steps told."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.parties.work import COMMIT, STEPS, Told, Work, gaps, repeated, whole

PATH = "/usr/bin:/bin"


def ran(work: Work, step: str, commit: str, path: str = PATH) -> str:
    """Run a step's line as every party does; return its output."""
    words = ["/bin/sh", "-eu", "-c", work.script(step)]
    environ = {"PATH": path, COMMIT: commit}
    return subprocess.run(words, env=environ, check=True, capture_output=True, text=True).stdout


def told(*steps: str, commit: str = "a", begin: float = 100.0) -> list[Told]:
    return [Told(step, commit, begin + number) for number, step in enumerate(steps)]


def test_a_step_tells_the_same_time_to_its_output_and_to_the_file(tmp_path: Path) -> None:
    work = Work(tmp_path / "told")
    output = ran(work, "one", "c0ffee")
    assert work.told == [Told("one", "c0ffee", float(output))]


def test_only_a_first_step_that_begins_while_it_is_held_takes_long(tmp_path: Path) -> None:
    work, slept = Work(tmp_path / "told", held_seconds=0.2), tmp_path / "slept"
    sleep = tmp_path / "bin" / "sleep"
    sleep.parent.mkdir()
    sleep.write_text(f'#!/bin/sh\necho "${COMMIT} $1" >> {slept}\nexec /bin/sleep "$1"\n')
    sleep.chmod(0o755)
    path = f"{sleep.parent}:{PATH}"
    free = [ran(work, step, "a", path) for step in STEPS]
    work.hold.touch()
    held = [ran(work, step, "b", path) for step in STEPS]
    assert len(free) == len(held) == 5
    assert slept.read_text() == "b 0.2\n"
    assert gaps(work.of("b"))[0] >= 0.2


def test_a_line_that_is_being_written_is_not_told_yet(tmp_path: Path) -> None:
    work = Work(tmp_path / "told")
    work.file.write_text("one a 1.5\ntwo a 1.")
    assert work.told == [Told("one", "a", 1.5)]


def test_before_the_first_step_nothing_is_told(tmp_path: Path) -> None:
    assert Work(tmp_path / "told").told == []


def test_between_two_deployments_there_is_no_gap() -> None:
    both = told("one", "two", begin=1.0) + told("one", "two", "three", commit="b", begin=50.0)
    assert gaps(both) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("steps", "is_whole"),
    [
        pytest.param(STEPS, True, id="all five in order"),
        pytest.param(STEPS[:4], False, id="one is missing"),
        pytest.param((*STEPS, "five"), False, id="one was done twice"),
        pytest.param(("two", "one", "three", "four", "five"), False, id="out of order"),
    ],
)
def test_a_deployment_is_whole_with_its_five_steps_once_each_in_order(
    steps: tuple[str, ...],
    is_whole: bool,
) -> None:
    assert whole(told(*steps)) is is_whole


def test_effects_beyond_one_for_each_step_are_repeated() -> None:
    rerun_from_the_start = told("one", "two", "three") + told(*STEPS, begin=200.0)
    assert repeated(rerun_from_the_start) == 3
    assert repeated(told(*STEPS) + told(*STEPS, commit="b")) == 0
