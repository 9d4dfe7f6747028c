"""APPROVAL:TEST: a command of the repository's own that tells whether the deployment is good.

In the folder of a life, see `local/run_to_end.py`:

    checkout/   the commit that is deployed
    home/       HOME
    tmp/        TMPDIR
    script      what is run
    before      which files that count as reports came with the commit
    results     what was found of tests when the command had ended
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from services.deployer import jest
from services.deployer.adapters.gateway.route import replace_file
from services.deployer.adapters.local.checkout import check_out, inside
from services.deployer.adapters.local.environment import environment
from services.deployer.adapters.local.evidence import Witness
from services.deployer.adapters.local.host import Host
from services.deployer.adapters.local.report_files import Gathered, Stamp, gather, stamps
from services.deployer.adapters.local.run_to_end import LIMIT_MARGIN_SECONDS
from services.deployer.report import Report
from services.deployer.step_order import Done, StepAnswer, StepOrder
from shared.artifacts.blocking import beside_the_loop
from shared.artifacts.folder import write_whole
from shared.crash import point
from shared.events import TestResults
from shared.events.shown import TEST_NOTE_CHARACTERS_MAX
from shared.process import Exit, ProcessSpec
from shared.step_types import ApprovalTest

JEST_LINES_MAX = 5_000  # of the end of the output: failures with their stacks, then the summary


@dataclass(frozen=True, slots=True)
class ApprovalTesting:
    """The command of APPROVAL:TEST."""

    host: Host

    @property
    def witness(self) -> Witness:
        """Return who tells how it broke."""
        return Witness("deploy", "the test command", self.host.processes, self.host.clock)

    @property
    def worked_with(self) -> Sequence[str]:
        """Return what in the folder is of no use once the end is answered for."""
        return ("checkout", "home", "tmp", "before")

    async def make_ready(self, order: StepOrder, life: Path) -> ProcessSpec:
        """Put everything there that the command needs; safe to repeat until it is started."""
        params = ApprovalTest.model_validate(order.step.params)
        own = {"CI": "true", "TMPDIR": str((life / "tmp").absolute()), **params.environmentVariables}
        env = environment(order, own, self.host.search_path, life / "home")
        for folder in ("home", "tmp"):
            (life / folder).mkdir(mode=0o700, exist_ok=True)
        await check_out(self.host, order, life / "checkout")
        cwd = inside(life / "checkout", params.workingDirectory)
        if params.results:
            there = await beside_the_loop(lambda _: stamps(life / "checkout", params.results))
            write_whole(life / "before", json.dumps(there).encode())
        write_whole(life / "script", f"{params.testCommand}\n".encode())
        return ProcessSpec(
            argv=("/bin/sh", str((life / "script").absolute())),
            cwd=cwd,
            env=env,
            limit_seconds=order.step.timeout_seconds + LIMIT_MARGIN_SECONDS,
        )

    async def answer(self, order: StepOrder, life: Path, end: Exit) -> StepAnswer:
        """Answer for an end; what was found is kept first, since the checkout is removed."""
        if end.reason == "not_startable":
            return self.witness.ended(order, life / "process", end)
        tests = _noted(life / "results")
        if tests is None:
            found = await self._found(order, life)
            tests = _results(end, found)
            replace_file(life / "results", tests.model_dump_json().encode())
            point("deployer.test.results_noted")
        if end.succeeded:
            return Done(_outputs(tests), tests)
        broke = self.witness.ended(order, life / "process", end, _told(tests))
        if tests.exit_code is not None and tests.failed:
            broke = replace(broke, evidence=broke.evidence.model_copy(update={"stated": "report"}))
        return replace(broke, outputs=_outputs(tests), tests=tests)

    async def _found(self, order: StepOrder, life: Path) -> Gathered:
        params = ApprovalTest.model_validate(order.step.params)
        if params.results:
            before = _before(life / "before")
            return await beside_the_loop(partial(_gathered, life / "checkout", params.results, before))
        if params.testType == "jest":
            return await beside_the_loop(lambda _: self._printed(life / "process"))
        return Gathered(None, "")

    def _printed(self, process: Path) -> Gathered:
        lines = self.host.processes.tail(process, JEST_LINES_MAX)
        report = jest.read([line.text for line in lines])
        return Gathered(report, "" if report else "no summary of jest's is at the end of the output")


def _gathered(
    checkout: Path, pattern: str, before: Mapping[str, Stamp], each: Callable[[], None]
) -> Gathered:
    return gather(checkout, pattern, before, each)


def _before(file: Path) -> Mapping[str, Stamp]:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return {path: (inode, at) for path, (inode, at) in json.loads(file.read_bytes()).items()}
    return {}


def _results(end: Exit, found: Gathered) -> TestResults:
    report = found.report
    return TestResults(
        exit_code=end.code if end.reason == "exited" else None,
        passed=report and report.passed,
        failed=report and report.failed,
        skipped=report and report.skipped,
        failures=report.failures if report else (),
        note=found.note[:TEST_NOTE_CHARACTERS_MAX],
    )


def _noted(file: Path) -> TestResults | None:
    """Return what an earlier life found; None when it did not come so far, or a power cut damaged it."""
    with suppress(FileNotFoundError, ValueError):
        return TestResults.model_validate_json(file.read_bytes())
    return None


def _outputs(tests: TestResults) -> Mapping[str, str]:
    counts = {"tests_passed": tests.passed, "tests_failed": tests.failed, "tests_skipped": tests.skipped}
    code = "" if tests.exit_code is None else str(tests.exit_code)
    return {"exit_code": code, **{name: str(count) for name, count in counts.items() if count is not None}}


def _told(tests: TestResults) -> str:
    """Return what goes on after how the command ended."""
    report = Report(tests.passed or 0, tests.failed or 0, tests.skipped or 0)
    counted = f"; {report.failed} of {report.total} tests failed" if report.failed else ""
    return f"{counted}; {tests.note}" if tests.note else counted
