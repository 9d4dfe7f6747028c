"""The end: what was expected and what was observed, act by act, for people and for programs."""

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.demo.installation import Installation
from deploy.demo.report import Report
from deploy.demo.watch import Address
from deploy.demo.windlass import Windlass


def show(console: Console, report: Report, installation: Windlass) -> None:
    """Print the table, and after a failure all that helps to find out why."""
    console.print()
    console.print(_table(report))
    verdict = "Everything was observed" if report.met else "Not everything was observed"
    checks = [check for act in report.acts for check in act.checks]
    met = sum(check.met for check in checks)
    style = "bold green" if report.met else "bold red"
    console.print(f"[{style}]{verdict}[/]: {met} of {len(checks)} checks, {report.seconds:.1f} s")
    if not report.met:
        _show_failure(console, report, installation)


def show_kept(console: Console, addresses: Sequence[Address], installation: Installation) -> None:
    """Say where everything is that goes on running, and how to stop it."""
    console.print("\nIt goes on running:")
    for address in addresses:
        console.print(f"  {address!s:<24} {address.url}", highlight=False)
    data = installation.data
    for command in (f"status --data {data}", f"repo list --data {data}"):
        console.print(f"  .venv/bin/windlass {command}", highlight=False, soft_wrap=True)
    console.print("To stop it and remove everything:")
    console.print(
        f"  .venv/bin/python -m deploy.demo --stop {installation.folder}", highlight=False, soft_wrap=True
    )


def as_json(report: Report, addresses: Sequence[Address], installation: Windlass) -> str:
    """Return everything for programs."""
    document = report.document()
    document["data"] = str(installation.folder)
    document["urls"] = {f"{each.pipeline}/{each.stage}": each.url for each in addresses}
    if not report.met:
        document["server_log"] = list(installation.last_words())
    return json.dumps(document, indent=1)


def _table(report: Report) -> Table:
    table = Table(box=box.ROUNDED, border_style="dim", header_style="bold", expand=True)
    table.add_column("Act", ratio=2)
    table.add_column("Expected", ratio=5)
    table.add_column("Observed", ratio=6, overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    for act in report.acts:
        first = [f"[bold]{act.number}[/] {escape(act.title)}", f"{act.seconds:.1f}"]
        for check in act.checks:
            mark = "[green]✓[/]" if check.met else "[bold red]✗[/]"
            observed = escape(check.observed) if check.met else f"[red]{escape(check.observed)}[/]"
            table.add_row(first[0], escape(check.expected), observed, mark, first[1])
            first = ["", ""]
        if not act.checks:
            table.add_row(first[0], "", "[red]it did not come to that[/]", "[bold red]✗[/]", first[1])
        table.add_section()
    return table


def _show_failure(console: Console, report: Report, installation: Windlass) -> None:
    for act in report.acts:
        for check in act.checks:
            if not check.met:
                console.print(f"[red]✗ Act {act.number}:[/] {escape(check.expected)}", highlight=False)
                console.print(f"  instead: {escape(check.observed)}", highlight=False)
    if report.trouble:
        console.print(f"[red]It ended early:[/] {escape(report.trouble)}", highlight=False)
    console.print("\nThe server's last words:")
    for line in installation.last_words():
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nAll data is in {installation.folder}", highlight=False, soft_wrap=True)
