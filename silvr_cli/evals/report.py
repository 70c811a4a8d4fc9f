"""Rows -> what a run came to: figures with intervals, floors, groups, costs; as JSON and Markdown.

Pure but for `read`. Every figure counts every question that was asked, answered or not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from .benchmark import Aggregate, Benchmark, Figures, Item, means
from .intervals import Interval, bootstrap
from .results import Row
from .tables import document

SCHEMA = "silvr-eval/1"
FILE = "report.json"
GROUP_ROUNDS = 300
# Of fewer videos than this a resample is nearly the sample itself: no spread would be shown.
FEW_VIDEOS = 10
# Groups with more values than this are lists of names, not a breakdown.
MOST_VALUES = 40
Pair = tuple[Item, Figures]


@dataclass(frozen=True, slots=True)
class Costs:
    """What a run's answers took, over all its questions: `seconds` of wall time, US dollars."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    context_tokens: int
    seconds: float
    cost: float


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a group: how many questions, their figures, and what each floor scores."""

    questions: int
    figures: Mapping[str, Interval]
    floors: Mapping[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """How a run was made; `command` is what the user typed, `settings` what could matter."""

    split: str
    model: str
    seed: int
    limit: int | None
    command: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run's result. `coverage` is the share of questions with a usable answer."""

    benchmark: str
    title: str
    run: Run
    questions: int
    videos: int
    coverage: float
    statuses: Mapping[str, int]
    main: str
    figures: Mapping[str, Interval]
    floors: Mapping[str, Figures]
    groups: Mapping[str, Mapping[str, Part]]
    costs: Costs
    schema: str = SCHEMA


def build(benchmark: Benchmark, rows: Sequence[Row], run: Run) -> Report:
    """The report of a run; intervals resample whole videos, whose questions hang together.

    Where there are fewer than `FEW_VIDEOS` they resample questions, and may be too narrow.
    """
    statuses = Counter(row.kept.response.status for row in rows)
    return Report(
        benchmark.name,
        benchmark.title,
        run,
        len(rows),
        len({row.item.video for row in rows}),
        statuses["answered"] / len(rows),
        dict(statuses.most_common()),
        benchmark.main,
        intervals(rows, benchmark.aggregate, run.seed),
        floors(rows, benchmark.aggregate),
        _groups(rows, run.seed),
        _costs(rows),
    )


def intervals(
    rows: Sequence[Row], aggregate: Aggregate, seed: int, rounds: int = 1000
) -> dict[str, Interval]:
    """Each figure with its 95 % interval, by videos; of few videos, by questions."""
    videos: dict[str, list[Pair]] = {}
    for row in rows:
        videos.setdefault(row.item.video, []).append((row.item, row.figures))

    def over(clusters: Sequence[list[Pair]]) -> Figures:
        return aggregate([pair for cluster in clusters for pair in cluster])

    clusters = list(videos.values())
    if len(clusters) < FEW_VIDEOS:
        clusters = [[pair] for cluster in clusters for pair in cluster]
    return bootstrap(clusters, over, seed, rounds)


def floors(rows: Sequence[Row], aggregate: Aggregate) -> dict[str, Figures]:
    """What each floor scores over the questions that it is known for."""
    found: dict[str, list[Pair]] = {}
    for row in rows:
        for name, figures in row.floors.items():
            found.setdefault(name, []).append((row.item, figures))
    return {name: aggregate(pairs) for name, pairs in found.items()}


def _groups(rows: Sequence[Row], seed: int) -> dict[str, dict[str, Part]]:
    parts: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        for group, value in row.item.groups.items():
            parts.setdefault(group, {}).setdefault(value, []).append(row)
    return {
        group: {
            value: Part(len(some), intervals(some, means, seed, GROUP_ROUNDS), floors(some, means))
            for value, some in sorted(values.items(), key=lambda pair: _natural(pair[0]))
        }
        for group, values in parts.items()
        if 1 < len(values) <= MOST_VALUES
    }


