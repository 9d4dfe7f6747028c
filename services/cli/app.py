"""`windlass`: its table of contents, and how a command ends."""

import sys
from typing import Annotated

import typer

from services.cli.commands import (
    cancel,
    dead_letters,
    deploy,
    down,
    logs,
    migrate,
    repo,
    serve,
    status,
    token,
    topics,
    up,
    why,
)
from services.cli.faults import INTERRUPTED, CommandFault


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - nothing else here needs it

        print(f"windlass {version('windlass')}")
        raise typer.Exit


app = typer.Typer(
    name="windlass",
    epilog="Exit codes: 0 done, 1 failed or not found, 2 misused, 3 no Windlass answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help comes up at once
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("down")(down.down)
app.add_typer(repo.app, name="repo")
app.command("deploy")(deploy.deploy)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("why")(why.why)
app.command("cancel")(cancel.cancel)
app.add_typer(dead_letters.app, name="dead-letters")
app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.add_typer(topics.app, name="topics")
app.command("token")(token.token)


@app.callback()
def windlass(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which release this is")
    ] = False,
) -> None:
    """Continuous deployment on your own machines: one revision at a time through each stage."""
    del version  # it was answered before we came here


def main() -> None:
    """Run the command line and exit."""
    try:
        app(prog_name="windlass")
    except CommandFault as fault:
        print(f"windlass: {fault}", file=sys.stderr)
        if fault.next:
            print(f"  {fault.next}", file=sys.stderr)
        sys.exit(fault.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone
        sys.exit(0)
