"""`silvr batch`: one task over many videos, one JSON line each, going on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import LimitReached, PartlyDone, UsageError
from . import options
from .options import OUTPUT, WORK

if TYPE_CHECKING:
    from ..engine.jobs import Failure, Job, Result
    from ..engine.lines import Known
    from ..engine.local import Tally, Watch
    from ..settings import Settings

Task = Literal["ask", "chapters", "summarize", "timeline", "find"]
INPUT = "Input"
# On no terminal, a line of progress so often, in seconds.
TELL_SECONDS = 10.0


def batch(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...", help="Videos, folders with all below them, globs; - reads stdin."
        ),
    ] = None,
    task: Annotated[Task, typer.Option("--task", "-t", help="What to do with each.")] = "ask",
    question: Annotated[
        list[str] | None,
        typer.Option("--question", help="For every video; repeat for more.", rich_help_panel=INPUT),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(
            "--questions",
            help="JSONL or CSV: question, and maybe video, id, choices.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option(
            "--choice", "-c", help="A possible answer to every --question.", rich_help_panel=INPUT
        ),
    ] = None,
    lists: Annotated[
        list[str] | None,
        typer.Option("--list", help="A file of paths, one a line.", rich_help_panel=INPUT),
    ] = None,
    llm: options.Llm = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    embed: options.Embed = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    language: options.Language = None,
    scenes: options.ScenesMethod = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes; else as many as cores.", rich_help_panel=WORK),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"] | None,
        typer.Option("--engine", help="Who does it; docs/scale.md.", rich_help_panel=WORK),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", help="Ray cluster, host:port; else this machine.", rich_help_panel=WORK
        ),
    ] = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    ordered: Annotated[
        bool,
        typer.Option(
            "--ordered", help="Leave lines in the order of PATHs.", rich_help_panel=OUTPUT
        ),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed", help="Try again what failed before.", rich_help_panel=OUTPUT
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what would run and its cost; run nothing."),
    ] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print what --dry-run finds as one document.", rich_help_panel=OUTPUT
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="JSON lines; what it holds is kept.", rich_help_panel=OUTPUT
        ),
    ] = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = None,
) -> None:
    """Do one task for many videos: a JSON line for each video and question, as it ends.

    silvr batch talks/ --question "Who speaks?" -o answers.jsonl

    Run it again and it goes on: finished lines stay, changed settings redo what they touch.
    """
    from . import display

    if json and not dry_run:
        raise UsageError("--json belongs to --dry-run", "leave it out: every line is JSON")
    loaded = options.chosen(
        {**locals(), "dry_run": False},
        # As in `silvr find`: nothing else of it takes a language model.
        reading__find=True if task == "find" and llm else None,
        models__embed=embed,
        engine__workers=workers,
        engine__name=engine,
        engine__address=address,
    )
    if address and loaded.settings.engine.name != "ray":
        raise UsageError(f"--address {address} belongs to --engine ray", "give both, or neither")
    jobs, skipped = _jobs(task, paths or [], lists or [], questions, _asked(question, choice))
    tell = (lambda text: None) if quiet else display.tell
    if skipped:
        tell(f"{skipped} files in these folders are hidden or no videos: left out")
    if dry_run:
        _plan(jobs, loaded.settings, tell, json, _before(output, retry_failed))
        return
    from ..engine import local, work
    from ..engine.lines import Ident
    from ..engine.output import Output

    settings = work.resolved(loaded.settings)
    _announce(task, settings, tell)
    lines = ((job, ask) for job in jobs for ask in job.asks)
    asked = {Ident.of(job, ask): number for number, (job, ask) in enumerate(lines)}
    started = time.monotonic()
    with Output(output, asked, ordered) as out:
        with _progress(len(jobs), quiet) as watch:
            tally = local.run(jobs, settings, out, watch, retry_failed)
        out.finish()
    if not quiet:
        _summary(tally, time.monotonic() - started)
    _leave(tally)


def _asked(question: list[str] | None, choice: list[str] | None) -> list[Any]:
    from ..engine.questions import asked

    if choice and not question:
        raise UsageError("--choice belongs to a --question", "or name choices in --questions FILE")
    return asked(question or (), choice or ())


def _jobs(
    task: Task, paths: list[str], lists: list[str], questions: Path | None, rows: list[Any]
) -> tuple[list[Job], int]:
    """The jobs, and how many files in folders were no videos."""
    from ..engine import inputs
    from ..engine.jobs import ASKING, Ask
    from ..engine.questions import Row, make_jobs, read_questions

    if questions:
        rows += read_questions(questions)
    if task in ASKING and not rows:
        raise UsageError(f"--task {task} needs a question", "--question TEXT or --questions FILE")
    if task not in ASKING:
        if rows:
            raise UsageError(f"--task {task} takes no question", "leave it out, or --task ask")
        rows = [Row(Ask(), "", "")]
    named = [name for path in paths for name in (inputs.read_list("-") if path == "-" else [path])]
    named += [name for path in lists for name in inputs.read_list(path)]
    found = inputs.find_videos(named)
    if not found.videos and not any(row.video for row in rows):
        what = f"no video in {', '.join(named[:3])}" if named else "there is nothing to read"
        raise UsageError(what, "silvr batch PATH…, --list FILE, or a column video in --questions")
    folder = questions.parent if questions else None
    return make_jobs(task, found.videos, rows, folder), found.skipped


def _announce(task: Task, settings: Settings, tell: Callable[[str], None]) -> None:
    from ..engine.work import named

    fakes = [role for role, spec in named(task, settings).items() if spec == "fake"]
    if fakes:
        tell(f"note: {', '.join(fakes)}: fake, a stand-in that makes everything up")


def _before(output: Path | None, retry_failed: bool) -> frozenset[Known]:
    """What the output holds and this batch would keep."""
    from ..engine.output import finished

    return frozenset(k for k in finished(output) if k.status == "done" or not retry_failed)


def _plan(
    jobs: list[Job],
    settings: Settings,
    tell: Callable[[str], None],
    json: bool,
    before: frozenset[Known],
) -> None:
    """What --dry-run prints: every stage over all videos, and what it would cost at most."""
    from ..engine import work
    from ..engine.estimate import estimate
    from ..session import Session
    from . import display

    settings = work.resolved(settings)
    _announce(jobs[0].task, settings, tell)
    with Session.open(settings, None, tell) as session:
        found = estimate(jobs, session, before)
    if json:
        display.document(found)
        return
    display.table(
        ("stage", "model", "cached", "partial", "to run", "calls", "tokens in", "out", "cost"),
        [
            (
                total.name,
                total.model,
                total.cached,
                total.partial,
                total.to_run,
                total.expected.calls or "",
                total.expected.prompt_tokens or "",
                total.expected.completion_tokens or "",
                f"${total.expected.cost:.2f}" if total.expected.cost else "",
            )
            for total in found.stages.values()
        ],
    )
    cost = sum(total.expected.cost for total in found.stages.values())
    for video, reason in found.unreadable:
        tell(f"{video}: {reason}")
    kept = f" ({found.kept} of them there before)" if found.kept else ""
    tell(
        f"{found.videos} videos, {len(found.unreadable)} unreadable, {found.lines} lines{kept}, "
        f"${cost:.{2 if cost >= 1 else 4}f} at most; dry run: nothing was run or written"
    )


@contextmanager
def _progress(videos: int, quiet: bool) -> Iterator[Watch]:
    """A bar over all lines on a terminal, else a line now and then; failures are told at once."""
    import sys

    if quiet:
        yield lambda tally, result: None
        return
    if sys.stderr.isatty():
        with _bar() as watch:
            yield watch
        return
    from . import display

    started = told = time.monotonic()

    def plain(tally: Tally, result: Result | None) -> None:
        nonlocal told
        if result and result.error:
            display.tell(_failed(result))
        now = time.monotonic()
        if now - told >= TELL_SECONDS:
            told = now
            display.tell(f"{_state(tally)}, {_left(tally, now - started)}")

    yield plain


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    console = Console(stderr=True)
    started = time.monotonic()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=None)

        def watch(tally: Tally, result: Result | None) -> None:
            if result and result.error:
                console.print(_failed(result), markup=False, highlight=False)
            told = f"{_state(tally)}, {_left(tally, time.monotonic() - started)}"
            done = tally.lines - tally.left
            progress.update(bar, description=told, completed=done, total=tally.lines)

        yield watch


def _failed(result: Result) -> str:
    from ..engine.jobs import shown

    message = result.error.message if result.error else ""
    return f"failed: {shown(result.video)}: {message}"


def _state(tally: Tally) -> str:
    done = tally.lines - tally.left
    failed = tally.failed + tally.kept_failed
    return f"{done} of {tally.lines}" + (f", {failed} failed" if failed else "")


def _left(tally: Tally, seconds: float) -> str:
    """Time left, by what this run itself has done."""
    from ..timeline import clock

    fresh = tally.done + tally.failed
    return f"{clock(seconds / fresh * tally.left)} left" if fresh else "time left unknown"


def _summary(tally: Tally, seconds: float) -> None:
    """The table at the end, on stderr."""
    from ..timeline import clock
    from .display import tell

    usage = tally.usage
    rows = [
        ("done", f"{tally.done + tally.kept}" + (f", {tally.kept} before" if tally.kept else "")),
        ("failed", _failures(tally)),
        ("not begun", str(tally.left) if tally.left else ""),
        ("videos read", f"{tally.described} in {clock(tally.language_seconds)} of work"),
        ("answers", f"{tally.done} in {clock(tally.task_seconds)} of work"),
        ("calls", f"{usage.calls}, {usage.prompt_tokens} tokens in, {usage.completion_tokens} out"),
        ("cost", f"${usage.cost:.4f}" if usage.cost else ""),
        ("time", clock(seconds)),
    ]
    for name, value in rows:
        if value:
            tell(f"{name:12} {value}")


def _failures(tally: Tally) -> str:
    failed = tally.failed + tally.kept_failed
    if not failed:
        return ""
    kinds = ", ".join(f"{count} {code}" for code, count in sorted(tally.errors.items()))
    before = f"{tally.kept_failed} before: --retry-failed tries again" if tally.kept_failed else ""
    return f"{failed} ({'; '.join(part for part in (kinds, before) if part)})"


def _leave(tally: Tally) -> None:
    """Raise what the exit code is made from."""
    done, failed = tally.done + tally.kept, tally.failed + tally.kept_failed
    if tally.stopped:
        raise _stopped(tally.stopped)
    if failed:
        raise PartlyDone(f"{done} done, {failed} failed", "each line of the output says why")


def _stopped(reason: Failure) -> Exception:
    kind = LimitReached if reason.exit_code == LimitReached.exit_code else UsageError
    return kind(reason.message, reason.hint)
