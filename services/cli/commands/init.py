"""`windlass init`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.loading import loading


def init(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="A repository, or a folder of one  [usual: this one]"),
    ] = None,
    slug: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the pipeline  [usual: as the folder]")
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the file and write nothing")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a pipeline that is there")] = False,
) -> None:
    """Write a pipeline file from what lies in a repository: what to build, how to start it, where to ask it.

    \b
    Examples:
      windlass init
      windlass init --print
      windlass init services/api --slug api

    It goes to .windlass/NAME/pipeline.yaml, and beside that folder a schema for your editor. Remarks in it
    say which file each part comes from. Nothing is run, and nothing is sent anywhere. `windlass scan` shows
    what is found.
    """  # noqa: D301
    with loading():
        from services.cli.initializing import initialize, report  # noqa: PLC0415 - `--help` does without

    begun = initialize(path or Path(), slug)
    if only_print:
        print(begun.proposal.text, end="")
        return
    begun.write(force=force)
    for line in report(begun):
        output.say(line)
