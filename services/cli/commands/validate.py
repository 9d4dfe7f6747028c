"""`windlass validate`: its help, and what is said when it is misused; see also services/cli/at_once.py."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.loading import loading
from services.cli.session import Json


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Repositories, folders of pipelines, files  [usual: this one]"),
    ] = None,
    as_json: Json = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF, for code scanning")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems")] = False,
) -> None:
    """Check pipeline files: every problem at once, each with its place and the way out.

    \b
    Examples:
      windlass validate
      windlass validate .windlass/shop --strict
      windlass validate --sarif > windlass.sarif

    Without PATH it checks all pipelines of the repository around this folder, .windlass/*/pipeline.yaml and
    .devramps/*/pipeline.yaml. It needs no server and asks none. A file that lies elsewhere is read as ours.

    Exit codes: 0 valid, 1 problems, 2 nothing to check. JSON is {"version": 1, "files": [{"file", "pipeline",
    "valid", "deployable", "problems": [{"line", "column", "severity", "rule", "message", "hint", "text"}]}]};
    line 0 stands for a file as a whole, and deployable is false for what this release cannot carry out.
    """  # noqa: D301
    with loading():
        from services.cli import validation  # noqa: PLC0415 - the language, which `--help` can do without

    raise typer.Exit(validation.validate(paths or [], as_json=as_json, as_sarif=as_sarif, strict=strict))
