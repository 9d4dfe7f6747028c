"""What must hold of every step of the model: DESIGN's promises, as far as they are about stages.

Each is asked of one step: how it was, what was told on the way, how it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from services.deployer.run_state import HOLDS_LOCK, LIVE, TERMINAL, UNSTARTED, State
from tests.model.world import STAGES, Stage, Told, World

Promise = Callable[[World, Sequence[Told], World], Iterator[str]]


def one_run_holds_a_stage(_before: World, _told: Sequence[Told], after: World) -> Iterator[str]:
    """S1; and one run waits, but for a line."""
    for s, stage in enumerate(after.stages):
        own = [run.state for run in stage.own if run]
        held = [
            state for state in (*own, stage.urgent.state if stage.urgent else None) if state in HOLDS_LOCK
        ]
        if len(held) > 1:
            yield f"stage {s} is held by {len(held)} runs"
        if stage.queue == "newest" and len(stage.waiting) > 1:
            yield f"two runs wait for stage {s}"


def what_is_final_stays(before: World, _told: Sequence[Told], after: World) -> Iterator[str]:
    """S2; a retry is another run in its place."""
    for s in STAGES:
        for was, now in zip(before.stages[s].own, after.stages[s].own, strict=True):
            if was and was.state in TERMINAL and now != was and not (now and now.kind == "retry"):
                yield f"a run of stage {s} was {was.state} and is {now}"


def the_commit_goes_forward(before: World, told: Sequence[Told], _after: World) -> Iterator[str]:
    """S5; a rollback is what may go back, and what it went back from does not return by itself."""
    live = [stage.live for stage in before.stages]
    for each in told:
        if each.what == "ended" and each.state in LIVE:
            live[each.stage] = each.revision
        if each.what != "started" or each.kind == "rollback":
            continue
        if each.revision < live[each.stage]:
            yield f"revision {each.revision} starts in stage {each.stage}, where {live[each.stage]} is live"
        if each.revision in before.stages[each.stage].held:
            yield f"revision {each.revision} starts in stage {each.stage}, which it is kept out of"


def no_promotion_is_lost(_before: World, _told: Sequence[Told], after: World) -> Iterator[str]:
    """L1, now: what is good in a stage has come to the next, or something newer that did took its place."""
    first, second = after.stages
    for revision in first.good:
        run = second.own[revision - 1]
        assert run, "a planned revision has a run in each stage"
        came = second.newest >= revision
        if (run.state in UNSTARTED and not run.ready) or (run.state is State.SUPERSEDED and not came):
            yield f"revision {revision} is good in stage 0 and {run.state} in stage 1, which it never came to"


def nothing_gets_past_the_stage_before(_before: World, told: Sequence[Told], after: World) -> Iterator[str]:
    """Whatever a person asks for: what begins in the second stage has ended well in the first."""
    for each in told:
        if each.what == "started" and each.stage and each.revision not in after.stages[0].good:
            yield f"revision {each.revision} starts in stage 1, and never came through stage 0"


def only_something_newer_takes_a_place(_before: World, told: Sequence[Told], _after: World) -> Iterator[str]:
    """Or another run of the same revision."""
    for each in told:
        same = each.by == each.revision and each.by_kind == each.kind
        if each.what == "superseded" and (each.by < each.revision or same):
            yield f"revision {each.revision} gave way in stage {each.stage} to {each.by}"


def a_line_is_kept(before: World, told: Sequence[Told], after: World) -> Iterator[str]:
    """L1 where every commit is deployed: none that is ready is passed by, but for what a person asks for."""
    for s in STAGES:
        was, now = before.stages[s], after.stages[s]
        if not was.queue == now.queue == "fifo":
            continue
        begun = {each.revision for each in told if each.stage == s and each.what == "started"} | {was.newest}
        for each in told:
            if each.stage != s or each.kind == "rollback":
                continue
            passed = [r for r in was.waiting if r in now.waiting and r < each.revision]
            if each.what == "started" and each.kind != "roll_forward" and passed:
                yield f"revision {each.revision} starts in stage {s} before {passed}"
            early = each.revision in was.waiting or (s == 0 and each.by not in begun)
            if each.what == "superseded" and each.by_kind != "roll_forward" and early:
                yield f"revision {each.revision} is passed by in stage {s}, by {each.by}"


def nobody_waits_for_nothing(_before: World, _told: Sequence[Told], after: World) -> Iterator[str]:
    """L1, in the end: a free stage that is open has begun whatever is next."""
    for s, stage in enumerate(after.stages):
        if stage.holder is None and (stage.is_taken_over or (stage.waiting and not stage.stopped)):
            yield f"stage {s} is free and open, and yet something waits for it"


def a_stop_is_kept(before: World, told: Sequence[Told], after: World) -> Iterator[str]:
    """What a person stopped begins nothing but what repairs."""
    for each in told:
        stopped = before.stages[each.stage].stopped and after.stages[each.stage].stopped
        if each.what == "started" and each.kind != "rollback" and stopped:
            yield f"revision {each.revision} starts in stage {each.stage}, which is stopped"


def only_what_began_is_held(before: World, _told: Sequence[Told], after: World) -> Iterator[str]:
    """A rollback goes back from something that acted on the stage."""
    for s in STAGES:
        for revision in after.stages[s].held - before.stages[s].held:
            if not _acted(before.stages[s], revision):
                yield f"stage {s} keeps revision {revision} out, which never ran there"


def _acted(stage: Stage, revision: int) -> bool:
    begun = stage.begun is not None and stage.begun.revision == revision
    held = stage.holder is not None and stage.holder.revision == revision
    return begun or held or revision in stage.good


PROMISES: Mapping[str, Promise] = {
    "S1": one_run_holds_a_stage,
    "S2": what_is_final_stays,
    "S5": the_commit_goes_forward,
    "L1, promotions": no_promotion_is_lost,
    "L1, lines": a_line_is_kept,
    "the way": nothing_gets_past_the_stage_before,
    "superseding": only_something_newer_takes_a_place,
    "L1, waiting": nobody_waits_for_nothing,
    "stops": a_stop_is_kept,
    "holds": only_what_began_is_held,
}


def broken_by(before: World, told: Sequence[Told], after: World) -> list[str]:
    """Return what a step broke."""
    return [f"{name}: {what}" for name, promise in PROMISES.items() for what in promise(before, told, after)]
