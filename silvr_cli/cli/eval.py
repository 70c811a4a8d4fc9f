"""`silvr eval`: benchmarks over the user's own copies, with floors, intervals and records."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from . import eval_html, eval_needles, options
from .options import MODELS, OUTPUT, WORK

if TYPE_CHECKING:
    from ..evals.benchmark import Benchmark
    from ..evals.report import Report
    from ..evals.results import Row
    from ..evals.run import Asking
    from ..session import Session


class Benchmarks(TyperGroup):
    """`silvr eval nextqa …` is `silvr eval run nextqa …`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    help="Benchmarks: silvr eval BENCH --data DIR -o results",
    no_args_is_help=True,
    cls=Benchmarks,
)
app.command("make-needles")(eval_needles.make_needles)
app.command("html")(eval_html.html)


@app.command("run")
def run(
    bench: Annotated[str, typer.Argument(metavar="BENCH", help="A name of silvr eval list.")],
    data: Annotated[Path, typer.Option("--data", help="The benchmark's own folder.")],
    split: Annotated[
        str | None, typer.Option("--split", help="Which part; default: the usual one.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="So many questions, drawn by --seed.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws questions and intervals.")] = 0,
    videos: Annotated[
        Path | None,
        typer.Option("--videos", help="Folder of ID.mp4: watch them.", rich_help_panel=WORK),
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Option(
            "--captions",
            help="Folder of captions_8s/ID.txt (SiLVR), or of ID.txt, ID.srt, ID.json.",
            rich_help_panel=WORK,
        ),
    ] = None,
    subtitles: Annotated[
        Path | None,
        typer.Option("--subtitles", help="Folder of ID.srt or ID.vtt.", rich_help_panel=WORK),
    ] = None,
    llm: options.Llm = None,
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge",
            help="Model that marks open answers beside the metrics.",
            rich_help_panel=MODELS,
        ),
    ] = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    embed: options.Embed = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    reduction: Annotated[
        str | None,
        typer.Option(
            "--reduction", help="auto, all, paper, focus or segments.", rich_help_panel=WORK
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option("--budget", help="Tokens of timeline to read.", rich_help_panel=WORK),
    ] = None,
    vote: Annotated[
        int | None,
        typer.Option(
            "--vote",
            help="Answer so many times, options in whole rounds, and take the most frequent.",
            rich_help_panel=WORK,
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Ask again where a reply could not be used.")
    ] = False,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of results.", rich_help_panel=OUTPUT)
    ] = Path("results"),
    quiet: options.Quiet = False,
) -> None:
    """Ask a benchmark's questions, score them beside what no model at all would score.

    silvr eval nextqa --data NExT-QA/dataset/nextqa --captions caps --limit 100 -o results

    silvr eval video_mme --data Video-MME --captions caps --subtitles subs --reduction paper

    A run that was stopped goes on where it was: run the same command again.
    """
    from .. import pipeline
    from ..evals import named
    from ..evals import run as asking
    from ..evals.judge import Judge
    from ..evals.sources import Folders, Sources

    loaded = options.chosen(locals(), models__embed=embed)
    benchmark = named(bench)
    selection = asking.Selection(_split(benchmark, split), limit, seed, retry)
    found = asking.load(benchmark, data, selection.split)
    with options.session(loaded.settings, quiet) as session, ExitStack() as models:
        sources = Sources(benchmark, found, Folders(videos, captions, subtitles), session)
        model = marker = None
        if asking.needs_model(found.items, session.settings):
            model = models.enter_context(closing(pipeline.open_text_model(session)))
        if judge:
            opened = models.enter_context(closing(_opened(judge, session)))
            marker = Judge(opened, session.meter)
        task = asking.Asking(benchmark, found, sources, session, selection, model, marker)
        report = _finished(task, output, quiet)
    _show(report, json)


def _split(benchmark: Benchmark, split: str | None) -> str:
    from ..errors import UsageError

    if split is not None and split not in benchmark.splits:
        raise UsageError(
            f"{benchmark.name} has no split '{split}'", f"it has {', '.join(benchmark.splits)}"
        )
    return split or benchmark.splits[0]


def _opened(spec: str, session: Session) -> Any:
    from .. import backends

    choice = backends.resolve("llm", spec, session.settings)
    return backends.text_model(choice.spec, session.settings, session.progress)


def _finished(task: Asking, output: Path, quiet: bool) -> Report:
    """Ask what is left to ask, then write records, report and submission into the run's folder."""
    from ..evals import answers
    from .display import tell

    identity = task.identity()
    name = task.model.name if task.model else "no model"
    parts = (task.benchmark.name, task.selection.split, name, answers.key(identity)[:8])
    folder = output / re.sub(r"[^\w.-]+", "_", "-".join(parts))
    if not quiet:
        tell(f"answers are kept in {folder}")
    with answers.Log(folder / "answers.jsonl") as log:
        rows = task.rows(log)
    report = _report(task, rows, name, identity)
    _write(task.benchmark, folder, rows, report)
    return report


def _report(task: Asking, rows: tuple[Row, ...], model: str, identity: dict[str, Any]) -> Report:
    from ..evals import report

    missing = sorted(task.sources.without.items())
    notes = [
        *task.data.notes,
        *(f"videos without {kind} in the folder given: {len(videos)}" for kind, videos in missing),
    ]
    lost = [r.kept.response.problem for r in rows if r.kept.response.status == "missing"]
    if lost:
        notes.append(f"missing: {lost[0]}" + (" (the first of them)" if len(lost) > 1 else ""))
    unmarked = [r for r in rows if r.kept.response.status == "answered" and r.kept.judged is None]
    if task.judge:
        notes.append(f"judge: {task.judge.model.name}; it gave no mark for {len(unmarked)} answers")
    selection = task.selection
    made = report.Run(
        selection.split,
        model,
        selection.seed,
        selection.limit,
        shlex.join(["silvr", *sys.argv[1:]]),
        identity,
        tuple(notes),
    )
    return report.build(task.benchmark, rows, made)


def _write(benchmark: Benchmark, folder: Path, rows: tuple[Row, ...], report: Report) -> None:
    from ..evals import page, results
    from ..evals import report as reports
    from .display import as_json, write_atomically

    write_atomically(folder / results.RECORDS, results.as_lines(rows))
    write_atomically(folder / "report.json", as_json(report))
    write_atomically(folder / "report.md", reports.markdown(report))
    write_atomically(folder / "report.html", page.html(report, rows))
    if benchmark.submit:
        file = benchmark.submit([(row.item, row.kept.response) for row in rows])
        write_atomically(folder / file.name, file.text)


def _show(report: Report, json: bool) -> None:
    from ..evals.report import markdown
    from .display import document, result

    if json:
        document(report)
    else:
        result(markdown(report))


@app.command("list")
def list_benchmarks(json: options.Json = False) -> None:
    """List the benchmarks, their splits, and where their files come from."""
    from ..evals import table
    from .display import document
    from .display import table as draw

    rows = [
        {
            "name": each.name,
            "title": each.title,
            "splits": list(each.splits),
            "main": each.main,
            "source": each.source,
        }
        for each in table().values()
    ]
    if json:
        document(rows)
        return
    names = ("name", "title", "splits", "main figure", "source")
    draw(
        names,
        [(r["name"], r["title"], " ".join(r["splits"]), r["main"], r["source"]) for r in rows],
    )


@app.command("compare")
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run's folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another run's folder.")],
    seed: Annotated[int, typer.Option("--seed", help="Draws the intervals.")] = 0,
    json: options.Json = False,
) -> None:
    """Compare two runs question by question: is B better than A, or is it chance?"""
    from ..errors import UsageError
    from ..evals import compare as compared
    from ..evals import named
    from .display import document, result

    benchmarks = [_of_run(folder) for folder in (a, b)]
    if benchmarks[0] != benchmarks[1]:
        raise UsageError(
            f"{a} is a run of {benchmarks[0]}, {b} of {benchmarks[1]}", "compare like with like"
        )
    benchmark = named(benchmarks[0])
    found = compared.compare(benchmark, _rescored(benchmark, a), _rescored(benchmark, b), seed)
    if json:
        document(found)
    else:
        result(compared.markdown(found, (str(a), str(b))))


@app.command("score")
def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    json: options.Json = False,
) -> None:
    """Score a finished run again from its records; asks no model."""
    from ..evals import named, report

    made = report.read(run)
    benchmark = named(made.benchmark)
    _show(report.build(benchmark, _rescored(benchmark, run), made.run), json)


def _rescored(benchmark: Benchmark, folder: Path) -> tuple[Row, ...]:
    from dataclasses import replace

    from ..evals import results

    return tuple(
        replace(row, figures=results.figures(benchmark, row.item, row.kept))
        for row in results.read(folder)
    )


def _of_run(folder: Path) -> str:
    from ..evals import report

    return report.read(folder).benchmark
