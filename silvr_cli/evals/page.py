"""A run's report as one HTML page: figures beside their floors, and plots. No script, no links.

Pure: the page holds all that it shows and can be sent as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations

from . import plots
from .benchmark import means
from .intervals import Interval
from .plots import Point
from .report import Part, Report, shown
from .results import Row

# Groups with more values than this are read as a table in report.md.
MOST_POINTS = 24
# Pairs of groups worth a grid: how deep, and how long.
GRIDS = (("depth", "length"),)

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1a; --paper: #fdfcf9; --line: #d8d5cc;
  --mark: #2f6f9f; --floor: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6df; --paper: #1b1c1e; --line: #45464a;
  --mark: #7db7e0; --floor: #e39a6b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
pre { padding: .7rem; border: 1px solid var(--line); overflow-x: auto; }
svg { max-width: 100%; height: auto; } text { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--line); } .floor { stroke: var(--floor); stroke-dasharray: 5 4; }
.whisker { stroke: var(--mark); stroke-width: 2; } .mark, .cell { fill: var(--mark); }
"""


def html(report: Report, rows: Sequence[Row]) -> str:
    """The page of a finished run; plots are of the benchmark's main figure."""
    run = report.run
    title = f"{report.title}, {run.split}"
    statuses = ", ".join(f"{count} {name}" for name, count in report.statuses.items())
    head = (
        f"{report.questions} questions on {report.videos} videos; model: {run.model}. Usable"
        f" answers: {report.coverage:.1%} ({statuses}); all others count as wrong."
    )
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(head)}</p>",
        _figures(report),
        *_plots(report),
        *_grids(report, rows),
        "<h2>Made by</h2>",
        f"<pre>{escape(run.command)}</pre>",
        *(f"<p>{escape(note)}</p>" for note in run.notes),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _figures(report: Report) -> str:
    if not report.figures:
        return "<p>This split has no public answers: nothing is scored here.</p>"
    floors = list(report.floors)
    head = ["figure (%)", "score", "95 % interval", *floors]
    rows = [_row(head, "th")]
    for name, got in report.figures.items():
        beside = [report.floors[floor].get(name) for floor in floors]
        cells = [shown(name, value) if value is not None else "" for value in beside]
        span = f"{shown(name, got.low)}-{shown(name, got.high)}"
        rows.append(_row([name, shown(name, got.value), span, *cells], "td"))
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _plots(report: Report) -> list[str]:
    """One plot for each group that is no list of names; the dashed line is the best floor."""
    # A figure over all groups, such as MLVU's M-Avg, is none of one group: their first is drawn.
    known = [name for parts in report.groups.values() for p in parts.values() for name in p.figures]
    main = report.main if report.main in known or not known else known[0]
    floors = [each[main] for each in report.floors.values() if main in each]
    best = max(floors, default=None)
    found = []
    for group, parts in report.groups.items():
        given = _points(parts, main)
        if 1 < len(given) <= MOST_POINTS:
            under = "" if best is None else f"; dashed: the best floor, {100 * best:.1f} %"
            found.append(f"<h2>{escape(f'{main} by {group}')}</h2>")
            found.append(plots.points(given, best))
            found.append(f"<p>Per cent, with 95 % intervals{under}.</p>")
    return found


def _points(parts: Mapping[str, Part], main: str) -> list[Point]:
    return [
        Point(label or "-", _share(part.figures[main]), part.questions)
        for label, part in parts.items()
        if main in part.figures
    ]


def _share(got: Interval) -> Interval:
    return Interval(*(min(1.0, max(0.0, value)) for value in (got.value, got.low, got.high)))


def _grids(report: Report, rows: Sequence[Row]) -> list[str]:
    found = []
    for down, across in combinations(report.groups, 2):
        for row, column in ((down, across), (across, down)):
            if (row, column) in GRIDS:
                found.append(f"<h2>{escape(f'{report.main} by {row} and {column}')}</h2>")
                found.append(_grid(report, rows, row, column))
    return found


def _grid(report: Report, rows: Sequence[Row], down: str, across: str) -> str:
    by: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if report.main in row.figures:
            by.setdefault((row.item.groups[down], row.item.groups[across]), []).append(row)
    cells = {
        place: (means([(row.item, row.figures) for row in some])[report.main], len(some))
        for place, some in by.items()
    }
    return plots.grid(list(report.groups[down]), list(report.groups[across]), cells)
