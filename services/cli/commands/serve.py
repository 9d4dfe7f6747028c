"""`windlass serve`."""

import difflib
from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli.faults import CommandFault
from services.cli.lean import load_leanly

SERVICES: Mapping[str, str] = {
    "ingest": "takes signed webhooks and manual deployments, keeps the repositories (HTTP)",
    "synthesizer": "turns pushes into revisions and plans, keeps the git mirrors",
    "builder": "builds artifacts, once per content",
    "deployer": "carries revisions through the stages, one run at a time per stage",
    "verifier": "decides whether a deployment is good, and how what is live is doing",
    "classifier": "says what a failure is and what to try",
    "status": "answers what is, what was and why; takes operations (HTTP)",
}
EACH = "\n".join(f"  {name:<12} {what}" for name, what in SERVICES.items())


def known(names: list[str]) -> list[str]:
    """Return the names, each once; refuse one that is no service's."""
    for name in names:
        if name not in SERVICES:
            near = difflib.get_close_matches(name, SERVICES, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(SERVICES)}."
            raise typer.BadParameter(f"no service is called {name[:100]!a}. {hint}")
    return list(dict.fromkeys(names))


def serve(
    services: Annotated[list[str], typer.Argument(metavar="SERVICE", callback=known, show_default=False)],
    host: Annotated[str | None, typer.Option(help="Address to listen on  [usual: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on, 0 for any  [usual: 8400]")
    ] = None,
) -> None:
    load_leanly()
    from services.distributed import app  # noqa: PLC0415 - a second that no other command pays
    from shared.faults import Refused  # noqa: PLC0415

    given = {"host": host, "port": port}
    try:
        app.serve(services, **{name: value for name, value in given.items() if value is not None})
    except Refused as fault:
        raise CommandFault(str(fault)) from None


serve.__doc__ = f"""Run one or more services on Kafka and PostgreSQL, beside any number of others.

\b
Services:
{EACH}

\b
Examples:
  windlass serve ingest
  windlass serve deployer builder --port 8402

\b
Settings (environment or windlass.toml):
  WINDLASS_DATABASE   postgresql://USER:PASSWORD@HOST:PORT/NAME; `windlass migrate` makes its tables
  WINDLASS_KAFKA      HOST:PORT,HOST:PORT; `windlass topics create` makes the topics
  WINDLASS_REPLICA    this replica's name, its own and the same at each start  [usual: the host's name]
  WINDLASS_DATA       a folder; replicas on one host share it  [usual: ~/.windlass]

What is not there yet is waited for: /healthz answers at once, /readyz says what is missing, /metrics
is for Prometheus. SIGTERM ends it in order; a second one at once.
"""
