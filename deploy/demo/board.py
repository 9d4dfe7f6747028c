"""Which revision is where: one cell a stage, from the API and from the answers of the stable URLs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from deploy.demo.watch import Address, Watch

SENTENCES_ROWS = 4  # two sentences of usual length at 120 columns
COLOURS = {
    "running": "green",
    "deploying": "yellow",
    "failed": "red",
    "degraded": "red",
    "unreachable": "red",
}


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage at one moment, as the API has it."""

    status: str = "pending"
    live: int | None = None
    why: tuple[str, ...] = ()  # sentences: what runs, what waits and for what


@dataclass(frozen=True, slots=True)
class Rows:
    """A text in always as many rows, so that nothing below it jumps."""

    text: Text
    rows: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it, cut off or filled up."""
        for line in console.render_lines(self.text, options.update(height=self.rows)):
            yield from line
            yield Segment.line()


@dataclass(slots=True)
class Board:
    """What is shown."""

    lines: dict[tuple[str, str], StageLine] = field(default_factory=dict)  # pipeline, stage
    addresses: Mapping[tuple[str, str], Address] = field(default_factory=dict)
    watch: Watch | None = None

    def __call__(self) -> RenderableType:
        """Return the board as it is now."""
        pipelines = list(dict.fromkeys(pipeline for pipeline, _ in self.addresses))
        stages = list(dict.fromkeys(stage for _, stage in self.addresses))
        table = Table(expand=True, box=box.ROUNDED, border_style="dim", show_lines=True)
        table.add_column("", style="bold", no_wrap=True)
        for stage in stages:
            table.add_column(stage, ratio=1)
        for pipeline in pipelines:
            table.add_row(pipeline, *(self._cell(pipeline, stage) for stage in stages))
        return table

    def _cell(self, pipeline: str, stage: str) -> RenderableType:
        line = self.lines.get((pipeline, stage), StageLine())
        address = self.addresses[pipeline, stage]
        colour = COLOURS.get(line.status, "dim")
        live = f"revision {line.live}" if line.live else "nothing yet"
        now, next_ = (*line.why, "")[0], line.why[-1] if len(line.why) > 1 else ""
        return Group(
            Text.from_markup(
                f"[{colour}]●[/] [bold]{live}[/] [dim]· {line.status} · {escape(address.url)}[/]"
            ),
            Rows(Text.assemble(now, "\n", (next_, "yellow")), SENTENCES_ROWS),
            Text.from_markup(self._answers(address)),
        )

    def _answers(self, address: Address) -> str:
        if self.watch is None or not self.watch.counts[address]:
            return "[dim]not watched yet[/]"
        latest = self.watch.latest[address]
        if latest.problem:
            return f"[red]{escape(latest.problem[:80])}[/]"
        return f"[dim]{self.watch.counts[address]} answers, the last by revision {latest.revision}[/]"
