"""Draws pictures as SVG, the same bytes each time; needs the `bench` extra.

Colours are told apart by people who see few of them (Okabe and Ito), lines are labelled where they end, and
the ground is white, so that a dark viewer shows them too.
"""

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import chain
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

from benchmarks.pictures import Line, Picture
from benchmarks.verdict import number

BYTES_MAX = 100_000  # they are kept beside the code
SIZE = (7.2, 3.8)  # inches
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
INK, FAINT, ASKED = "#222222", "#DDDDDD", "#555555"
FONTS = "'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif"
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "windlass",  # ids inside the file, else by chance
    "svg.fonttype": "none",  # text stays text: smaller, found by a search, read aloud
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "path.simplify": True,
}
OVER_ALL = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}  # behind words
MANY_PLACES = 8  # more are not all written on the axis
LABELS_FROM, LABEL_HEIGHT = (
    0.62,
    0.075,
)  # shares of the axis: where the first name stands, and how tall each is
LOG_FROM, LOG_PLACES_FROM = 20, 10  # times its smallest that a quantity, a place, grows: then logarithmic


def drawn(picture: Picture) -> str:
    """Return a picture as SVG; its description is the picture's mark."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=SIZE, layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        axes.set_title(picture.title, loc="left", fontweight="bold")
        axes.set_xlabel(picture.x)
        axes.set_ylabel(picture.y)
        {"distribution": _distribution, "growth": _growth}[picture.kind](axes, picture)
        said = StringIO()
        about = {"Date": None, "Creator": None, "Title": picture.title, "Description": picture.mark}
        figure.savefig(said, format="svg", metadata=about)
    text = said.getvalue().replace("'DejaVu Sans'", FONTS)
    if len(text.encode()) > BYTES_MAX:
        raise ValueError(f"{picture.name}.svg has {len(text)} bytes, {BYTES_MAX} at most: keep fewer points")
    return text


def _distribution(axes: Axes, picture: Picture) -> None:
    """Draw how many values lie below each: the further left the line, the quicker."""
    axes.set_xscale("log")
    for number_of_line, (line, style) in enumerate(_styled(picture.lines)):
        x, y = zip(*line.points, strict=True)
        axes.plot(x, y, drawstyle="steps-pre", linewidth=1.8, **style)
        for _, value, share in line.marks:
            axes.plot(value, share, marker="o", color=style["color"], markersize=5, zorder=4)
        told = ", ".join(f"{name} {number(value)}" for name, value, _ in line.marks)
        height = LABELS_FROM - number_of_line * LABEL_HEIGHT
        _write(axes, f" {line.party}: {told} {picture.x}", (_reached(line, height), height), style["color"])
    for bound in picture.bounds:
        axes.plot(bound.value, bound.share, marker="v", color=ASKED, markersize=7, zorder=5)
        _write(axes, bound.words, (bound.value, bound.share), ASKED, below=True)
    axes.set_ylim(0, 1.05)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.35)  # room for what is written behind the lines
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _tell_numbers(axes.xaxis)


def _reached(line: Line, share: float) -> float:
    """Return the value at which a distribution reaches a share."""
    return next(value for value, reached in line.points if reached >= share)


def _growth(axes: Axes, picture: Picture) -> None:
    places = sorted({x for line in picture.lines for x, _ in line.points})
    _scale(axes, places, picture)
    ends = []
    for line, style in _styled(picture.lines):
        x, y = zip(*line.points, strict=True)
        axes.plot(x, y, marker="o" if len(x) <= MANY_PLACES else None, markersize=4.5, linewidth=1.8, **style)
        low, high = zip(*line.spread, strict=True)
        axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
        if line.high:
            axes.plot(*zip(*line.high, strict=True), color=style["color"], linestyle=":", linewidth=1.4)
        ends.append((y[-1], line.party, style["color"]))
    for bound in picture.bounds:
        axes.axhline(bound.value, color=ASKED, linestyle=(0, (6, 3)), linewidth=1.1)
        axes.annotate(
            bound.words, (0.012, bound.value), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", color=ASKED, fontsize=8.5, bbox=OVER_ALL, zorder=6,
        )  # fmt: skip
    _name_ends(axes, ends)
    _tell_numbers(axes.yaxis)


def _scale(axes: Axes, places: Sequence[float], picture: Picture) -> None:
    """Make axes logarithmic where what they show grows by more than a line could show."""
    values = [y for line in picture.lines for y in chain(*line.spread, (y for _, y in line.high))]
    values += [bound.value for bound in picture.bounds]
    if min(values) > 0 and max(values) >= LOG_FROM * min(values):
        axes.set_yscale("log")
        axes.set_ylim(min(values) / 1.6, max(values) * 1.9)
    else:
        axes.set_ylim(min(0, *values), max(values) * 1.15 or 1)
    positive = [place for place in places if place > 0]
    if positive and positive[-1] >= LOG_PLACES_FROM * positive[0] and len(places) <= MANY_PLACES:
        if positive == places:
            axes.set_xscale("log")
        else:  # a logarithm has no place for 0
            axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
        axes.xaxis.set_major_locator(FixedLocator(places))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def _name_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name behind its end, none over another."""
    height = axes.transData.transform
    taken = -1.0
    for value, party, colour in sorted(ends):
        share = axes.transAxes.inverted().transform(height((axes.get_xlim()[0], value)))[1]
        taken = max(share, taken + LABEL_HEIGHT)
        axes.annotate(
            f" {party}", (1, taken), xycoords="axes fraction", color=colour, va="center", fontweight="bold"
        )


def _write(axes: Axes, words: str, at: tuple[float, float], colour: str, *, below: bool = False) -> None:
    """Write beside a point, over whatever lies there."""
    axes.annotate(
        words, at, xytext=(6, -9 if below else 0), textcoords="offset points", va="center", color=colour,
        fontsize=8.5 if below else 9.5, zorder=6,
        bbox=OVER_ALL,
    )  # fmt: skip


def _styled(lines: Sequence[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Give each line a colour and, for print, a dash of its own."""
    for place, line in enumerate(lines):
        yield (
            line,
            {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]},
        )


def _tell_numbers(axis: Axis) -> None:
    """Write 1,000 where a logarithmic axis would say 10^3; between two powers only where there is room."""
    if axis.get_scale() == "log":
        low, high = axis.get_view_interval()
        steps = (1, 2, 5) if high / low < 500 else (1,)
        axis.set_major_locator(LogLocator(subs=steps, numticks=20))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
