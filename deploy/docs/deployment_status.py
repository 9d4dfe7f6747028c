"""`docs/reference/deployment-status.md`: every word in which a deployment is judged, and what it means."""

from collections.abc import Iterable, Mapping
from typing import get_args

from deploy.docs.markdown import table
from services.status import aftermath, deployment_status, health_history
from services.verifier import health
from shared.diagnosis import vocabulary
from shared.events.verification import Confidence

HEAD = """\
# Deployment status

Written by `make docs` from the tables that decide it; do not edit.

The words below are fixed: they mean the same on the command line, in the API and in events, and none is
renamed. `windlass status` shows the status of every stage, `windlass why PIPELINE STAGE` says in sentences
what is behind it.
"""
STATUS_HEAD = """\
## Status of a stage

A stage has one status. It is the first row that holds, from the top:
"""
HEALTH_HEAD = """\
## Health of a service

As long as a release is live somebody looks at each of its services: at what its criteria ask for, at the time
that the answer takes, and at its processes. `GET /api/v1/pipelines/PIPELINE/stages/STAGE/health` shows how
each does, when that changed, and how it did before.
"""
TABLE_HEAD = f"""\
### When it changes

One look alone changes nothing, so that a service does not go back and forth. The first row that holds counts;
where none does, it stays as it is. Between two changes there are at least {health.SETTLES} looks, unless
nobody has looked for long. Of the looks the last {health.WINDOW} are kept.
"""
HISTORY = f"""\
### How long it is remembered

| Stretches of | are kept for |
| --- | --- |
| five minutes | {health_history.FIVE_MINUTES_MAX * health_history.FIVE_MINUTES // 3_600} hours |
| an hour | {health_history.HOURS_MAX // 24} days |
| a day | {health_history.DAYS_MAX} days |

The oldest stretches of each kind are put together into the next. A stretch nobody looked in is not there.
"""
FAILURE_HEAD = """\
## Failures

A failed run is given a *stage*, a *category* and a *code*, and the name of the rule that recognised it.
[The error catalogue](error-catalog.md) has the rules, each with what to do about it.
"""
CODES_HEAD = """\
### Failure codes

Only what is *retryable* may pass by itself, and is attempted again by itself while attempts are left.
"""
AFTERMATH_HEAD = """\
## What follows from a failure

A diagnosis has no say in it but for whether another attempt makes sense.
"""
SCAN_HEAD = """\
## Scans

What `windlass scan` finds in a repository that has no pipeline file.
"""
BUILDS_HEAD = """\
### Build status

Said of a scan that tries the build as well. `windlass scan` reads files and runs nothing, so it says none.
"""
CONFIDENCE: Mapping[Confidence, str] = {
    "certain": "Typed facts say it, or the tool that failed names it as its last word.",
    "likely": "A line of the output says it, and something else could have been the cause.",
    "guess": "Only how it ended is known.",
}


def render() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_status(), *_health(), *_failures(), *_scans()])


def _status() -> Iterable[str]:
    rows = [(f"`{row.status}`", row.condition, row.meaning) for row in deployment_status.ROWS]
    return STATUS_HEAD, table(("Status", "When", "Meaning"), rows)


def _health() -> Iterable[str]:
    worst_first = [
        (f"`{name}`", vocabulary.HEALTHS[name]) for name in reversed(deployment_status.WORST_FIRST)
    ]
    changes = [(_before(row), row.when, f"`{row.to}`") for row in health.TABLE]
    return (
        HEALTH_HEAD,
        table(("Health", "Meaning"), worst_first),
        TABLE_HEAD,
        table(("From", "When", "To"), changes),
        HISTORY,
    )


def _before(row: health.Row) -> str:
    return ", ".join(f"`{name}`" for name in health.WORSE if name in row.before)


def _failures() -> Iterable[str]:
    codes = [
        (f"`{code}`", "yes" if told.retryable else "no", told.meaning)
        for code, told in vocabulary.FAILURE_CODES.items()
    ]
    confidence = ((f"`{name}`", CONFIDENCE[name]) for name in get_args(Confidence))
    follows = ((each.name, each.when, each.then) for each in aftermath.AFTERMATHS)
    return (
        FAILURE_HEAD,
        "### Failure stages\n",
        table(("Stage", "What was being done"), _words(vocabulary.FAILURE_STAGES.items())),
        "### Failure categories\n",
        table(("Category", "What kind it is"), _words(vocabulary.FAILURE_CATEGORIES.items())),
        CODES_HEAD,
        table(("Code", "Retryable", "Meaning"), codes),
        "### Confidence\n",
        table(("Confidence", "Meaning"), confidence),
        AFTERMATH_HEAD,
        table(("What", "When", "Then"), follows),
    )


def _scans() -> Iterable[str]:
    shapes = ((f"`{name}`", told.meaning, told.local, told.aws) for name, told in vocabulary.SHAPES.items())
    return (
        SCAN_HEAD,
        "### Shapes\n",
        table(("Shape", "What it is", "On a local target", "On AWS"), shapes),
        BUILDS_HEAD,
        table(("Status", "Meaning"), _words(vocabulary.SCAN_BUILD_STATUSES.items())),
    )


def _words(meanings: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((f"`{word}`", meaning) for word, meaning in meanings)
