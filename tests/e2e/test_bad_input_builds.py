"""What a build gets that prints, runs or forks without end: an end, an answer, and nobody else's time."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.quay import MEBIBYTE, Document, Quay

# Artifacts and a script step, all with a time limit; commands are filled in.
PIPELINE = """\
version: "1"
pipeline:
  stages: [{name: live}]
  artifacts:
%s
  steps:
    - name: say
      type: SCRIPT:EXECUTE
      timeout_minutes: %s
      params: {commands: ['%s']}
"""
ARTIFACT = """\
    Part %d:
      type: BUNDLE:BUILD
      timeout_minutes: %s
      envs: {PART: "%d"}
      params: {file_path: /app, build_commands: ['%s']}
"""

AMPLE_MINUTES = 1.0  # for what ends at once, however slow the machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def ordered(
    quay: Quay,
    slug: str,
    build: str = "true",
    *,
    script: str = "true",
    minutes: float = AMPLE_MINUTES,
    parts: int = 1,
) -> None:
    """Have a pipeline of that name pushed that builds and runs as told; `minutes`: what was told may take."""
    tenant = await quay.tenant(slug)
    limits = {"true": AMPLE_MINUTES}
    limit = limits.get(build, minutes)
    artifacts = "".join(ARTIFACT % (part, limit, part, build) for part in range(parts))
    text = PIPELINE % (artifacts, limits.get(script, minutes), script)
    push = await tenant.push_files({f".windlass/{slug}/pipeline.yaml": text, "app/a": slug})
    assert push["decisions"][0]["decision"] == "planned", push


def alive(pid_file: Path) -> bool:
    """Tell whether the process whose id is there still does anything; a zombie does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return state_of(int(pid_file.read_text("ascii")))[0] != "Z"
    return False


def state_of(process: int) -> list[str]:
    """Return what the kernel says of a process, from its state on."""
    return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()


def failed_in_time(run: Document, phrase: str) -> bool:
    """Tell whether the run's evidence says that time ran out, in these words."""
    evidence = run["evidence"]
    return evidence["kind"] == "timeout" and phrase in evidence["message"]


async def test_a_build_that_prints_200_megabytes_ends_well_and_its_output_is_bounded(quay: Quay) -> None:
    line = "x" * 99
    before = disk_use(quay.program.data)
    await ordered(quay, "talkative", f"yes {line} | head -c 200M")
    await quay.neighbour.deploys()

    run = await quay.outcome("talkative", 1)

    assert run["state"] == "Succeeded"
    lines = await quay.output_of("talkative", 1)
    assert lines[1] == line  # after the command
    assert "the rest is left out" in lines[-1]
    assert sum(map(len, lines)) < 17 * MEBIBYTE
    assert disk_use(quay.program.data) - before < 100 * MEBIBYTE


def disk_use(folder: Path) -> int:
    """Return what all files below a folder take."""
    sizes = []
    for file in folder.rglob("*"):
        with suppress(OSError):
            sizes.append(file.lstat().st_blocks * 512)
    return sum(sizes)


async def test_a_build_that_prints_one_endless_line_ends_well(quay: Quay) -> None:
    await ordered(quay, "breathless", "head -c 200M /dev/zero")
    await quay.neighbour.deploys()

    assert (await quay.outcome("breathless", 1))["state"] == "Succeeded"


async def test_a_build_that_never_ends_is_ended_at_its_limit_and_said_to_be(quay: Quay) -> None:
    pid_file = quay.program.folder / "endless.pid"
    await ordered(quay, "endless", f"echo $$ > {pid_file}; sleep 1000", minutes=0.02)
    await quay.neighbour.deploys()

    run = await quay.outcome("endless", 1)

    assert run["state"] == "Failed"
    assert failed_in_time(run, "did not end within 1.2 s"), run["evidence"]
    assert run["failure"]["rule"]
    assert not alive(pid_file)


async def test_builds_that_never_end_leave_the_others_their_turn(quay: Quay) -> None:
    with endless(quay) as command:
        await ordered(quay, "greedy", command, parts=6)

        await quay.neighbour.deploys()

        assert (await quay.get("pipelines/greedy/stages/live"))["status"] == "deploying"


async def test_steps_that_never_end_leave_the_others_their_turn(quay: Quay) -> None:
    step = "    - {name: s%d, type: 'SCRIPT:EXECUTE', goes_after: [], params: {commands: ['%s']}}\n"
    tenant = await quay.tenant("crowded")
    with endless(quay) as command:
        steps = "".join(step % (number, command) for number in range(33))
        text = f'version: "1"\npipeline:\n  stages: [{{name: live}}]\n  steps:\n{steps}'
        await tenant.push_files({".windlass/crowded/pipeline.yaml": text})

        await quay.neighbour.deploys()

        assert (await quay.get("pipelines/crowded/stages/live"))["status"] == "deploying"


@contextmanager
def endless(quay: Quay) -> Iterator[str]:
    """Give a command that does not end before the block has."""
    held = quay.program.folder / "held"
    held.touch()
    try:
        yield f"while [ -e {held} ]; do sleep 0.1; done"
    finally:
        held.unlink()


async def test_children_that_a_build_leaves_behind_end_with_it(quay: Quay) -> None:
    pid_file = quay.program.folder / "child.pid"
    await ordered(quay, "parental", f'(trap "" TERM HUP; sleep 1000) & echo $! > {pid_file}')

    run = await quay.outcome("parental", 1)

    assert run["state"] == "Succeeded", run["evidence"]
    assert pid_file.exists()
    assert not alive(pid_file)


async def test_a_child_that_left_the_build_delays_nobody(quay: Quay) -> None:
    pid_file = quay.program.folder / "daemon.pid"
    until_there = f"while [ ! -s {pid_file} ]; do sleep 0.05; done"
    await ordered(quay, "demonic", f'setsid sh -c "echo \\$\\$ > {pid_file}; exec sleep 600" & {until_there}')
    try:
        assert (await quay.outcome("demonic", 1))["state"] == "Succeeded"
    finally:
        with suppress(OSError, ValueError):
            os.kill(int(pid_file.read_text("ascii")), signal.SIGKILL)


async def test_a_build_that_forks_without_end_is_ended_with_all_it_forked(quay: Quay) -> None:
    pids = quay.program.folder / "forked"
    forking = "n=0; while [ $n -lt 200 ]; do sleep 1000 & n=$((n+1)); done; wait"
    await ordered(quay, "forking", f"echo $$ > {pids}; {forking}", minutes=0.08)
    await quay.neighbour.deploys()

    run = await quay.outcome("forking", 1)

    assert run["state"] == "Failed"
    assert failed_in_time(run, "did not end"), run["evidence"]
    assert not group(int(pids.read_text("ascii")))


def group(leader: int) -> list[int]:
    """Return the processes that are in the group or session of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, _, its_group, session, *_ = state_of(int(entry.name))
            if leader in {int(its_group), int(session)} and state != "Z":
                found.append(int(entry.name))
    return found


async def test_a_script_that_never_ends_is_timed_out_and_its_children_are_gone(quay: Quay) -> None:
    pid_file = quay.program.folder / "script.pid"
    await ordered(quay, "sleepy", script=f"sleep 1000 & echo $! > {pid_file}; wait", minutes=0.02)
    await quay.neighbour.deploys()

    run = await quay.outcome("sleepy", 1)

    assert run["state"] == "Timed Out"
    assert failed_in_time(run, "did not finish within 1.2 s"), run["evidence"]
    assert not alive(pid_file)
