"""`windlass` as Typer reads it: the options before the command, and the commands of `contents.py`."""

from typing import Annotated

import typer

from services.cli.contents import CONTENTS
from services.cli.on_demand import group_of


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - nothing else here needs it

        print(f"windlass {version('windlass')}")
        raise typer.Exit


app = typer.Typer(
    name="windlass",
    cls=group_of(CONTENTS),
    epilog="Exit codes: 0 done, 1 failed or not found, 2 misused, 3 no Windlass answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help comes up at once
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def windlass(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which release this is")
    ] = False,
) -> None:
    """Continuous deployment on your own machines: one revision at a time through each stage."""
    del version  # it was answered before we came here
