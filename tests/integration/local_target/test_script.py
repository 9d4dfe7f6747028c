"""SCRIPT:EXECUTE with real processes."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from services.deployer.step_order import Done, StepOrder, Stopped
from tests.integration.local_target.local_stage import LocalStage, evidence, is_alive, texts

NOTE = 'echo "$WINDLASS_STEP" >> "$NOTES"'
WAIT = 'while [ ! -e "$GATE" ]; do sleep 0.01; done'


def process(stage: LocalStage, order: StepOrder, life: int = 1) -> Path:
    attempt = stage.target.host.folder / "attempts" / str(order.run) / order.step.id / str(order.attempt)
    return attempt / "lives" / str(life) / "process"


async def test_a_script_runs_in_its_artifact_with_a_clean_environment(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAK", "1")
    digest = await stage.pack(greeting__txt="hello")
    order = stage.script("cat greeting.txt; echo", "env | sort", artifact="app", digest=digest)
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert answer == Done()
    assert lines[0] == "hello"
    seen = dict(line.split("=", 1) for line in lines[1:])
    assert seen["WINDLASS_COMMIT"] == "c0ffee"
    assert (seen["WINDLASS_BRANCH"], seen["WINDLASS_TAG"]) == ("main", "")
    assert seen["WINDLASS_ATTEMPT"] == "1"
    assert "LEAK" not in seen
    assert set(seen) <= {"HOME", "LANG", "PATH", "PWD", "OLDPWD", "SHLVL", "_", "NOTES", "GATE"} | {
        name for name in seen if name.startswith("WINDLASS_")
    }


async def test_a_script_of_a_tag_sees_its_name_and_no_branch(stage: LocalStage) -> None:
    order = replace(stage.script('echo "$WINDLASS_TAG/${WINDLASS_BRANCH-unset}"'), branch="", tag="v1")
    _, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert lines == ["v1/"]


async def test_a_script_without_an_artifact_runs_in_an_empty_folder(stage: LocalStage) -> None:
    order = stage.script("ls -A; echo end")
    _, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert lines == ["end"]


async def test_a_script_ends_at_the_first_command_that_fails(stage: LocalStage) -> None:
    order = stage.script("echo before", "exit_with() { return $1; }", "exit_with 7", NOTE)
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    seen = evidence(answer)
    assert (seen.phase, seen.kind, seen.exit_code, seen.message) == (
        "deploy",
        "process",
        7,
        "the script exited with 7",
    )
    assert texts(seen.log_tail) == lines == ["before"]
    assert stage.started == []


async def test_an_unset_variable_ends_a_script(stage: LocalStage) -> None:
    assert "UNHEARD_OF" in texts(evidence(await stage.run(stage.script('echo "$UNHEARD_OF"'))).log_tail)[0]


async def test_a_script_runs_once_however_often_it_is_asked_for(stage: LocalStage) -> None:
    order = stage.script(NOTE)
    for _ in range(3):
        assert await stage.run(order) == Done()
        await stage.restart_windlass()
    assert await stage.discard(order) == Done()
    assert await stage.run(order) == Done()
    assert stage.started == ["web"]


async def test_a_running_script_is_taken_up_by_the_next_life_with_every_line_once(stage: LocalStage) -> None:
    order = stage.script("echo one", NOTE, WAIT, "echo two")
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["web"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.restart_windlass()
    running = asyncio.ensure_future(stage.run(order))
    reading = asyncio.ensure_future(stage.lines(order, 1))
    stage.gate.touch()
    assert await running == Done()
    assert await reading == ["two"]
    assert stage.started == ["web"]


async def test_a_script_that_is_called_off_is_stopped_with_all_it_started(stage: LocalStage) -> None:
    order = stage.script("sleep 60 &", NOTE, "wait")
    called_off = asyncio.Event()
    running = asyncio.ensure_future(stage.run(order, called_off))
    await stage.until(lambda: stage.started == ["web"])
    leader = int((process(stage, order) / "group").read_text().split()[0])
    called_off.set()
    assert await running == Stopped()
    assert not is_alive(leader)
    await stage.restart_windlass()
    assert await stage.run(order, called_off) == Stopped()
    assert stage.started == ["web"]


async def test_a_script_called_off_before_it_began_never_runs(stage: LocalStage) -> None:
    called_off = asyncio.Event()
    called_off.set()
    order = stage.script(NOTE)
    answer, lines = await asyncio.gather(stage.run(order, called_off), stage.lines(order))
    assert (answer, lines) == (Stopped(), [])
    await stage.discard(order)
    assert await stage.run(order) == Stopped()
    assert stage.started == []


def lose(stage: LocalStage, order: StepOrder, life: int) -> None:
    """Kill a script and its supervision, as a host that goes down does."""
    folder = process(stage, order, life)
    for name in ("pid", "group"):
        os.kill(int((folder / name).read_text().split()[0]), signal.SIGKILL)


async def test_a_script_that_was_lost_is_interrupted_and_not_run_again(stage: LocalStage) -> None:
    order = stage.script(NOTE, WAIT)
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["web"])
    lose(stage, order, 1)
    seen = evidence(await running)
    assert (seen.kind, seen.exit_code) == ("interrupted", None)
    await stage.restart_windlass()
    assert evidence(await stage.run(order)).kind == "interrupted"
    assert stage.started == ["web"]


async def test_a_lost_script_that_may_be_repeated_is_and_its_lines_go_on(stage: LocalStage) -> None:
    order = stage.script("echo begin", "touch mark", NOTE, WAIT, "ls", repeatable=True)
    running = asyncio.ensure_future(stage.run(order))
    reading = asyncio.ensure_future(stage.lines(order))
    await stage.until(lambda: stage.started == ["web"])
    lose(stage, order, 1)
    await stage.until(lambda: stage.started == ["web", "web"])
    stage.gate.touch()
    assert await running == Done()
    assert await reading == ["begin", "begin", "mark"]
    await stage.restart_windlass()
    answer, rest = await asyncio.gather(stage.run(order), stage.lines(order, 1))
    assert (answer, rest) == (Done(), ["begin", "mark"])


async def test_a_script_that_is_lost_again_and_again_is_given_up(stage: LocalStage) -> None:
    order = stage.script(NOTE, WAIT, repeatable=True)
    running = asyncio.ensure_future(stage.run(order))
    for life in (1, 2, 3):
        await stage.until(lambda life=life: len(stage.started) == life)  # type: ignore[misc]
        lose(stage, order, life)
    assert evidence(await running).kind == "interrupted"
    assert len(stage.started) == 3


async def test_a_script_past_its_limit_is_ended_even_when_nobody_watches(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.deployer.adapters.script.LIMIT_MARGIN_SECONDS", 0.1)
    seen = evidence(await stage.run(stage.script(WAIT, timeout_seconds=0.1)))
    assert (seen.kind, seen.message) == ("timeout", "the script did not end within its time limit")


async def test_what_a_script_worked_with_is_removed_and_what_it_said_stays(stage: LocalStage) -> None:
    order = stage.script("echo kept", "mkdir -p a/b", "chmod 0 a")
    await stage.run(order)
    await stage.settled()
    assert sorted(each.name for each in process(stage, order).parent.iterdir()) == ["process", "script"]
    assert (await asyncio.gather(stage.run(order), stage.lines(order)))[1] == ["kept"]


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(("echo \u00e4\u2603", "echo '\x07'"), id="any text"),
        pytest.param(("#" * 300_000, "true"), id="a long script"),
        pytest.param(("cat <<'END'\n$HOME\nEND",), id="lines in a line"),
    ],
)
async def test_a_script_may_say_anything(stage: LocalStage, commands: tuple[str, ...]) -> None:
    assert await stage.run(stage.script(*commands)) == Done()


async def test_a_script_has_no_candidate_to_switch(stage: LocalStage) -> None:
    assert await stage.switch(stage.script(NOTE)) == Done()
    assert stage.started == []
