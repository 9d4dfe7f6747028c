"""Runs in words: a line of a list, and all of one."""

from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime

from services.cli import approval_words, words
from services.cli.output import Cell, Document

COLUMNS = ("Run", "Revision", "Kind", "State", "Queued", "Waited", "Worked", "What")
STEP_COLUMNS = ("Step", "After", "State", "Worked", "Waited", "What")

GENERIC = "DEPLOYMENT_FAILED_GENERIC"  # says no more than that it failed
KINDS = {"deploy": "deploy", "retry": "retry", "rollback": "rollback", "roll_forward": "roll-forward"}
COUNTED: Mapping[str, frozenset[str]] = {  # what a step's time counts as while it is in that state
    "running": frozenset({"In Progress", "Applying"}),
    "waiting": frozenset({"Waiting", "Backing Off"}),
}
STYLES = {
    "Succeeded": "green",
    "Rolled Back": "green",
    "Rolled Forward": "green",
    "Failed": "red",
    "Timed Out": "red",
    "Cancelled": "magenta",
    "Superseded": "dim",
    "Skipped": "dim",
    "Not Started": "dim",
}


def row(run: Document) -> list[Cell]:
    """Return a run as a line of a list."""
    return [
        _short(run),
        f"{run['revision']} ({words.short(run['commit'])})",
        str(KINDS.get(run["kind"], run["kind"])),
        (run["state"], STYLES.get(run["state"], "yellow")),
        words.ago(run["queued_at"]),
        words.span(_waited(run)),
        words.span(_worked(run)),
        _what(run),
    ]


def _waited(run: Document) -> float:
    """Return what it waited in all, with the wait that goes on."""
    if run["started_at"] is None and not run["final"]:
        return words.seconds_since(run["queued_at"])
    seconds: float = (run["queued_seconds"] or 0.0) + run["waiting_seconds"]
    return seconds + (words.seconds_since(run["wait"]["since"]) if run["wait"] else 0.0)


def _worked(run: Document) -> float | None:
    """Return what it worked, until now if it goes on; None: it never began."""
    if run["final"] or run["started_at"] is None:
        seconds: float | None = run["running_seconds"]
        return seconds
    waited = _waited(run) - (run["queued_seconds"] or 0.0)
    return max(words.seconds_since(run["started_at"]) - waited, 0.0)


def _what(run: Document) -> str:
    if run["superseded_by_revision"]:
        return f"by revision {run['superseded_by_revision']}"
    if run["wait"]:
        return f"waits: {run['wait']['blocked_by']}"
    asked = f"asked for by {run['asked_by']}: {run['asked_reason']}" if run["asked_by"] else ""
    return _ended_by(run) or asked


def _ended_by(run: Document) -> str:
    """Return what ended a run, with a code that says more, and that nothing could be gone back to."""
    said = words.first_line(run["message"])
    code = run["failure_code"] if run["failure_code"] != GENERIC or not said else ""
    back = "; there was no revision to roll back to" if run["rollback"] == "no_candidate" else ""
    return f"{f'{said} ({code})' if said and code else said or code}{back}"


def beginning(run: Document) -> Iterator[str]:
    """Yield what a run is and how it stands."""
    commit = f"{words.short(run['commit'])} {run['title']}".strip()
    about = f"{KINDS.get(run['kind'], run['kind'])} of revision {run['revision']} ({commit})"
    yield f"{run['pipeline']}/{run['stage']}, {about}: {run['state']}"
    yield f"  run       {run['run']}"
    if run["asked_by"]:
        yield f"  asked by  {run['asked_by']}: {run['asked_reason']}"
    yield f"  worked    {words.span(_worked(run))}, waited {words.span(_waited(run))}"
    if run["wait"]:
        yield f"  waits     {words.wait(run['wait'])}"
    if run["final"] and (run["evidence"] or run["actor"]):
        yield f"  ended by  {words.first_line(_ender(run))}"
    if run["rollback"] == "no_candidate":
        yield "  rollback  there was no revision to roll back to"
    yield from map(_watched, filter(_is_watched, run["verifications"]))
    if run["failure"]:
        yield f"  failure   {run['failure']['code']}: {run['failure']['likely_cause']}"
        yield f"            `windlass diagnose {run['pipeline']} {run['stage']} --run {_short(run)}`"


def _is_watched(verification: Document) -> bool:
    return verification["soak"] in {"watching", "failed"}


def _watched(verification: Document) -> str:
    """Return how the watch goes that follows on a verification."""
    rounds = f"{verification['soak_rounds_good']} of {verification['soak_rounds_made']} rounds good"
    if verification["soak"] == "failed":
        return f"  watch     failed: {rounds}"
    return f"  watch     ends {words.ago(verification['soaks_until'])}: {rounds} so far"


def _short(run: Document) -> str:
    return str(run["run"])[: words.ID_CHARACTERS]


def _ender(run: Document) -> str:
    if run["evidence"]:
        return str(run["evidence"]["message"])
    return f"{run['actor']}: {run['reason']}" if run["reason"] else str(run["actor"])


def step_rows(run: Document) -> Iterator[list[Cell]]:
    """Yield the steps of the graph."""
    names = {step["step"]: step["name"] or step["step"] for step in run["steps"]}
    for step in run["steps"]:
        worked, waited = (_so_far(step, f"{kind}_seconds", states) for kind, states in COUNTED.items())
        yield [
            names[step["step"]],
            ", ".join(names.get(before, before) for before in step["goes_after"] or ()),
            (step["state"], STYLES.get(step["state"], "yellow")),
            words.span(worked or None),
            words.span(waited or None),
            _of_step(step),
        ]


def _so_far(step: Document, known: str, states: Container[str]) -> float:
    """Return the seconds that are known of, and those since then while it goes on."""
    going_on = words.seconds_since(step["since"]) if step["state"] in states and step["since"] else 0.0
    return float(step[known]) + going_on


def _of_step(step: Document) -> str:
    told = [f"attempt {step['attempt']}"] if step["attempt"] > 1 else []
    if step["tests"]:
        told.append(approval_words.counts(step["tests"]))
    if step["gate"]:
        told += [f"{each['verdict']} by {each['actor']}" for each in step["gate"]["answers"]]
    if step["state"] in {"Failed", "Timed Out"} and step["evidence"]:
        told.append(step["evidence"]["message"])
    return "; ".join(told) or step["reason"]


def story(run: Document) -> Iterator[str]:
    """Yield what happened, in UTC, for it is compared with other logs."""
    yield ""
    for moment in run["timeline"]:
        at = datetime.fromisoformat(moment["at"]).astimezone(UTC)
        yield f"{at:%Y-%m-%d %H:%M:%S}Z  {moment['text']}"
