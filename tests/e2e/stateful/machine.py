"""What people, forges and monitors do to one pipeline, in any order that Hypothesis thinks of."""

from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.e2e.stateful import nonsense, promises
from tests.e2e.stateful.berth import Asked, Berth, new_berth
from tests.e2e.stateful.expectation import EXPECTED, OVERRIDE_HOURS_MAX
from tests.e2e.stateful.port import Document, Port, refusal
from tests.e2e.stateful.story import BAD, STAGES, WHOLE

FIRST, LAST = STAGES
KINDS = st.sampled_from(("bad", "held", "good", "bad in production", "held", "good"))
STAGE = st.sampled_from(STAGES)
SCOPE = st.sampled_from((*STAGES, WHOLE))
REVISION = st.sampled_from((0, 0, 1, 2, 3, 99))  # nought: none is named
RECENT = 2  # runs that are looked at again after each step
LATELY = 15  # entries of the audit trail that are looked at after each step
BURST_MAX = 4
AT_ONCE: tuple[tuple[str, str, Document], ...] = (
    (FIRST, "cancel", {}),
    (LAST, "cancel", {}),
    (FIRST, "retry", {}),
    (FIRST, "rollback", {}),
    (LAST, "rollback", {}),
    (FIRST, "roll-forward", {}),
    (LAST, "approve", {}),
    (LAST, "reject", {}),
    (FIRST, "stop", {}),
    (FIRST, "resume", {}),
    (WHOLE, "stop", {}),
    (WHOLE, "resume", {}),
)


