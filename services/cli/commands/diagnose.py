"""`windlass diagnose`."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from services.cli import diagnosis_report, output
from services.cli.asking import Pipeline, Place, Stage
from services.cli.faults import MISUSED, CommandFault
from services.cli.output import Document
from services.cli.route import route
from services.cli.run_meant import LOOKED_AT_MAX, RunOption, run_of
from services.cli.session import Session, served

FAILED = diagnosis_report.FAILED

Found = tuple[Document, Document | None, Sequence[Document]]  # the stage, the run that failed, those since


@served
def diagnose(
    session: Session,
    pipeline: Pipeline,
    stage: Stage,
    run: RunOption = None,
    revision: Annotated[int | None, typer.Option(min=1, help="The last failed run of this revision")] = None,
) -> None:
    """Say why the last run that failed in a stage did, what says so, what follows, and what to do about it.

    \b
    Examples:
      windlass diagnose shop production
      windlass diagnose shop production --revision 12
      windlass diagnose shop production --run 3f2a91c4 --json

    Where nothing has failed it says so, and ends with 0.

    JSON is {"pipeline", "stage", "status", "run", "classification", "follows", "verifications",
    "diagnostics", "logs"}. run is null where nothing has failed; classification is what `windlass classify
    --json` prints, and null until the failure is diagnosed.
    """  # noqa: D301
    if run is not None and revision is not None:
        raise CommandFault("Say one of --run and --revision.", code=MISUSED)
    place = Place(pipeline, stage)
    standing = session.api.get(route(*place.path))
    runs = session.api.get(route(*place.path, "runs"), limit=LOOKED_AT_MAX)["runs"]
    named = run_of(session, place, run)
    failed = session.api.get(route("runs", named)) if named else _last_failed(session, runs, revision)
    if failed is not None and (failed["pipeline"], failed["stage"]) != (pipeline, stage):
        message = f"Run {failed['run']} was in another stage, {failed['pipeline']}/{failed['stage']}."
        raise CommandFault(message, next_=f"`windlass runs {pipeline} {stage}` lists those of this one.")
    if failed is None or failed["state"] not in FAILED:
        _answer(session, (standing, None, []), diagnosis_report.nothing(standing, failed, revision))
        return
    stories = [_in_full(session, failed, each) for each in diagnosis_report.unanswered(failed)]
    failed, later = {**failed, "verifications": stories}, _since(runs, failed)
    _answer(session, (standing, failed, later), diagnosis_report.report(standing, failed, later))


def _answer(session: Session, found: Found, lines: Iterable[str]) -> None:
    if session.as_json:
        from services.cli import diagnosis_document  # noqa: PLC0415 - with it come all rules

        output.json_document(diagnosis_document.document(*found))
        return
    for line in lines:
        output.say(line)


def _last_failed(session: Session, runs: Sequence[Document], revision: int | None) -> Document | None:
    for each in runs:
        if each["state"] in FAILED and revision in {None, each["revision"]}:
            return session.api.get(route("runs", each["run"]))
    return None


def _in_full(session: Session, run: Document, verification: Document) -> Document:
    """Return a verification with far more of its rounds than its run has."""
    return session.api.get(route("runs", run["run"], "verifications", verification["verification"]))


def _since(runs: Sequence[Document], failed: Document) -> list[Document]:
    """Return the runs that came after it, the newest first."""
    ids = [each["run"] for each in runs]
    return list(runs[: ids.index(failed["run"])]) if failed["run"] in ids else list(runs)
