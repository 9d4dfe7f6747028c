"""What the end of a build shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.builder.build_run import (
    LOG_TAIL_BYTES_MAX,
    BuildOrder,
    bounded,
    ended_badly,
    lost,
    unpackable,
    unsourced,
)
from shared.events import LogLine
from shared.events.evidence import LOG_LINE_CHARACTERS_MAX, LOG_TAIL_LINES_MAX
from shared.ids import BuildKey, Commit, Pipeline
from shared.plan import ArtifactPlan
from shared.process import Exit

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ORDER = BuildOrder(
    attempt=2,
    pipeline=Pipeline("shop"),
    revision=7,
    remote="remote",
    commit=Commit("c" * 40),
    recipe=ArtifactPlan(
        id="web",
        name="Web",
        build_key=BuildKey("a" * 64),
        commands=("make",),
        path="dist",
        timeout_seconds=90,
    ),
)
ENDED = Exit(1, "", "exited", NOW, NOW + timedelta(seconds=3), "")


def line(text: str) -> LogLine:
    return LogLine(at=NOW, text=text)


@pytest.mark.parametrize(
    ("ended", "kind", "message"),
    [
        pytest.param(ENDED, "process", "exited with 1.", id="a code"),
        pytest.param(replace(ENDED, code=137), "process", "ended by SIGKILL.", id="a command killed"),
        pytest.param(replace(ENDED, code=200), "process", "exited with 200.", id="a high code"),
        pytest.param(replace(ENDED, code=153), "process", "a file it wrote passed", id="a huge file"),
        pytest.param(
            replace(ENDED, code=None, signal="SIGKILL"), "process", "by SIGKILL.", id="the shell killed"
        ),
        pytest.param(
            replace(ENDED, code=None, signal="SIGTERM", reason="limit"),
            "timeout",
            "did not end within 90 s",
            id="the limit",
        ),
        pytest.param(
            replace(ENDED, code=None, signal="SIGTERM", reason="stopped"),
            "interrupted",
            "other than Windlass",
            id="the machine shut down",
        ),
        pytest.param(
            replace(ENDED, code=None, reason="not_startable", message="no /bin/sh"),
            "error",
            "could not be started: no /bin/sh.",
            id="nothing ran",
        ),
    ],
)
def test_an_exit_becomes_evidence(ended: Exit, kind: str, message: str) -> None:
    evidence = ended_badly(ORDER, ended, [line("make: *** [all] Error 1")])

    assert (evidence.phase, evidence.kind, evidence.what) == ("build", kind, "web")
    assert evidence.message.startswith("The build of web ")
    assert message in evidence.message
    assert (evidence.exit_code, evidence.signal) == (ended.code, ended.signal)
    assert evidence.finished_at == ended.finished_at
    assert [kept.text for kept in evidence.log_tail] == ["make: *** [all] Error 1"]


def test_other_ends_are_told_apart_by_phase_and_kind() -> None:
    facts = [
        lost(ORDER, []),
        unsourced(ORDER, "no such commit"),
        unpackable(ORDER, "dist is not there", ENDED),
        unpackable(ORDER, "dist is not there", None),
    ]

    assert [(fact.phase, fact.kind) for fact in facts] == [
        ("build", "interrupted"),
        ("clone", "source"),
        ("build", "artifact"),
        ("build", "artifact"),
    ]
    assert "dist is not there" in facts[2].message


def test_each_attempt_has_a_workspace_of_its_own() -> None:
    assert ORDER.name == "a" * 64 + "-2"


def test_a_build_key_that_is_no_hash_never_becomes_a_path() -> None:
    recipe = ORDER.recipe.model_copy(update={"build_key": BuildKey("../../etc")})

    with pytest.raises(AssertionError):
        assert replace(ORDER, recipe=recipe).name


def test_a_tail_keeps_the_last_lines_and_cuts_long_ones() -> None:
    tail = bounded([line(str(number)) for number in range(150)] + [line("x" * 9_000)])

    assert len(tail) == LOG_TAIL_LINES_MAX
    assert tail[0].text == "51"
    assert len(tail[-1].text) == LOG_LINE_CHARACTERS_MAX


def test_a_tail_of_wide_characters_still_fits_into_an_event() -> None:
    tail = bounded([line("\N{ANCHOR}" * 2_000)] * 90 + [line("the end")])

    assert tail[-1].text == "the end"
    assert 1 < len(tail) < 90
    assert sum(len(kept.text.encode()) for kept in tail) <= LOG_TAIL_BYTES_MAX


def test_a_build_that_said_nothing_has_an_empty_tail() -> None:
    assert bounded([]) == ()
