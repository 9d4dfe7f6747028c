"""`windlass scan`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.faults import FAILED, MISUSED, CommandFault
from services.cli.loading import loading
from services.cli.session import Json
from services.cli.settings import git_environment


def scan(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="A repository, or a folder of one  [usual: this one]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is in a repository: its services, how each is built and started, and which file says so.

    \b
    Examples:
      windlass scan
      windlass scan ../shop --json

    Nothing is run, asked or written: files are read. What git ignores is not looked at. docs/howto/scan.md
    lists what is recognised by which file, and the JSON document.

    Exit codes: 0 there is something to deploy, 1 there is nothing, 2 PATH is no folder.
    """  # noqa: D301
    with loading():
        from services.cli.folder_tree import FolderTree  # noqa: PLC0415 - what `--help` can do without
        from services.cli.scan_report import told  # noqa: PLC0415
        from services.cli.working_copy import has_pipelines  # noqa: PLC0415
        from shared import scan as scanning  # noqa: PLC0415

    folder = (path or Path()).absolute()
    if not folder.is_dir():
        raise CommandFault(
            f"{folder!s} is no folder.", next_="Give the folder of a repository.", code=MISUSED
        )
    found = scanning.scan(FolderTree(folder, git_environment()), folder.resolve().name or "app")
    if as_json:
        output.json_document(scanning.document(found))
    else:
        for line in told(found, has_pipeline=has_pipelines(folder)):
            output.say(line)
    raise typer.Exit(0 if found.shape else FAILED)
