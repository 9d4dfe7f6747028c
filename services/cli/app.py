"""`windlass`: its table of contents, and how a command ends."""

import sys

import typer

from services.cli.commands import cancel, deploy, down, logs, repo, status, up, why
from services.cli.faults import INTERRUPTED, CommandFault

app = typer.Typer(
    name="windlass",
    help="Continuous deployment on your own machine: one revision at a time through each stage.",
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
