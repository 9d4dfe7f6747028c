"""APPROVAL:TEST with real processes and real git."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.deployer.step_order import Broke, Done, StepAnswer, StepOrder, Stopped
from shared.events import TestResults
from shared.faults import TryAgain
from shared.git.fakes import FakeMirrors, FakeRepository
from shared.ids import Commit
from tests.integration.local_target.local_stage import LocalStage, evidence, is_alive, texts

NOTE = 'echo "$WINDLASS_STEP" >> "$NOTES"'
WAIT = 'while [ ! -e "$GATE" ]; do sleep 0.01; done'
REPORT = (
    "<testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase>"
    "<testcase classname='Cart' name='c'><failure message='no'/></testcase></testsuite>"
)
WRITES = f'mkdir -p reports; echo "{REPORT}" > reports/r.xml'
KNOWN = {"tests_passed": "1", "tests_failed": "1", "tests_skipped": "1"}


def process(stage: LocalStage, order: StepOrder, life: int = 1) -> Path:
    attempt = stage.target.host.folder / "attempts" / str(order.run) / order.step.id / str(order.attempt)
    return attempt / "lives" / str(life) / "process"


def passed(answer: StepAnswer) -> tuple[Mapping[str, str], TestResults]:
    assert isinstance(answer, Done), answer
    assert answer.tests
    return answer.outputs, answer.tests


def failed(answer: StepAnswer) -> tuple[Mapping[str, str], TestResults]:
    assert isinstance(answer, Broke), answer
    assert answer.tests, answer.evidence
    return answer.outputs, answer.tests


async def test_a_command_runs_in_the_files_of_its_commit_with_a_clean_environment(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAK", "1")
    commit = stage.repository.commit({"web/test.sh": b"cat kind; pwd -P; env | sort", "web/kind": b"old\n"})
    stage.repository.commit({"web/test.sh": b"echo new"})
    order = stage.testing_at(commit, "sh test.sh", workingDirectory="./web")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert passed(answer) == ({"exit_code": "0"}, TestResults(exit_code=0))
    assert lines[0] == "old"
    assert lines[1].endswith("/lives/1/checkout/web")
    seen = dict(line.split("=", 1) for line in lines[2:])
    assert (seen["WINDLASS_COMMIT"], seen["CI"]) == (commit, "true")
    assert "LEAK" not in seen
    assert Path(seen["TMPDIR"]).parent == Path(seen["HOME"]).parent
    assert "WINDLASS_OUTPUT" not in seen


async def test_a_command_that_fails_breaks_with_its_exit_code(stage: LocalStage) -> None:
    order = stage.testing("echo before; exit 7")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert failed(answer) == ({"exit_code": "7"}, TestResults(exit_code=7))
    seen = evidence(answer)
    assert (seen.phase, seen.kind, seen.exit_code) == ("deploy", "process", 7)
    assert seen.message == "the test command exited with 7"
    assert texts(seen.log_tail) == lines == ["before"]


async def test_a_shell_line_goes_on_as_with_sh_c(stage: LocalStage) -> None:
    passed(await stage.run(stage.testing("false\necho $UNHEARD_OF")))


async def test_reports_are_counted_whatever_the_exit_code(stage: LocalStage) -> None:
    order = stage.testing(f"{WRITES}; exit 1", results="reports/*.xml")
    answer = await stage.run(order)
    outputs, tests = failed(answer)
    assert outputs == {"exit_code": "1", **KNOWN}
    assert (tests.passed, tests.failed, tests.skipped) == (1, 1, 1)
    assert [(each.name, each.message) for each in tests.failures] == [("Cart.c", "no")]
    assert evidence(answer).message == "the test command exited with 1; 1 of 3 tests failed"
    assert evidence(answer).stated == "report"


async def test_the_exit_code_decides_and_not_the_reports(stage: LocalStage) -> None:
    outputs, tests = passed(await stage.run(stage.testing(WRITES, results="**/r.xml")))
    assert outputs == {"exit_code": "0", **KNOWN}
    assert tests.failed == 1


async def test_a_report_that_came_with_the_commit_does_not_count(stage: LocalStage) -> None:
    order = stage.testing("exit 1", {"reports/old.xml": REPORT.encode()}, results="reports/*.xml")
    answer = await stage.run(order)
    assert failed(answer)[0] == {"exit_code": "1"}
    assert evidence(answer).message == (
        "the test command exited with 1; the command wrote no file that matches 'reports/*.xml'"
    )


async def test_of_what_the_command_left_no_link_is_followed(stage: LocalStage) -> None:
    order = stage.testing("ln -s /etc/passwd a.xml; ln -s / b; mkfifo c.xml", results="**/*.xml")
    _, tests = passed(await stage.run(order))
    assert (tests.passed, tests.note) == (None, "the command wrote no file that matches '**/*.xml'")


async def test_a_summary_of_jest_is_read_from_the_output(stage: LocalStage) -> None:
    failure = "  \x1b[1m● \x1b[22mCart \u203a removes\n\n    no\n\n"
    printed = f"{failure}\x1b[1mTests: \x1b[22m1 failed, 2 passed, 3 total\n"
    order = stage.testing("cat printed; exit 1", {"printed": printed.encode()}, testType="jest")
    outputs, tests = failed(await stage.run(order))
    assert outputs == {"exit_code": "1", "tests_passed": "2", "tests_failed": "1", "tests_skipped": "0"}
    assert [(each.name, each.message) for each in tests.failures] == [("Cart \u203a removes", "no")]
    _, tests = passed(await stage.run(stage.testing("echo hello", testType="jest", id="other")))
    assert (tests.passed, tests.note) == (None, "no summary of jest's is at the end of the output")


@pytest.mark.parametrize(
    ("workdir", "why"),
    [
        pytest.param("gone", "the repository has no folder 'gone' at this commit", id="gone"),
        pytest.param("README", "the repository has no folder 'README' at this commit", id="a file"),
    ],
)
async def test_a_folder_that_is_not_there_is_named(stage: LocalStage, workdir: str, why: str) -> None:
    seen = evidence(await stage.run(stage.testing(NOTE, workingDirectory=workdir)))
    assert (seen.phase, seen.kind, seen.message) == ("deploy", "source", why)
    assert stage.started == []


async def test_a_folder_may_be_a_link_that_stays_inside(stage: LocalStage) -> None:
    stage.repository.git("read-tree", "--empty")
    stage.repository.stage("100644", b"here", "web/kind")
    stage.repository.stage("120000", b"web", "link")
    commit = stage.repository.commit_staged()
    order = stage.testing_at(commit, "cat kind", workingDirectory="link")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    passed(answer)
    assert lines == ["here"]


@pytest.mark.parametrize("target", ["/etc", "../../../.."])
async def test_a_repository_with_a_link_that_leads_out_is_not_checked_out(
    stage: LocalStage, target: str
) -> None:
    stage.repository.git("read-tree", "--empty")
    stage.repository.stage("120000", target.encode(), "out")
    commit = stage.repository.commit_staged()
    seen = evidence(await stage.run(stage.testing_at(commit, NOTE, workingDirectory="out")))
    assert seen.kind == "source"
    assert "the link 'out' leads out of the repository" in seen.message
    assert stage.started == []


class LinkedMirrors(FakeMirrors):
    """Mirrors that check out what the real ones refuse."""

    async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
        await super().checkout(remote, commit, folder)
        (folder / "out").symlink_to("/etc")


async def with_mirrors(stage: LocalStage, mirrors: FakeMirrors) -> StepOrder:
    repository = FakeRepository()
    stage.mirrors = mirrors
    await stage.restart_windlass()
    order = stage.testing_at(repository.commit({"README": b"a shop"}), NOTE)
    mirrors.remotes[order.remote] = repository
    return order


async def test_a_folder_that_leads_out_after_all_is_refused(stage: LocalStage) -> None:
    order = await with_mirrors(stage, LinkedMirrors())
    order.step.params["workingDirectory"] = "out"
    seen = evidence(await stage.run(order))
    assert (seen.kind, seen.message) == ("source", "the folder 'out' leads out of the repository")
    assert stage.started == []


async def test_a_commit_that_is_gone_is_told_as_a_matter_of_its_source(stage: LocalStage) -> None:
    stage.repository.commit({"README": b""})
    answer = await stage.run(stage.testing_at(Commit("0123456789" * 4), NOTE))
    seen = evidence(answer)
    assert (seen.phase, seen.kind) == ("deploy", "source")
    assert seen.message.startswith(f"commit {'0123456789' * 4} could not be checked out: ")
    assert isinstance(answer, Broke)
    assert answer.tests is None


async def test_a_remote_that_cannot_be_reached_now_is_asked_again(stage: LocalStage) -> None:
    mirrors = FakeMirrors()
    order = await with_mirrors(stage, mirrors)
    mirrors.remotes[order.remote].unreachable = TryAgain("no route to it")
    with pytest.raises(TryAgain, match="no route"):
        await stage.run(order)
    mirrors.remotes[order.remote].unreachable = None
    passed(await stage.run(order))
    assert stage.started == ["web"]


class SlowMirrors(FakeMirrors):
    """Mirrors whose remote does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def fetch_commit(self, remote: str, commit: Commit) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_a_command_called_off_while_its_commit_is_fetched_never_runs(stage: LocalStage) -> None:
    mirrors = SlowMirrors()
    order = await with_mirrors(stage, mirrors)
    called_off = asyncio.Event()
    running = asyncio.ensure_future(stage.run(order, called_off))
    await mirrors.asked.wait()
    called_off.set()
    assert await running == Stopped()
    assert await stage.discard(order) == Done()
    assert stage.started == []


