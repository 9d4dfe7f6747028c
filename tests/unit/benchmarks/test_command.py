import asyncio
import io
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.__main__ import INTERRUPTED, MISUSED, Surroundings, main
from benchmarks.figures import Series
from benchmarks.machine import Conditions, Machine
from benchmarks.publishing import Shelf
from benchmarks.record import read
from benchmarks.running import Build
from benchmarks.suite import Bench, Effort, Suite, Unavailable
from tests.unit.benchmarks.results import AFTER, MACHINE
from tests.unit.benchmarks.test_publishing import drawn

SUBJECTS = ("webhook answered", "step to next step")


@dataclass
class Answering:
    """A suite that gives what it is told to give, and keeps what it was given."""

    rounds: tuple[tuple[float, ...], ...] = ((1.0, 3.0), (1.5,))
    subject: str = "webhook answered"
    note: str = ""
    benches: list[Bench] = field(default_factory=list)
    about: str = "an answer"

    def load(self) -> Suite:
        return self.measure

    def subjects(self) -> Sequence[str]:
        return SUBJECTS

    async def measure(self, bench: Bench) -> Sequence[Series]:
        self.benches.append(bench)
        assert list(bench.folder.iterdir()) == []
        (bench.folder / "left").write_text("behind")
        bench.tell("half way")
        return [Series(self.subject, "Windlass", "ms", self.rounds, note=self.note)]


@dataclass
class Failing(Answering):
    """A suite that comes to nothing."""

    why: BaseException = field(default_factory=lambda: OSError("the disk is full"))

    async def measure(self, bench: Bench) -> Sequence[Series]:
        await super().measure(bench)
        raise self.why


@dataclass
class Ended(Answering):
    """A suite during which the command is told to end."""

    has_ended: bool = False

    async def measure(self, bench: Bench) -> Sequence[Series]:
        await super().measure(bench)
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            self.has_ended = True
        return []


NO_VALUE = "failed: ValueError: webhook answered of Windlass has a round without values, or one that is none"
MISSING = Unavailable("Buildbot cannot be installed:\n  there is no network; `make bench` again with one")


async def machine() -> Machine:
    return MACHINE


async def conditions(folder: Path) -> Conditions:
    return AFTER


@dataclass
class Played:
    code: int
    out: str
    err: str
    folder: Path  # build/bench


def play(folder: Path, suites: Mapping[str, Answering], *arguments: str) -> Played:
    out, err = io.StringIO(), io.StringIO()
    around = Surroundings(
        suites=suites,
        build=Build(folder / "bench"),
        shelf=Shelf(folder / "docs"),
        machine=machine,
        conditions=conditions,
        draw=drawn,
        out=out,
        err=err,
    )
    return Played(main(arguments, around), out.getvalue(), err.getvalue(), folder / "bench")


def test_the_list_says_what_each_suite_is_about(tmp_path: Path) -> None:
    played = play(tmp_path, {"push": Answering(), "queries": Answering(about="questions")}, "--list")
    assert (played.code, played.out) == (0, "push     an answer\nqueries  questions\n")
    assert not played.folder.exists()


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        play(tmp_path, {}, "--help")
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(word in told for word in ("--brief", "--rounds N", "--publish", "examples:", "build/bench"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["pusch"], "there is no suite pusch; --list shows them", id="a suite that is not"),
        pytest.param(["--rounds", "-1"], "--rounds takes 1 to 1000, not -1", id="fewer than one round"),
        pytest.param(["--rounds", "1001"], "--rounds takes 1 to 1000, not 1001", id="too many rounds"),
        pytest.param(["--rounds", "0"], "--rounds takes 1 to 1000, not 0", id="no round"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    suite = Answering()
    played = play(tmp_path, {"push": suite}, *arguments)
    assert (played.code, played.err, suite.benches) == (MISUSED, f"benchmarks: {words}\n", [])


def test_all_suites_run_each_in_a_fresh_folder_and_their_results_are_kept(tmp_path: Path) -> None:
    suites = {"push": Answering(), "burst": Answering()}
    played = play(tmp_path, suites)
    [first], [second] = suites["push"].benches, suites["burst"].benches

    assert played.code == 0
    assert first.folder != second.folder
    assert first.tools == second.tools == played.folder / "tools"
    assert first.effort == Effort(rounds=5)
    assert list((played.folder / "run").iterdir()) == []
    for name in suites:
        kept = read((played.folder / "results" / f"{name}.json").read_text("utf-8"), name)
        assert (kept.suite, kept.machine, kept.after, kept.taken) == (name, MACHINE, AFTER, (3,))


def test_the_table_says_what_was_asked_and_progress_stands_elsewhere(tmp_path: Path) -> None:
    played = play(tmp_path, {"push": Answering()})
    assert "webhook answered: p50 at most 2 ms is asked, 1.50 ms measured: met, by 25%" in played.out
    assert "half way" not in played.out
    assert played.err == "push (1 of 1) 00:00 half way\n"


def test_the_table_says_what_is_asked_of_the_peers_figure(tmp_path: Path) -> None:
    @dataclass
    class Beside(Answering):
        async def measure(self, bench: Bench) -> Sequence[Series]:
            given = await super().measure(bench)
            return [*given, Series(self.subject, "Buildbot", "ms", ((20.0,), (10.0,)))]

    played = play(tmp_path, {"push": Beside()})
    told = "of Buildbot at most 0.179 is asked, 0.10 (0.05 to 0.15) measured: met, by 44%"
    assert f"1.50 ms measured: met, by 25%; {told}\n" in played.out


def test_only_the_named_suites_run_in_the_order_named(tmp_path: Path) -> None:
    suites = {name: Answering() for name in ("push", "burst", "start")}
    played = play(tmp_path, suites, "start", "push", "--rounds", "7")
    assert [line for line in played.out.splitlines() if line in suites] == ["start", "push"]
    assert suites["burst"].benches == []
    assert suites["push"].benches[0].effort == Effort(rounds=7)


def test_a_brief_look_is_kept_apart(tmp_path: Path) -> None:
    suites = {"push": Answering()}
    play(tmp_path, suites)
    played = play(tmp_path, suites, "--brief")
    assert suites["push"].benches[1].effort == Effort(rounds=2, brief=True)
    assert {file.parent.name for file in played.folder.rglob("push.json")} == {"results", "brief"}


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        pytest.param(
            Failing(why=MISSING),
            "Buildbot cannot be installed: there is no network; `make bench` again with one",
            id="a party is missing",
        ),
        pytest.param(Failing(), "failed: OSError: the disk is full", id="it fails"),
        pytest.param(
            Answering(subject="tea made"),
            "measured what its SUBJECTS do not name: tea made",
            id="it measures what nobody expects",
        ),
        pytest.param(
            Answering(rounds=((1.0,), ())),
            NO_VALUE,
            id="a round is empty",
        ),
        pytest.param(
            Answering(rounds=((float("nan"),),)),
            NO_VALUE,
            id="a value is none",
        ),
        pytest.param(
            Answering(rounds=()),
            "failed: ValueError: webhook answered of Windlass has no round and no note that says why",
            id="a party is absent without a reason",
        ),
    ],
)
def test_a_suite_that_comes_to_nothing_is_named_at_the_end_and_the_rest_go_on(
    tmp_path: Path, suite: Answering, words: str
) -> None:
    after = Answering()
    played = play(tmp_path, {"push": suite, "burst": after})
    assert played.code == 1
    assert played.err.splitlines()[-1] == f"benchmarks: push: {words}"
    assert len(after.benches) == 1
    assert list((played.folder / "run").iterdir()) == []
    assert (played.folder / "results" / "burst.json").is_file()