class Voyage(RuleBasedStateMachine):
    """One pipeline's life."""

    where: Port

    def __init__(self) -> None:
        super().__init__()
        self.port = self.where
        self.kept: dict[str, tuple[str, Document]] = {}  # runs that are over, as they were first seen so
        self.berth: Berth
        self.sound = False  # nothing has failed yet

    @initialize(gated=st.booleans(), windowed=st.sampled_from((False, False, True)), kind=KINDS)
    def moor(self, gated: bool, windowed: bool, kind: str) -> None:
        self.berth = new_berth(self.port, gated=gated, windowed=windowed)
        self.port.tally.examples += 1
        for first in ("good", kind):
            self.berth.push(first)
            self.berth.settle()
        self.sound = True

    @rule(kind=KINDS)
    def push(self, kind: str) -> None:
        with Step(self):
            self.berth.push(kind)

    @rule(kind=KINDS)
    def push_two_of_which_the_older_comes_late(self, kind: str) -> None:
        with Step(self):
            older, newer = self.berth.commit("good"), self.berth.commit(kind)
            self.berth.push(kind, newer)
            self.berth.push("good", older)

    @rule(kinds=st.lists(KINDS, min_size=2, max_size=3))
    def push_several_at_once(self, kinds: list[str]) -> None:
        with Step(self):
            for kind in kinds:
                self.berth.push(kind)

    @rule(which=st.integers(0, 5), again=st.booleans())
    def deliver_again(self, which: int, again: bool) -> None:
        """The same push, by the same delivery or by another one, is the same push."""
        with Step(self):
            push = self.berth.pushes[which % len(self.berth.pushes)]
            answer = self.berth.deliver(push.commit, "" if again else f"another {self.port.tally.steps}")
            assert answer["push"] == push.answer["push"]

    @precondition(lambda self: self.berth.held)
    @rule()
    def let_go(self) -> None:
        """The step that waits for us ends well."""
        with Step(self):
            commit = next(iter(self.berth.held))
            self.berth.held.pop(commit).unlink()

    @precondition(lambda self: any(self.berth.story.open_runs(stage) for stage in STAGES))
    @rule(stage=STAGE, named=st.booleans())
    def cancel(self, stage: str, named: bool) -> None:
        runs = self.berth.story.open_runs(stage)
        self._ask(stage, "cancel", {"run": runs[-1].id} if named and runs else {})

    @precondition(lambda self: self._bad())
    @rule(stage=STAGE, from_failed_step=st.booleans())
    def retry(self, stage: str, from_failed_step: bool) -> None:
        self._ask(stage, "retry", {"from_failed_step": from_failed_step})

    @precondition(lambda self: self._bad())
    @rule(which=st.integers(0, 5), stage=st.sampled_from((FIRST, FIRST, LAST)))
    def retry_a_named_run(self, which: int, stage: str) -> None:
        bad = self._bad()
        self._ask(stage, "retry", {"run": bad[which % len(bad)]})

    @rule(stage=STAGE, revision=REVISION, dry_run=st.booleans())
    def roll_back(self, stage: str, revision: int, dry_run: bool) -> None:
        runs = len(self.berth.story.runs)
        self._ask(stage, "rollback", _to(revision) | ({"dry_run": True} if dry_run else {}))
        assert not dry_run or len(self.berth.story.runs) == runs, "a preview began something"

    @precondition(lambda self: max(self.berth.story.revisions) > (self.berth.story.stages[LAST].live or 0))
    @rule(stage=STAGE, revision=REVISION)
    def roll_forward(self, stage: str, revision: int) -> None:
        self._ask(stage, "roll-forward", _to(revision))

    @rule(scope=SCOPE)
    def stop(self, scope: str) -> None:
        self._ask(scope, "stop", {})
        assert self.berth.story.stops >= {scope}

    @precondition(lambda self: self.berth.story.stops)
    @rule(scope=SCOPE)
    def resume(self, scope: str) -> None:
        self._ask(scope, "resume", {})
        assert scope not in self.berth.story.stops

    @precondition(lambda self: any(run.gates for run in self.berth.story.open_runs(LAST)))
    @rule(
        stage=st.sampled_from((LAST, LAST, FIRST)),
        operation=st.sampled_from(("approve", "approve", "reject")),
        shown=st.sampled_from(("", "seen", "stale")),
    )
    def answer_at_the_gate(self, stage: str, operation: str, shown: str) -> None:
        holder = self.berth.story.holder(stage)
        seen = next(iter(holder.shown.values()), "") if holder else ""
        said = {"seen": {"shown": seen} if seen else {}, "stale": {"shown": "5b0f"}}.get(shown, {})
        self._ask(stage, operation, said)

    @precondition(lambda self: any(here.holds for here in self.berth.story.stages.values()))
    @rule(stage=STAGE, revision=REVISION)
    def release_hold(self, stage: str, revision: int) -> None:
        self._ask(stage, "release-hold", _to(revision))

    @rule(state=st.sampled_from(("firing", "firing", "clear", "unknown")))
    def alarm(self, state: str) -> None:
        with Step(self):
            self.berth.tell_alarm(state)

    @precondition(lambda self: any(here.blockers for here in self.berth.story.stages.values()))
    @rule(stage=STAGE, named=st.booleans())
    def lift_blocker(self, stage: str, named: bool) -> None:
        self._ask(stage, "lift-blocker", {"blocker": f"alarm {self.berth.alarm}"} if named else {})

    @precondition(lambda self: self.berth.story.shut(LAST))
    @rule(stage=STAGE, hours=st.sampled_from((1, OVERRIDE_HOURS_MAX)))
    def override_window(self, stage: str, hours: int) -> None:
        self._ask(stage, "override-window", {"hours": hours})

    @rule(scope=SCOPE, operation=st.sampled_from(sorted(EXPECTED)))
    def ask_for_what_may_well_be_impossible(self, scope: str, operation: str) -> None:
        scope = scope if operation in {"stop", "resume"} or scope != WHOLE else LAST
        said = {"override-window": {"hours": OVERRIDE_HOURS_MAX}, "roll-forward": {"revision": 1}}
        self._ask(scope, operation, said.get(operation, {}))

    @precondition(lambda self: self.berth.asked)
    @rule(which=st.integers(0, 5))
    def ask_the_same_again(self, which: int) -> None:
        """The same key with the same request asks once; with another request it is refused."""
        with Step(self):
            berth, asked = self.berth, self.berth.asked[-1 - which % len(self.berth.asked)]
            path, requests = berth.path(asked.stage, asked.operation), len(berth.story.asked)
            again = berth.post(path, asked.said, asked.key)
            ((answer, message),) = berth.story.answers[asked.id]
            document = again.json()
            assert (again.status_code, document["operation"]) == (httpx.codes.ACCEPTED, asked.id)
            assert (document["answer"], document["message"]) == (answer, message)
            refusal(berth.post(path, asked.said | {"reason": "for another reason"}, asked.key))
            berth.settle()
            assert len(berth.story.asked) == requests

    @rule(which=st.lists(st.sampled_from(sorted(nonsense.BY_NAME)), min_size=2, max_size=4))
    def make_no_sense(self, which: list[str]) -> None:
        with Step(self):
            for name in which:
                nonsense.BY_NAME[name].send(self.berth)
            requests = len(self.berth.story.asked)
            self.berth.settle()
            assert len(self.berth.story.asked) == requests

    @rule(chosen=st.lists(st.sampled_from(AT_ONCE), min_size=2, max_size=BURST_MAX), kind=KINDS)
    def do_much_at_once(self, chosen: list[tuple[str, str, Document]], kind: str) -> None:
        """Nobody waits for an answer; there is no telling which each will be."""
        with Step(self):
            self.berth.push(kind)
            burst = [self._send(stage, operation, said, 0) for stage, operation, said in chosen]
            self.berth.settle()
            for asked in burst:
                promises.answered(self.berth, asked)

    @invariant()
    def keeps_its_promises(self) -> None:
        if not self.sound:
            return
        self.sound = False
        promises.shows_the_story(self.berth)
        over = [run for run in self.berth.story.runs.values() if run.final]
        fresh = [run for run in over if run.id not in self.kept]
        promises.unchanged(self.berth, self.kept, [*over[-RECENT:], *fresh])
        if self.berth.asked:
            promises.told_in_history(self.berth, newest=LATELY)
        self.sound = True

    def teardown(self) -> None:
        """Release all there is; in the end the newest is deployed, and nothing was forgotten."""
        if not hasattr(self, "berth"):
            return
        try:
            if self.sound:
                self._ends_well()
            self.port.tally.events += self.berth.story.events
        finally:
            self.berth.close()

    def _bad(self) -> list[str]:
        """Return the runs that ended badly."""
        return [run.id for run in self.berth.story.runs.values() if run.state in BAD]

    def _ask(self, stage: str, operation: str, said: Document) -> None:
        with Step(self):
            asked = self._send(stage, operation, said)
            self.berth.settle()
            promises.answered(self.berth, asked)
            promises.as_expected(asked, self.berth.story.answers[asked.id][0][0])

    def _send(self, stage: str, operation: str, said: Document, wait_seconds: int = 20) -> Asked:
        reason = {"reason": f"step {self.port.tally.steps}"}
        return self.berth.ask(stage, operation, reason | said, wait_seconds)

    def _ends_well(self) -> None:
        self._release()
        promises.newest_is_live(self.berth)
        self.berth.push("good")
        self.berth.settle()
        self._approve_all()
        story, newest = self.berth.story, max(self.berth.story.revisions)
        live = {stage: here.live for stage, here in story.stages.items()}
        assert live == dict.fromkeys(STAGES, newest), f"L1: {live}, the newest is {newest}"
        promises.shows_the_story(self.berth)
        promises.unchanged(self.berth, self.kept, [run for run in story.runs.values() if run.final])
        promises.told_in_history(self.berth)
        decided = {push: len(decisions) for push, decisions in story.decided.items()}
        assert decided == dict.fromkeys((push.answer["push"] for push in self.berth.pushes), 1)

    def _release(self) -> None:
        """Take away all that people, alarms and the clock put in the way."""
        berth, story = self.berth, self.berth.story
        for held in berth.held.values():
            held.unlink()
        berth.held.clear()
        berth.settle()
        for stage in STAGES:
            for blocker in list(story.stages[stage].blockers):
                self._ask(stage, "lift-blocker", {"blocker": blocker})
            if story.shut(stage):
                self._ask(stage, "override-window", {"hours": 1})
        for scope in sorted(story.stops):
            self._ask(scope, "resume", {})
        self._approve_all()

    def _approve_all(self) -> None:
        while (holder := self.berth.story.holder(LAST)) and holder.gates:
            self._ask(LAST, "approve", {})


class Step:
    """One thing that is done: as long as it is not through, nothing is sound."""

    def __init__(self, voyage: Voyage) -> None:
        self.voyage = voyage

    def __enter__(self) -> None:
        self.voyage.sound = False
        self.voyage.port.tally.steps += 1

    def __exit__(self, *raised: object) -> None:
        if raised[0] is None:
            self.voyage.berth.settle()
            self.voyage.sound = True


def _to(revision: int) -> dict[str, Any]:
    return {"revision": revision} if revision else {}
