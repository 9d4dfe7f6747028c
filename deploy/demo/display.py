"""What people see while the demo runs: acts and checks that stay, and a board that lives below them."""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from deploy.demo.report import Act, Check

PROGRESS_LINES = 6  # of the latest, below the board
FRAME_SECONDS = 0.1


class Display(Protocol):
    """Somebody who looks on."""

    def title(self, text: str, details: str) -> None:
        """Say what this is."""
        ...

    def command(self, words: str, *result: str) -> None:
        """Show a command and what came of it, line by line."""
        ...

    def act(self, act: Act, about: str) -> None:
        """Begin an act."""
        ...

    def check(self, check: Check) -> None:
        """Show what was observed."""
        ...

    def progress(self, place: str, sentence: str) -> None:
        """Tell one thing that happened."""
        ...

    def frame(self) -> None:
        """Draw what changes all the time."""
        ...

    def close(self) -> None:
        """Leave the screen in order."""
        ...


class PlainDisplay:
    """One line after the other, for logs."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._began = time.monotonic()

    def title(self, text: str, details: str) -> None:
        """See `Display`."""
        self._say(f"{text}\n{details}\n")

    def command(self, words: str, *result: str) -> None:
        """See `Display`."""
        self._say("\n  ".join((f"$ {words}", *result)))

    def act(self, act: Act, about: str) -> None:
        """See `Display`."""
        self._say(f"\nAct {act.number}: {act.title}. {about}")

    def check(self, check: Check) -> None:
        """See `Display`."""
        self._say(f"  {'ok    ' if check.met else 'FAILED'} {check.expected}: {check.observed}")

    def progress(self, place: str, sentence: str) -> None:
        """See `Display`."""
        self._say(f"  {time.monotonic() - self._began:6.2f}  {place}: {sentence}")

    def frame(self) -> None:
        """See `Display`."""

    def close(self) -> None:
        """See `Display`."""

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveDisplay:
    """A terminal, with the board at its foot."""

    def __init__(self, console: Console, board: Callable[[], RenderableType]) -> None:
        self._console = console
        self._board = board
        self._latest: deque[Text] = deque(maxlen=PROGRESS_LINES)
        self._began = time.monotonic()
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def title(self, text: str, details: str) -> None:
        """See `Display`."""
        self._console.print(f"\n[bold]{escape(text)}[/]")
        self._console.print(f"[dim]{escape(details)}[/]\n", highlight=False)

    def command(self, words: str, *result: str) -> None:
        """See `Display`."""
        self._console.print(f"[green]$[/] {escape(words)}", highlight=False)
        for line in result:
            self._console.print(Padding(Text(line, style="dim"), (0, 0, 0, 2)))

    def act(self, act: Act, about: str) -> None:
        """See `Display`."""
        heading = f"[bold cyan]Act {act.number}[/] [bold]{escape(act.title)}[/]"
        self._console.print()
        self._console.print(Rule(heading, align="left", style="dim cyan"))
        self._console.print(f"[italic]{escape(about)}[/]", highlight=False)

    def check(self, check: Check) -> None:
        """See `Display`."""
        mark = "[bold green]✓[/]" if check.met else "[bold red]✗[/]"
        colour = "dim" if check.met else "red"
        line = Table.grid(padding=(0, 1))
        line.add_row(f" {mark}", f"{escape(check.expected)} [{colour}]· {escape(check.observed)}[/]")
        self._console.print(line, highlight=False)

    def progress(self, place: str, sentence: str) -> None:
        """See `Display`."""
        line = Text(
            f"{time.monotonic() - self._began:6.2f}  ", style="dim", no_wrap=True, overflow="ellipsis"
        )
        self._latest.append(line.append(f"{place:<20} ", style="cyan").append(sentence))

    def frame(self) -> None:
        """See `Display`."""
        self._live.update(Group(Text(), self._board(), *self._latest), refresh=True)

    def close(self) -> None:
        """See `Display`."""
        self._live.stop()
