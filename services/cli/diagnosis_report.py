"""A failed run for people: where it stands, what it was, what says so, what follows, what to do.

Read from top to bottom at 80 columns, without colours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.cli import failure_words, probe_words, words
from services.cli.output import Document
from services.cli.paragraph import paragraph
from services.cli.run_words import KINDS

FAILED = frozenset({"Failed", "Timed Out"})
WENT_WELL = frozenset({"Succeeded", "Rolled Back", "Rolled Forward"})
BUILT_IN = frozenset({"clone", "detect", "build", "publish"})  # phases before anything runs in the stage
BACK: Mapping[str, str] = {
    "Not Started": "The stage is about to be rolled back to revision {restores}.",
    "Rolling Back": "The stage is being rolled back to revision {restores}.",
    "Rolled Back": "The stage was rolled back to revision {restores}.",
    "Failed": "The rollback to revision {restores} failed: `--run {run}` tells why.",
    "Timed Out": "The rollback to revision {restores} took too long: `--run {run}` tells more.",
}
BACK_ENDED = "The rollback to revision {restores} ended {state}."


def report(stage: Document, run: Document, later: Sequence[Document]) -> Iterator[str]:
    """Yield all that is known of a run that failed; `later` are the stage's runs since, the newest first."""
    yield from standing(stage)
    yield from _run(run)
    failure = run["failure"]
    yield from failure_words.found(failure) if failure else ("  It was not diagnosed yet: ask again soon.",)
    yield from _section("All of its output", (f"  {log_command(run)}",))
    for asked in unanswered(run):
        yield from _section(_asked(asked), probe_words.table(asked["rounds"]))
    target = diagnostics(run)
    if target is not None:
        yield from _section("What was found there at that moment", probe_words.on_the_target(target))
    yield from _section("What follows", (line for each in follows(stage, run, later) for line in _told(each)))
    yield from failure_words.to_do(failure) if failure else ()


def _asked(verification: Document) -> str:
    """Return what stands above the rounds of a verification."""
    of = f" of {verification['step']}" if verification["step"] else ""
    watched = ", and asked again while it was watched (soak)" if verification["soak"] == "failed" else ""
    return f"What was asked{of}{watched}; times in UTC"


def nothing(stage: Document, run: Document | None, revision: int | None) -> Iterator[str]:
    """Yield that there is nothing to diagnose: in the stage, of a revision, or of the run that was named."""
    yield from standing(stage)
    if run is not None:
        named = f"{run['run'][: words.ID_CHARACTERS]} of revision {run['revision']}"
        yield f"Run {named} has not failed: it is {run['state']}."
    elif revision is not None:
        yield f"No run of revision {revision} has failed here."
    else:
        yield "Nothing has failed here."


def standing(stage: Document) -> Iterator[str]:
    """Yield how the stage stands."""
    live = stage["live"]
    serves = f"revision {live['revision']} is live, for {_for(live['since'])}" if live else "nothing is live"
    yield f"{stage['pipeline']}/{stage['stage']} is {stage['status']}; {serves}."


def _run(run: Document) -> Iterator[str]:
    commit = f"{words.short(run['commit'])} {run['title']}".strip()
    yield ""
    about = f"{KINDS.get(run['kind'], run['kind'])} of revision {run['revision']} ({commit})"
    yield from paragraph(f"{run['state']}: {about}", "", "  ")
    yield f"  run        {run['run']}"
    worked = run["running_seconds"]
    after = "before it began" if worked is None else f"after {words.span(worked)} of work"
    yield f"  ended      {words.ago(run['finished_at'])}, {after}"
    for step in _failed_steps(run):
        yield f"  at step    {_name(step)}"
    if run["evidence"] and not _is_told(run):
        yield from paragraph(run["evidence"]["message"], "  seen       ")


def _failed_steps(run: Document) -> list[Document]:
    return [step for step in run["steps"] if step["state"] in FAILED]


def _name(step: Document) -> str:
    return str(step["name"] or step["step"])


def _is_told(run: Document) -> bool:
    """Tell whether the diagnosis shows our own sentence among its evidence."""
    message = run["evidence"]["message"]
    return bool(run["failure"]) and any(each["text"] == message for each in run["failure"]["evidence"])


@dataclass(frozen=True, slots=True)
class Follow:
    """Something that came of a failure, or that a person may do about it."""

    text: str
    commands: tuple[str, ...] = ()


def follows(stage: Document, run: Document, later: Sequence[Document]) -> Iterator[Follow]:
    """Yield what came of it, and what a person has to do if nothing goes on by itself."""
    for step in _failed_steps(run):
        if step["attempt"] > 1:
            yield Follow(f"{_name(step)} was attempted {step['attempt']} times.")
    back = next((each for each in later if each["rolls_back"] == run["run"]), None)
    if back is not None:
        yield Follow(BACK.get(back["state"], BACK_ENDED).format_map(back))
    if back is not None and any(hold["revision"] == run["revision"] for hold in stage["holds"]):
        yield Follow(f"Revision {run['revision']} is on hold here: a newer one goes past it.")
    better = next((each for each in later if each["state"] in WENT_WELL and each["kind"] != "rollback"), None)
    if better is not None:
        yield Follow(f"Since then revision {better['revision']} went well here ({better['state']}).")
    elif slots := [slot for slot in (stage["running"], *stage["waiting"]) if slot and _is_new(slot)]:
        yield Follow(f"Revision {slots[0]['revision']} is next here ({slots[0]['state']}).")
    elif back is None and run["failure"]:
        yield Follow(run["failure"]["follows"], _ways_on(stage, run))


def _is_new(slot: Document) -> bool:
    return bool(slot["kind"] != "rollback")


def _ways_on(stage: Document, run: Document) -> tuple[str, ...]:
    """Return what a person may type to go on from it."""
    is_last = stage["last"] is not None and stage["last"]["run"] == run["run"]
    if not is_last or run["rollback"] == "started":
        return ()
    ended = next((told for told in stage["why"] if told["about"] == "ended"), None)
    return tuple(each for each in ended["commands"] if _goes_on(each)) if ended else ()


def _goes_on(command: str) -> bool:
    return command.split()[1] not in {"logs", "diagnose"}


def _told(each: Follow) -> Iterator[str]:
    yield from paragraph(each.text)
    yield from (f"    {command}" for command in each.commands)


def unanswered(run: Document) -> list[Document]:
    """Return the verifications that did not pass, with what they asked."""
    return [each for each in run["verifications"] if each["passed"] is False and each["rounds"]]


def diagnostics(run: Document) -> Document | None:
    """Return what was found on the target when it failed; None: nobody looked."""
    found: Document | None = (run["evidence"] or {}).get("diagnostics")
    return found


def log_command(run: Document) -> str:
    """Return what prints all of its output."""
    command = f"windlass logs {run['pipeline']} {run['revision']}"
    if run["evidence"] and run["evidence"]["phase"] in BUILT_IN:
        return command
    return f"{command} --stage {run['stage']} --run {run['run'][: words.ID_CHARACTERS]}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield from ("", title, *told)


def _for(since: str) -> str:
    return words.ago(since).removesuffix(" ago")
