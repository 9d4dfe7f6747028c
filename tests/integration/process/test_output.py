"""Output as programs really make it: endless, torn, not text, on a full disk."""

import asyncio
import os
import time
from functools import partial

from shared.process import Running
from shared.process.attempt import OUTPUT_BYTES_MAX
from tests.integration.process.conftest import Machine, refuse_outcome, until


async def test_a_program_that_prints_200_mb_costs_bounded_disk_and_ends_well(
    machine: Machine,
) -> None:
    folder = await machine.start("yes 'a line of a build that says too much' | head -c 200000000")
    assert (await machine.ended(folder)).succeeded
    assert OUTPUT_BYTES_MAX - 100 <= (folder / "output").stat().st_size <= OUTPUT_BYTES_MAX + 100
    last = machine.processes.tail(folder, 1)[0].text
    assert last == f"windlass: {OUTPUT_BYTES_MAX} bytes of output are kept, the rest is left out"


async def test_200_mb_without_a_line_end_cost_no_more(machine: Machine) -> None:
    folder = await machine.start("head -c 200000000 /dev/zero", output_bytes_max=1_000_000)
    assert (await machine.ended(folder)).succeeded
    assert (folder / "output").stat().st_size <= 1_000_100


async def test_what_is_not_text_is_replaced(machine: Machine) -> None:
    script = r"printf 'a\377b\nnul\000nul\nwindows\r\n\nt\303\266n\nno end \342\202'"
    folder = await machine.start(script)
    said = await machine.said(folder)
    assert said == ["a\ufffdb", "nul\ufffdnul", "windows", "", "tön", "no end \ufffd"]


async def test_a_long_line_is_split_between_characters(machine: Machine) -> None:
    (machine.root / "long").write_text("€" * 20_000 + "\nshort\n")
    folder = await machine.start("cat long")
    *pieces, last = await machine.said(folder)
    assert last == "short"
    assert "".join(pieces) == "€" * 20_000
    assert all(len(piece.encode()) <= 16 * 1024 for piece in pieces)
    assert len(pieces) == 4


async def test_a_character_torn_between_two_reads_is_whole(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder = await machine.start(r"echo up; printf '\342\202'; read word < gate; printf '\254\n'")
    await machine.says(folder, "up")
    (machine.root / "gate").write_text("on\n")
    assert await machine.said(folder) == ["up", "€"]


async def test_a_full_disk_costs_the_output_but_neither_child_nor_outcome(machine: Machine) -> None:
    folder = machine.root / "attempt"
    folder.mkdir()
    (folder / "output").symlink_to("/dev/full")
    await machine.start("seq 1 100000; echo ran >> effects; exit 4")
    assert (await machine.ended(folder)).code == 4
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_an_outcome_that_cannot_be_written_is_written_later(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder = await machine.start("echo up; read word < gate; echo ran; exit 5")
    await machine.says(folder, "up")
    refuse_outcome(folder)
    (machine.root / "gate").write_text("on\n")
    await machine.says(folder, "ran")
    assert machine.processes.observe(folder) == Running()
    (folder / "exit.reserved").rmdir()
    assert (await machine.ended(folder)).code == 5


async def test_a_service_keeps_its_newest_output_and_the_numbers_of_its_lines(
    machine: Machine,
) -> None:
    folder = await machine.start("seq 0 19999", keep_alive=True, output_bytes_max=100_000)
    await machine.ended(folder)
    kept = sum(path.stat().st_size for path in folder.glob("output*"))
    assert 50_000 <= kept <= 100_000
    assert len(list(folder.glob("output*"))) == 2
    batches = [batch async for batch in machine.processes.output(folder, 0)]
    assert batches[0].first_line > 15_000
    lines = [line.text for batch in batches for line in batch]
    assert lines == [str(number) for number in range(batches[0].first_line, 20_000)]
    assert await machine.said(folder, 19_998) == ["19998", "19999"]
    assert [line.text for line in machine.processes.tail(folder, 4000)] == lines[-4000:]


async def test_a_follower_of_a_service_loses_nothing_over_the_change_of_files(
    machine: Machine,
) -> None:
    os.mkfifo(machine.root / "gate")
    script = "for n in 1 2 3; do read word; seq 1 1000; done < gate; read word < gate"
    folder = await machine.start(script, keep_alive=True, output_bytes_max=60_000)
    heard: list[str] = []

    async def follow() -> None:
        async for batch in machine.processes.output(folder, 0):
            assert batch.first_line == len(heard)
            heard.extend(line.text for line in batch)

    following = asyncio.create_task(follow())
    gate = os.open(machine.root / "gate", os.O_RDWR)
    for count in (1000, 2000, 3000):
        os.write(gate, b"on\n")
        await until(partial(_has, heard, count))
    assert (folder / "output").exists() is False  # its first file has been dropped
    await machine.processes.stop(folder)
    os.close(gate)
    await following
    assert heard == [str(number) for _ in range(3) for number in range(1, 1001)]


def _has(heard: list[str], count: int) -> bool:
    return len(heard) == count


async def test_following_on_at_the_end_of_much_output_costs_little(machine: Machine) -> None:
    folder = await machine.start("seq 0 499999")
    assert (await machine.ended(folder)).succeeded
    began = time.process_time()
    assert await machine.said(folder, 499_999) == ["499999"]
    assert time.process_time() - began < 2  # 50 ms; what others do on the machine is not counted


async def test_a_crashing_service_is_started_again_after_longer_and_longer(
    machine: Machine,
) -> None:
    script = "echo run; if test -e flag; then exit 7; fi; touch flag; read word < gate"
    os.mkfifo(machine.root / "gate")
    folder = await machine.start(script, keep_alive=True)
    machine.processes.promote(folder)
    (machine.root / "gate").write_text("on\n")
    await machine.says(folder, "windlass: the service exited with 7; it is started again in 0.8 s")
    await machine.processes.stop(folder)
    said = await machine.said(folder)
    again = "it is started again in"
    assert said[:6] == [
        "run",
        f"windlass: the service exited with 0; {again} 0.2 s",
        "run",
        f"windlass: the service exited with 7; {again} 0.4 s",
        "run",
        f"windlass: the service exited with 7; {again} 0.8 s",
    ]
    assert (await machine.ended(folder)).reason == "stopped"