def _natural(label: str) -> list[str | int]:
    """What sorts 5 before 10, and text by its letters."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", label)]


def _costs(rows: Sequence[Row]) -> Costs:
    usages = [row.kept.usage for row in rows]
    return Costs(
        sum(usage.calls for usage in usages),
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
        sum(row.kept.context_tokens for row in rows),
        sum(row.kept.seconds for row in rows),
        sum(usage.cost for usage in usages),
    )


def read(folder: Path) -> Report:
    """The report.json of a run's folder; raises InputError when it is none of ours."""
    from pydantic import TypeAdapter, ValidationError

    found = document(folder / FILE)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise InputError(f"{folder} holds no {SCHEMA} report", "name a run's folder")
    try:
        return TypeAdapter(Report).validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{folder / FILE}, {place}: {first['msg']}") from error


def json_schema() -> dict[str, Any]:
    """The JSON schema of report.json; published as docs/eval.schema.json."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Report).json_schema()
    schema["properties"]["schema"] = {"const": SCHEMA}
    return schema


def markdown(report: Report) -> str:
    """The report as a person reads it, with the command that makes it again."""
    run = report.run
    limit = "" if run.limit is None else f", {run.limit} by seed {run.seed}"
    lines = [
        f"# {report.title}, {run.split}",
        "",
        f"{report.questions} questions on {report.videos} videos{limit}; model: {run.model}.",
        f"Usable answers: {report.coverage:.1%} ({_told(report.statuses)}); all others count as"
        " wrong.",
        "",
        *_figures(report),
        "",
        *(
            line
            for group, parts in report.groups.items()
            for line in _group(group, parts, report.main)
        ),
        _spent(report),
        *(["", *(f"- {note}" for note in run.notes)] if run.notes else []),
        "",
        f"    {run.command}",
        "",
    ]
    return "\n".join(lines)


def shown(name: str, value: float) -> str:
    """A share as per cent; what is no share as it is."""
    return f"{100 * value:.1f}" if 0 <= value <= 1 else f"{value:.2f}"


def _figures(report: Report) -> list[str]:
    names = list(report.floors)
    if not report.figures:
        return ["This split has no public answers: nothing is scored here."]
    rows = [
        f"| {name} | {shown(name, got.value)} | {shown(name, got.low)}-{shown(name, got.high)} | "
        + " | ".join(_floor(report.floors[floor], name) for floor in names)
        + (" |" if names else "")
        for name, got in report.figures.items()
    ]
    head = ["figure (%)", "score", "95 % interval", *names]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(r.rstrip() for r in rows)]


def _floor(figures: Figures, name: str) -> str:
    return shown(name, figures[name]) if name in figures else ""


def _group(group: str, parts: Mapping[str, Part], main: str) -> list[str]:
    """A table of a group's values; the floors are of the main figure, or of the first."""
    names = list(dict.fromkeys(name for part in parts.values() for name in part.figures))
    if not names:
        return []
    told = main if main in names else names[0]
    kinds = dict.fromkeys(
        kind for part in parts.values() for kind, each in part.floors.items() if told in each
    )
    of = f" ({told})" if len(names) > 1 else ""
    head = [group, "questions", *names, *(f"{kind}{of}" for kind in kinds)]
    rows = [
        [
            value or "-",
            str(part.questions),
            *(_cell(part.figures.get(name), name) for name in names),
            *(_floor(part.floors.get(kind, {}), told) for kind in kinds),
        ]
        for value, part in parts.items()
    ]
    table = (f"| {' | '.join(cells)} |" for cells in (head, *rows))
    return [next(table), f"|{'---|' * len(head)}", *table, ""]


def _cell(got: Interval | None, name: str) -> str:
    if got is None:
        return ""
    return f"{shown(name, got.value)} ({shown(name, got.low)}-{shown(name, got.high)})"


def _told(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in statuses.items())


def _spent(report: Report) -> str:
    costs, count = report.costs, report.questions
    money = f", ${costs.cost:.4f} in all" if costs.cost else ""
    return (
        f"A question: {costs.seconds / count:.1f} s, {costs.calls / count:.1f} calls,"
        f" {costs.prompt_tokens / count:.0f} tokens read, {costs.completion_tokens / count:.0f}"
        f" written{money}."
    )