async def test_a_command_that_is_called_off_is_stopped_with_all_it_started(stage: LocalStage) -> None:
    order = stage.testing(f"sleep 60 & {NOTE}; wait")
    called_off = asyncio.Event()
    running = asyncio.ensure_future(stage.run(order, called_off))
    await stage.until(lambda: stage.started == ["web"])
    leader = int((process(stage, order) / "group").read_text().split()[0])
    called_off.set()
    assert await running == Stopped()
    assert not is_alive(leader)


async def test_a_command_past_its_limit_has_no_exit_code(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.deployer.adapters.approval_testing.LIMIT_MARGIN_SECONDS", 0.1)
    answer = await stage.run(stage.testing(WAIT, timeout_seconds=0.1))
    assert failed(answer) == ({"exit_code": ""}, TestResults(exit_code=None))
    assert evidence(answer).kind == "timeout"


async def test_a_running_command_is_taken_up_by_the_next_life_with_every_line_once(
    stage: LocalStage,
) -> None:
    order = stage.testing(f"echo one; {NOTE}; {WAIT}; echo two; {WRITES}; exit 3", results="reports/*")
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["web"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.restart_windlass()
    running = asyncio.ensure_future(stage.run(order))
    reading = asyncio.ensure_future(stage.lines(order, 1))
    stage.gate.touch()
    assert failed(await running)[0] == {"exit_code": "3", **KNOWN}
    assert await reading == ["two"]
    assert stage.started == ["web"]


async def test_the_same_is_answered_after_the_checkout_is_gone(stage: LocalStage) -> None:
    order = stage.testing(f"{NOTE}; {WRITES}; exit 1", results="reports/*")
    first = await stage.run(order)
    await stage.discard(order)
    await stage.settled()
    life = process(stage, order).parent
    assert sorted(each.name for each in life.iterdir()) == ["process", "results", "script"]
    await stage.restart_windlass()
    assert await stage.run(order) == first
    assert stage.started == ["web"]


async def test_a_command_that_was_lost_is_interrupted_and_tells_nothing_of_tests(stage: LocalStage) -> None:
    order = stage.testing(f"{NOTE}; {WAIT}")
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["web"])
    for name in ("pid", "group"):
        os.kill(int((process(stage, order) / name).read_text().split()[0]), signal.SIGKILL)
    answer = await running
    assert evidence(answer).kind == "interrupted"
    assert isinstance(answer, Broke)
    assert answer.tests is None
    assert stage.started == ["web"]


async def test_hooks_and_filters_of_a_repository_start_nothing(stage: LocalStage) -> None:
    files = {
        ".gitattributes": b"* filter=evil\n",
        ".gitmodules": b'[submodule "a"]\n\tpath = a\n\turl = ext::sh -c "echo web >> notes"\n',
        ".githooks/post-checkout": b"#!/bin/sh\necho web >> notes",
    }
    order = stage.testing("cat .gitattributes; ls -A", files)
    for name in ("post-checkout", "upload-pack", "post-upload-pack"):
        hook = stage.repository.folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho hook >> {stage.notes}\n")
        hook.chmod(0o755)
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    passed(answer)
    assert lines == ["* filter=evil", ".gitattributes", ".githooks", ".gitmodules", "README"]
    assert stage.started == []


async def test_an_output_past_its_limit_is_cut_and_the_log_says_so(stage: LocalStage) -> None:
    order = stage.testing("head -c 30000000 /dev/zero | tr '\\0' x; echo end")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    passed(answer)
    assert lines[-1] == "windlass: 16777216 bytes of output are kept, the rest is left out"
    assert sum(map(len, lines)) < 16_777_216
