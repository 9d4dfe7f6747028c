"""What scripts give to later steps, with real processes."""

import asyncio
from pathlib import Path

import pytest

from services.deployer.step_order import Done, StepOrder, Stopped
from tests.integration.local_target.local_stage import LocalStage, evidence, texts

NOTE = 'echo "$WINDLASS_STEP" >> "$NOTES"'
WAIT = 'while [ ! -e "$GATE" ]; do sleep 0.01; done'
LINES = 'printf "notes<<END\\none\\n\\ntwo\\nEND\\n" >> "$WINDLASS_OUTPUT"'


def life(stage: LocalStage, order: StepOrder, number: int = 1) -> Path:
    attempt = stage.target.host.folder / "attempts" / str(order.run) / order.step.id / str(order.attempt)
    return attempt / "lives" / str(number)


async def test_a_script_gives_what_it_writes(stage: LocalStage) -> None:
    order = stage.script('echo "tag=v1" >> "$WINDLASS_OUTPUT"', LINES, 'echo "tag=v2" >> "$WINDLASS_OUTPUT"')
    assert await stage.run(order) == Done({"tag": "v2", "notes": "one\n\ntwo"})


async def test_the_same_is_given_after_the_file_is_gone(stage: LocalStage) -> None:
    order = stage.script(LINES, NOTE)
    first = await stage.run(order)
    await stage.settled()
    assert sorted(each.name for each in life(stage, order).iterdir()) == ["given", "process", "script"]
    await stage.restart_windlass()
    assert await stage.run(order) == first == Done({"notes": "one\n\ntwo"})
    assert stage.started == ["web"]


async def test_a_script_that_is_taken_up_gives_what_it_wrote_before_and_after(stage: LocalStage) -> None:
    order = stage.script('echo a=1 >> "$WINDLASS_OUTPUT"', NOTE, WAIT, 'echo b=2 >> "$WINDLASS_OUTPUT"')
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["web"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.restart_windlass()
    stage.gate.touch()
    assert await stage.run(order) == Done({"a": "1", "b": "2"})


async def test_what_cannot_be_understood_fails_the_step_now_and_later(stage: LocalStage) -> None:
    order = stage.script("echo said", 'echo a=1 >> "$WINDLASS_OUTPUT"', 'echo hello >> "$WINDLASS_OUTPUT"')
    seen = evidence(await stage.run(order))
    assert (seen.phase, seen.kind, texts(seen.log_tail)) == ("deploy", "error", ["said"])
    assert seen.stated == "outputs"
    assert seen.message == (
        "the script ended well, but line 2 of what it wrote to WINDLASS_OUTPUT "
        "is neither NAME=value nor NAME<<MARK"
    )
    await stage.settled()
    await stage.restart_windlass()
    assert evidence(await stage.run(order)).message == seen.message


async def test_a_script_that_fails_gives_nothing(stage: LocalStage) -> None:
    seen = evidence(await stage.run(stage.script('echo hello > "$WINDLASS_OUTPUT"', "exit 3")))
    assert seen.message == "the script exited with 3"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param('rm "$WINDLASS_OUTPUT"; ln -s /etc/hostname "$WINDLASS_OUTPUT"', id="a link"),
        pytest.param('rm "$WINDLASS_OUTPUT"; mkfifo "$WINDLASS_OUTPUT"', id="a pipe"),
        pytest.param('rm "$WINDLASS_OUTPUT"; mkdir "$WINDLASS_OUTPUT"', id="a folder"),
    ],
)
async def test_nothing_but_the_file_itself_is_read(stage: LocalStage, command: str) -> None:
    seen = evidence(await stage.run(stage.script(command)))
    assert seen.message.endswith("it put something else in place of the file WINDLASS_OUTPUT")


async def test_a_script_may_take_its_file_away(stage: LocalStage) -> None:
    assert await stage.run(stage.script('rm "$WINDLASS_OUTPUT"')) == Done()


async def test_a_file_without_end_is_read_to_its_limit_only(stage: LocalStage) -> None:
    seen = evidence(await stage.run(stage.script('truncate -s 100G "$WINDLASS_OUTPUT"')))
    assert seen.message == "the script ended well, but it wrote more than 512 KiB to WINDLASS_OUTPUT"


async def test_a_step_cannot_choose_where_its_outputs_go(stage: LocalStage) -> None:
    seen = evidence(await stage.run(stage.script(NOTE, env={"WINDLASS_OUTPUT": "/etc/passwd"})))
    assert "WINDLASS_OUTPUT, which a step may not set" in seen.message


async def test_an_output_past_its_limit_is_cut_and_the_log_says_so(stage: LocalStage) -> None:
    order = stage.script("head -c 30000000 /dev/zero | tr '\\0' x", "echo end")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert answer == Done()
    assert lines[-1] == "windlass: 16777216 bytes of output are kept, the rest is left out"


async def test_a_script_called_off_while_it_is_made_ready_never_runs(stage: LocalStage) -> None:
    digest = await stage.pack(greeting__txt="hello")
    called_off = asyncio.Event()
    order = stage.script(NOTE, artifact="app", digest=digest)
    running = asyncio.ensure_future(stage.run(order, called_off))
    called_off.set()
    assert await running == Stopped()
    assert stage.started == []
