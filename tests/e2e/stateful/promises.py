"""What must hold of a pipeline that is at rest, as the API shows it."""

from collections.abc import Iterator
from itertools import chain

import httpx

from tests.e2e.stateful.berth import Asked, Berth
from tests.e2e.stateful.port import Document
from tests.e2e.stateful.story import GOOD, HOLDING, STAGES, Run

WORDS_MIN = 3  # of a sentence that says why, and what would be possible
PAGE = 100


def answered(berth: Berth, asked: Asked) -> None:
    """An operation has one answer, everywhere the same; where it is known which, it is that."""
    ((answer, message),) = berth.story.answers[asked.id]
    told = (asked.answer["answer"], asked.answer["message"])
    assert told in {(answer, message), ("pending", "")}, f"{asked} is {answer}: {message}"
    shown = berth.port.get(f"operations/{asked.id}", min_position=berth.position)
    assert (shown["answer"], shown["message"]) == (answer, message)
    if answer == "refused":
        assert len(message.split()) >= WORDS_MIN, f"{asked} is refused with {message!r}"
    started = asked.answer["started"]
    assert started is None or started in berth.story.runs, f"{asked} started a run that there is not"
    berth.port.tally.add(berth.port.tally.answers, f"{asked.operation} {answer}")


def as_expected(asked: Asked, answer: str) -> None:
    """An operation that was asked for at rest is answered as the documents say."""
    if asked.expected is not None:
        expected = "accepted" if asked.expected else "refused"
        assert answer == expected, f"{asked.operation} in {asked.stage} is {answer}, not {expected}: {asked}"


def shows_the_story(berth: Berth) -> None:
    """The stages are shown as their events make them, and whatever waits says why (L2)."""
    shown = berth.shown()

    def differs() -> str:
        nonlocal shown
        found = list(chain.from_iterable(_differences(berth, stage, shown[stage]) for stage in STAGES))
        if found:
            shown = berth.shown()
            found = list(chain.from_iterable(_differences(berth, stage, shown[stage]) for stage in STAGES))
        return "; ".join(found)

    berth.follow(differs)
    for stage in STAGES:
        _says_why(shown[stage])


def _differences(berth: Berth, name: str, shown: Document) -> Iterator[str]:
    story = berth.story
    here, holder = story.stages[name], story.holder(name)
    running, live = shown["running"], shown["live"]
    seen = {
        "running": (running["run"], running["revision"], running["state"]) if running else None,
        "waiting": {slot["run"] for slot in shown["waiting"]},
        "live": live["revision"] if live else None,
        "holds": {hold["revision"] for hold in shown["holds"]},
        "stopped": bool(shown["stops"]),
        "blocked": {each["name"] for each in shown["blockers"] if each["ends_at"] is None},
    }
    told = {
        "running": (holder.id, holder.revision, holder.state) if holder else None,
        "waiting": {run.id for run in story.open_runs(name) if run.state not in HOLDING},
        "live": here.live,
        "holds": here.holds,
        "stopped": story.stopped(name),
        "blocked": {blocker for blocker, ends in here.blockers.items() if not ends},
    }
    for what, value in told.items():
        if seen[what] != value:
            yield f"{name}: {what} is shown as {seen[what]} and told as {value}"


def _says_why(shown: Document) -> None:
    assert shown["why"], f"{shown['stage']} does not say how it stands"
    for slot in shown["waiting"]:
        wait = slot["wait"] or {}
        lacking = {name for name in ("reason", "blocked_by", "released_by", "since") if not wait.get(name)}
        assert not lacking, f"L2: revision {slot['revision']} waits in {shown['stage']} without {lacking}"


def unchanged(berth: Berth, kept: dict[str, tuple[str, Document]], runs: list[Run]) -> None:
    """A run that is over is shown as it was when it ended, for ever (S2)."""
    for run in runs:
        tag, first = kept.get(run.id, ("", {}))
        answer = berth.port.operator.get(
            f"/api/v1/runs/{run.id}",
            params={"min_position": berth.position},
            headers={"If-None-Match": tag} if tag else {},
        )
        if tag:
            now = answer.json() if answer.status_code == httpx.codes.OK else None
            assert answer.status_code == httpx.codes.NOT_MODIFIED, f"S2: {first} became {now}"
            continue
        assert answer.status_code == httpx.codes.OK, answer.text
        document = answer.json()
        assert (document["final"], document["state"]) == (True, run.state)
        failed = run.state in {"Failed", "Timed Out"}
        assert not failed or document["failure"], f"{run} has no diagnosis"
        kept[run.id] = (answer.headers["etag"], document)
        berth.port.tally.add(berth.port.tally.ends, run.state)


def told_in_history(berth: Berth, newest: int = 0) -> None:
    """The audit trail has every operation with its answer; `newest`: look no further back than that."""
    found: dict[str, str] = {}
    page = berth.port.get(
        f"pipelines/{berth.pipeline}/history", limit=newest or PAGE, min_position=berth.position
    )
    entries = page["entries"]
    while page["next"] and not newest:
        page = berth.port.get(f"pipelines/{berth.pipeline}/history", limit=PAGE, cursor=page["next"])
        entries += page["entries"]
    for entry in entries:
        if entry["operation"]:
            found[entry["operation"]["operation"]] = entry["operation"]["answer"]
    asked = berth.asked[-1:] if newest else berth.asked
    missing = [each for each in asked if found.get(each.id) != berth.story.answers[each.id][0][0]]
    assert not missing, f"history does not have {missing}: {found}"
    if not newest:
        assert len(found) == len({each.id for each in berth.asked}), "history has what nobody asked for"
        _goes_back_by_rollbacks_alone(entries)


def _goes_back_by_rollbacks_alone(entries: list[Document]) -> None:
    """What the trail says of good ends never goes to an older revision but by a rollback (S5)."""
    live: dict[str, int] = {}
    for entry in reversed(entries):
        if entry["what"] == "run.succeeded":
            before = live.get(entry["stage"], 0)
            back = entry["text"].endswith("Rolled Back")
            assert back or entry["revision"] > before, f"S5: {entry} after revision {before}"
            live[entry["stage"]] = entry["revision"]


def newest_is_live(berth: Berth) -> None:
    """The newest revision is deployed in the first stage, if it can be and nobody was against it (L1)."""
    story, good = berth.story, {push.commit for push in berth.pushes if push.kind != "bad"}
    newest = max(story.revisions)
    runs = [run for run in story.runs.values() if run.stage == STAGES[0] and run.revision == newest]
    called_off = any(run.state == "Cancelled" for run in runs) or newest in story.stages[STAGES[0]].holds
    passed = any(run.state in GOOD for run in runs)  # and then a rollback took it away, and it was released
    if story.revisions[newest] in good and not called_off and not passed:
        raise AssertionError(f"L1: revision {newest}, the newest, never came to {STAGES[0]}: {runs}")
