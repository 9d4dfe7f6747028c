"""`windlass plan`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output, settings
from services.cli.faults import FAILED
from services.cli.session import Session, served
from shared.clock import SystemClock

if TYPE_CHECKING:
    from services.cli.planning import Pipeline, Sources, Wanted
    from services.cli.queue_effects import QueueEffects


@served
def plan(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of a git working copy")] = Path(),
    pipeline: Annotated[str | None, typer.Option("--pipeline", help="Only this one  [usual: all]")] = None,
    rev: Annotated[
        str | None, typer.Option("--rev", help="Plan this commit  [usual: the files as they are]")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Compare with this commit  [usual: what came before]")
    ] = None,
    server: Annotated[
        bool, typer.Option("--server", help="Ask a Windlass what the push would meet there")
    ] = False,
) -> None:
    """Show what a push would do: stages, steps, what is built again and why, and what is different.

    \b
    Examples:
      windlass plan
      windlass plan --rev HEAD --against v1.4
      windlass plan --pipeline shop --server
      windlass plan --json

    It needs no server and asks none, unless --server is given. Without --rev it plans the files as they are,
    committed or not, without those that git ignores; nothing in the working copy is written. Compared is with
    the upstream branch if that is behind, else with HEAD if something is not committed, else with the commit
    before.

    Exit codes: 0 planned, 1 problems, 2 misused, 3 no Windlass answers. docs/howto/plan-a-push.md has the
    form of the JSON.
    """  # noqa: D301
    from services.cli.git_copy import open_copy  # noqa: PLC0415 - the language, that `--help` need not pay for
    from services.cli.planning import Wanted, sources  # noqa: PLC0415

    wanted = Wanted(pipeline, rev, against)
    copy = open_copy(path, settings.git_environment())
    with sources(copy, wanted) as found:
        pipelines, queues = _planned(found, wanted, session if server else None)
    if session.as_json:
        from services.cli.plan_document import document  # noqa: PLC0415

        output.json_document(document(found, pipelines, queues))
    else:
        _print_text(found, pipelines, queues)
    if any(each.plan is None for each in pipelines):
        raise typer.Exit(FAILED)


def _planned(
    found: "Sources", wanted: "Wanted", session: Session | None
) -> "tuple[Sequence[Pipeline], Mapping[str, QueueEffects]]":
    from services.cli.planning import planned, slugs  # noqa: PLC0415
    from services.cli.queue_effects import asked, effects, next_revision  # noqa: PLC0415

    now = SystemClock().now()
    if session is None:
        return planned(found, wanted, now.date(), {}), {}
    known = {slug: asked(session.api, slug) for slug in slugs(found, wanted)}
    revisions = {slug: next_revision(told) for slug, told in known.items()}
    pipelines = planned(found, wanted, now.date(), revisions)
    return pipelines, {
        each.plan.pipeline: effects(known[each.plan.pipeline], each.plan, found.copy, now)
        for each in pipelines
        if each.plan
    }


def _print_text(
    found: "Sources", pipelines: "Sequence[Pipeline]", queues: "Mapping[str, QueueEffects]"
) -> None:
    from services.cli.plan_report import header, problems, rendered  # noqa: PLC0415
    from services.cli.report.text import COLOURS, PLAIN  # noqa: PLC0415

    palette = COLOURS if settings.colours_wanted(sys.stdout) else PLAIN
    print(header(found))
    for each in pipelines:
        print()
        if each.plan:
            print("\n".join(rendered(each, queues.get(each.file.slug), palette)))
        for line in problems(each, palette):
            print(line)
    sys.stdout.flush()
