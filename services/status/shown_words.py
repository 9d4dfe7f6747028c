"""What people are shown, in words: tests, proposed changes, pipeline files, rounds of probes. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.status.views import GateView, HeldDefinition, StepTests, VerificationProgress
from shared.events import ProposedChanges, TestResults

TOLD_MAX = 5  # failures or changes in one explanation; the documents have the others


def passed(tests: TestResults) -> bool:
    """Tell whether the test command ended well."""
    return tests.exit_code == 0


def results_in_words(tests: TestResults) -> str:
    """Return what the tests came to."""
    ended = "was ended" if tests.exit_code is None else f"ended with exit code {tests.exit_code}"
    if tests.passed is None and tests.failed is None:
        return f"the test command {ended}"
    failed, skipped = tests.failed or 0, tests.skipped or 0
    ran = (tests.passed or 0) + failed
    left_out = f", {skipped} skipped" if skipped else ""
    if failed:
        return f"{failed} of {_counted(ran, 'test')} failed{left_out}"
    said = f"all {_counted(ran, 'test')} passed{left_out}"
    return said if passed(tests) else f"{said}, and the test command {ended}"


def changes_in_words(changes: ProposedChanges) -> str:
    """Return what would be done to infrastructure."""
    warning = "; something is destroyed or replaced" if changes.destructive else ""
    return f"{changes.summary}{warning}"


def definition_in_words(held: HeldDefinition) -> str:
    """Return how many changes of the pipeline file wait."""
    return _counted(len(held.changes) + held.further, "change") + " of the pipeline file"


def gate_details(gate: GateView) -> tuple[str, ...]:
    """Return what is shown at a gate, line by line."""
    lines: list[str] = []
    if gate.tests:
        lines += results_details(gate.tests)
    if gate.changes:
        lines += [f"It would change: {changes_in_words(gate.changes)}."]
        lines += _first(gate.changes.changes, len(gate.changes.changes), "change")
    return tuple(lines)


def definition_details(held: HeldDefinition) -> tuple[str, ...]:
    """Return the changes of the pipeline file, line by line."""
    return tuple(_first(held.changes, len(held.changes) + held.further, "change"))


def failing_details(failing: Sequence[StepTests]) -> tuple[str, ...]:
    """Return the tests that failed, line by line."""
    return tuple(f"Step {each.step}: {line}" for each in failing for line in results_details(each.tests))


def results_details(tests: TestResults) -> Iterator[str]:
    """Yield what tests came to, and the first that failed."""
    words = results_in_words(tests)
    yield f"{words[0].upper()}{words[1:]}."
    told = [f"{each.name}: {each.message}" if each.message else each.name for each in tests.failures]
    if tests.note:
        yield f"Its report: {tests.note}"
    yield from _first(told, max(tests.failed or 0, len(told)), "failure") if told else ()


def verification_details(verifying: Sequence[VerificationProgress]) -> tuple[str, ...]:
    """Return how far verifying has come, line by line; nothing of what was not looked at yet."""
    return tuple(_verifying(each) for each in verifying if each.rounds_made)


def rounds_in_words(good: int, made: int) -> str:
    """Return how many rounds of probes were good."""
    return f"{good} of {_counted(made, 'round')} good"


def clock(at: datetime) -> str:
    """Return an instant of a day as people read it."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def _verifying(progress: VerificationProgress) -> str:
    of = f" of step {progress.step}" if progress.step else ""
    rounds = rounds_in_words(progress.rounds_good, progress.rounds_made)
    last = f"; the last: {progress.problem}" if progress.problem else ""
    return f"Verification{of}: {rounds}{last}"


def _first(told: Sequence[str], count: int, what: str) -> Iterator[str]:
    yield from told[:TOLD_MAX]
    further = count - min(len(told), TOLD_MAX)
    if further > 0:
        yield f"and {_counted(further, f'further {what}')}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