def test_a_party_that_is_absent_with_a_reason_is_told(tmp_path: Path) -> None:
    played = play(tmp_path, {"push": Answering(rounds=(), note="there is no wheel of it")})
    assert played.code == 0
    assert "could not take part: there is no wheel of it" in played.out


def test_what_is_given_twice_is_refused(tmp_path: Path) -> None:
    @dataclass
    class Twice(Answering):
        async def measure(self, bench: Bench) -> Sequence[Series]:
            return [*await super().measure(bench)] * 2

    played = play(tmp_path, {"push": Twice()})
    assert played.code == 1
    assert "given twice" in played.err


def test_json_is_a_line_for_each_suite(tmp_path: Path) -> None:
    played = play(tmp_path, {"push": Answering(), "burst": Failing()}, "--json")
    [line] = played.out.splitlines()
    assert json.loads(line)["suite"] == "push"


def test_told_to_end_it_lets_the_suite_end_what_it_started(tmp_path: Path) -> None:
    suite, after = Ended(), Answering()
    played = play(tmp_path, {"push": suite, "burst": after})
    assert played.code == INTERRUPTED
    assert suite.has_ended
    assert after.benches == []
    assert list((played.folder / "run").iterdir()) == []
    assert "interrupted; what was started has been ended" in played.err


def test_what_was_measured_is_published_and_then_checked(tmp_path: Path) -> None:
    suites = {"push": Answering(), "burst": Answering()}
    play(tmp_path, suites)
    assert play(tmp_path, suites, "--check").code == 1
    assert play(tmp_path, suites, "push", "--publish").code == 0
    assert {file.name for file in (tmp_path / "docs").rglob("*")} == {
        "benchmarks.md",
        "benchmarks",
        "push.json",
    }
    assert play(tmp_path, suites, "--publish").code == 0
    assert (tmp_path / "docs" / "benchmarks" / "burst.json").is_file()
    assert play(tmp_path, suites, "--check").code == 0
    assert len(suites["push"].benches) == 1  # publishing measures nothing

    (tmp_path / "docs" / "benchmarks.md").write_text("better", encoding="utf-8")
    stale = play(tmp_path, suites, "--check")
    assert (stale.code, stale.err) == (1, "benchmarks.md is out of date: run `make docs`\n")
    assert play(tmp_path, suites, "--page").code == 0
    assert play(tmp_path, suites, "--check").code == 0


def test_what_was_not_measured_or_only_briefly_is_not_published(tmp_path: Path) -> None:
    suites = {"push": Answering()}
    missing = play(tmp_path, suites, "push", "--publish")
    assert (missing.code, missing.err) == (
        1,
        "benchmarks: push is not published: it was not measured yet\n",
    )
    play(tmp_path, suites, "--brief")
    brief = play(tmp_path, suites, "--brief", "--publish")
    assert brief.code == 1
    assert "it was a brief look" in brief.err
    assert not (tmp_path / "docs" / "benchmarks" / "push.json").exists()


def test_a_reason_is_kept_without_the_folders_of_this_machine(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    why = Unavailable(f"pip said {root}/build/x is no folder {'!' * 2_000} at last")
    play(tmp_path, {"push": Failing(why=why)})
    kept = read((tmp_path / "bench" / "results" / "push.json").read_text("utf-8"), "push")
    assert kept.unavailable.startswith("pip said ./build/x is no folder")
    assert kept.unavailable.endswith("! at last")
    assert len(kept.unavailable) == 500
    assert kept.series == ()
