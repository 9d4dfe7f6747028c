"""`windlass classify`."""

from typing import Annotated

import typer

from services.cli import output
from services.cli.loading import loading
from services.cli.session import Json


def classify(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="A log, or a report as JSON; - reads standard input")
    ] = "-",
    as_json: Json = False,
) -> None:
    """Say what failed, from any log: the likely cause, the lines that say it, and what to do.

    \b
    Examples:
      windlass classify build.log
      npm ci 2>&1 | windlass classify
      windlass classify deployment.json --json

    It needs no server and asks none. A log is taken for that of something that failed: if no rule knows the
    failure, that is the answer. JSON tells of a deployment and its steps, of which the first that failed is
    looked at: {"steps": [{"id": "build", "status": "error", "logs": ["..."]}], "error_message": "...",
    "rolled_back": false, "final_status": "error"}. An id such as build, deploy or verify says what it did.

    --json prints {"stage", "category", "code", "retryable", "rule", "confidence", "summary", "likely_cause",
    "evidence": [{"line", "text"}], "fix": [what to do, in its order]}, or null if nothing failed. A line that
    stands in no log has null for its number.

    Exit codes: 0 there is an answer, 2 nothing that could be read.
    """  # noqa: D301
    with loading():
        from services.cli import failure_input, failure_report  # noqa: PLC0415 - what `--help` does without

    found = failure_input.classified(file)
    if as_json:
        output.json_document(failure_report.document(found))
    else:
        for line in failure_report.told(found):
            output.say(line)
