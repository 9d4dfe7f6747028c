"""What people look at before they let a step go on."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.events.evidence import Fact

FAILED_TESTS_MAX = 20  # told of one attempt; the rest is in its output
TEST_MESSAGE_CHARACTERS_MAX = 500
TEST_NOTE_CHARACTERS_MAX = 1_000
CHANGES_TOLD_MAX = 100  # of one proposal
LINE_CHARACTERS_MAX = 500  # of a sentence that a stranger's program or file wrote


def one_line(text: str) -> str:
    """Return a stranger's words as one line that can be read: bounded, and nothing a terminal would obey."""
    cut = text if len(text) <= LINE_CHARACTERS_MAX else f"{text[: LINE_CHARACTERS_MAX - 1]}…"
    return "".join(mark if mark.isprintable() else " " for mark in cut).strip()


def _line(said: object) -> object:
    return one_line(said) if isinstance(said, str) else said


Line = Annotated[str, BeforeValidator(_line), Field(max_length=LINE_CHARACTERS_MAX)]


class FailedTest(Fact):
    """A test that failed, as its report says it."""

    name: str = Field(description="Its name")
    message: str = Field(
        default="", max_length=TEST_MESSAGE_CHARACTERS_MAX, description="What was expected and what was found"
    )


class TestResults(Fact):
    """How a test command ended, and what its report says if it wrote one."""

    __test__ = False  # pytest would take it for a test

    exit_code: int | None = Field(description="Of the command; null: it was ended from outside")
    passed: int | None = Field(default=None, description="How many passed; null: no report was found")
    failed: int | None = Field(default=None, description="How many failed; null: no report was found")
    skipped: int | None = Field(default=None, description="How many did not run; null: no report was found")
    failures: tuple[FailedTest, ...] = Field(
        default=(), max_length=FAILED_TESTS_MAX, description="The first that failed"
    )
    note: str = Field(
        default="", max_length=TEST_NOTE_CHARACTERS_MAX, description="What is missing in the report"
    )


class ProposedChanges(Fact):
    """What a step would do to infrastructure."""

    summary: Line = Field(description="In numbers", examples=["2 to add, 1 to change, 0 to destroy"])
    destructive: bool = Field(description="Whether something is destroyed or replaced")
    changes: tuple[Line, ...] = Field(
        default=(),
        max_length=CHANGES_TOLD_MAX,
        description="One by one",
        examples=[["replace aws_instance.web"]],
    )
    digest: str = Field(description="Of the proposal as it will be applied")

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would change."""
        return not self.changes
