"""What took effect, as the effects themselves tell it, and what that proves. Knows nothing of Windlass.

A ledger is one pipeline's; its lines stand in the order in which they were written, which no clock and
no table of ours had a say in. Their times are of one clock (CLOCK_MONOTONIC), so that also those of
different processes compare.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

BUILD = "build"
NO_STAGE = "-"


@dataclass(frozen=True)
class Shape:
    """What a pipeline does at each push."""

    name: str
    stages: tuple[str, ...]  # in promotion order
    steps: tuple[str, ...]  # of each stage, in order
    serves: str = ""  # the step among them that starts a release: it begins, and goes on
    built: bool = False  # an artifact is built before the first stage's first step


@dataclass(frozen=True)
class Effect:
    """One line."""

    pipeline: str
    stage: str
    commit: str
    revision: int
    step: str
    attempt: str
    moment: str  # begin, end
    at: int  # nanoseconds
    place: int  # in the ledger

    @property
    def did(self) -> tuple[str, str]:
        return self.step, self.moment


@dataclass(frozen=True)
class Passage:
    """All that one commit did in one stage."""

    stage: str
    commit: str
    effects: tuple[Effect, ...]

    @property
    def began(self) -> Effect:
        return self.effects[0]

    @property
    def ended(self) -> Effect:
        return self.effects[-1]

    def __str__(self) -> str:
        return f"revision {self.began.revision} ({self.commit[:8]}) in {self.stage}"


def read(text: str) -> list[Effect]:
    """Return the ledger's lines."""
    effects = []
    for place, line in enumerate(text.splitlines()):
        pipeline, stage, commit, revision, step, attempt, moment, at = line.split(" ")
        effects.append(Effect(pipeline, stage, commit, int(revision), step, attempt, moment, int(at), place))
    return effects


def wrongs(shape: Shape, effects: Sequence[Effect], pushed: Sequence[str]) -> list[str]:
    """Return every way in which the effects break a promise, given the commits pushed, oldest first.

    The faults are over, and the pipeline is at rest.
    """
    stages = {stage: _passages(effects, stage) for stage in shape.stages}
    found = [
        *_strange(shape, effects, pushed),
        *_renumbered(effects),
        *_built(shape, effects, stages[shape.stages[0]]),
    ]
    for stage, passages in stages.items():
        for passage in passages:
            found += _once(shape, passage)
        found += _apart(passages)
        found += _forwards(passages, pushed)
        found += _arrived(stage, passages, pushed)
    for earlier, later in pairwise(shape.stages):
        found += _promoted(stages[earlier], stages[later])
    return [f"{shape.name}: {each}" for each in found]


def _passages(effects: Sequence[Effect], stage: str) -> list[Passage]:
    """Return what each commit did in a stage, by when it began."""
    by_commit: dict[str, list[Effect]] = {}
    for effect in effects:
        if effect.stage == stage:
            by_commit.setdefault(effect.commit, []).append(effect)
    return [Passage(stage, commit, tuple(own)) for commit, own in by_commit.items()]


def _expected(shape: Shape) -> list[tuple[str, str]]:
    moments = {step: ("begin",) if step == shape.serves else ("begin", "end") for step in shape.steps}
    return [(step, moment) for step in shape.steps for moment in moments[step]]


def _once(shape: Shape, passage: Passage) -> Iterator[str]:
    """Each step took effect once, in order, and whoever began came to the end (S4)."""
    did = [effect.did for effect in passage.effects]
    if did != _expected(shape):
        told = " ".join(f"{step}.{moment}" for step, moment in did)
        yield f"{passage} did not take effect once and in order, but: {told}"
    if any(after.at < before.at for before, after in pairwise(passage.effects)):
        yield f"{passage}: the times of its effects contradict their order"


def _apart(passages: Sequence[Passage]) -> Iterator[str]:
    """No two runs of a stage at one time (S1)."""
    for before, after in pairwise(passages):
        if after.began.place < before.ended.place or after.began.at < before.ended.at:
            overlap = (before.ended.at - after.began.at) / 1e6
            yield f"{after} began {overlap:.1f} ms before {before} had ended"


def _forwards(passages: Sequence[Passage], pushed: Sequence[str]) -> Iterator[str]:
    """The deployed commit never goes backwards (S5)."""
    order = {commit: place for place, commit in enumerate(pushed)}
    for before, after in pairwise(passages):
        if order.get(after.commit, 0) <= order.get(before.commit, 0):
            yield f"{after} came after {before}, which was pushed later"
        if after.began.revision <= before.began.revision:
            yield f"{after} came after {before}: the number went backwards"


def _arrived(stage: str, passages: Sequence[Passage], pushed: Sequence[str]) -> Iterator[str]:
    """The newest commit is what is there in the end (L1)."""
    if not pushed:
        return
    last = passages[-1].commit if passages else "nothing"
    if last != pushed[-1]:
        yield f"the last commit pushed, {pushed[-1][:8]}, is not what came to {stage} last: {last[:8]} is"


def _promoted(earlier: Sequence[Passage], later: Sequence[Passage]) -> Iterator[str]:
    """Nothing enters a stage before it has been through the one before."""
    through = {passage.commit: passage for passage in earlier}
    for passage in later:
        before = through.get(passage.commit)
        if before is None:
            yield f"{passage}, which never was in the stage before"
        elif before.ended.place > passage.began.place or before.ended.at > passage.began.at:
            yield f"{passage} began before it had ended in {before.stage}"


def _built(shape: Shape, effects: Sequence[Effect], first: Sequence[Passage]) -> Iterator[str]:
    """What is deployed was built once, before; nothing is built twice."""
    builds: dict[str, list[Effect]] = {}
    for effect in effects:
        if effect.stage == NO_STAGE:
            builds.setdefault(effect.commit, []).append(effect)
    for commit, own in builds.items():
        did = [effect.did for effect in own]
        if did != [(BUILD, "begin"), (BUILD, "end")]:
            yield f"{commit[:8]} was not built once, but: {' '.join(moment for _, moment in did)}"
    for passage in first if shape.built else ():
        build = builds.get(passage.commit)
        if build is None or build[-1].place > passage.began.place:
            yield f"{passage} began before it was built"


def _renumbered(effects: Sequence[Effect]) -> Iterator[str]:
    """A commit is one revision (S3)."""
    numbers: dict[str, set[int]] = {}
    for effect in effects:
        numbers.setdefault(effect.commit, set()).add(effect.revision)
    for commit, own in numbers.items():
        if len(own) > 1:
            yield f"{commit[:8]} was carried out as revisions {sorted(own)}"


def _strange(shape: Shape, effects: Sequence[Effect], pushed: Sequence[str]) -> Iterator[str]:
    """Only what was pushed takes effect, and only where it belongs."""
    known, places = set(pushed), {*shape.stages, NO_STAGE}
    for effect in effects:
        if effect.commit not in known or effect.stage not in places or effect.pipeline != shape.name:
            yield f"{effect.pipeline} {effect.stage} {effect.commit[:8]}: nobody asked for that"
