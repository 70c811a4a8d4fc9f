"""What a person sees: results on stdout, everything else on stderr, bars only on a terminal.

Knows no stage; rich is imported when something is drawn.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Advance = Callable[[str, float, float], None]


def result(text: str) -> None:
    """Write `text` to stdout, ending with one newline; an empty one is nothing."""
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    sys.stdout.flush()


def deliver(text: str, path: Path | None) -> None:
    """Write `text` to the file `path`, else to stdout."""
    if path:
        write_atomically(path, text)
    else:
        result(text)


def tell(text: str) -> None:
    """Write a note for the person to stderr; where it cannot be written, the work goes on."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def document(value: Any) -> None:
    """Write one JSON document (records, dicts, paths) to stdout."""
    result(as_json(value))


def as_json(value: Any) -> str:
    return _dumped(value, 2)


def as_line(value: Any) -> str:
    """One JSON document on one line."""
    return _dumped(value, None)


def _dumped(value: Any, indent: int | None) -> str:
    from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

    try:
        return to_json(value, indent=indent).decode("utf-8")
    except PydanticSerializationError:
        # It may name a file whose name is not UTF-8.
        return to_json(_legible(to_jsonable_python(value)), indent=indent).decode("utf-8")


def _legible(value: Any) -> Any:
    from ..legible import legible

    if isinstance(value, dict):
        return {key: _legible(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_legible(inside) for inside in value]
    return legible(value) if isinstance(value, str) else value


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows to stdout: aligned on a terminal, tab-separated for programs."""
    if not sys.stdout.isatty():
        lines = ["\t".join(headers), *("\t".join(_cell(c) for c in row) for row in rows)]
        result("\n".join(lines))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        drawn.add_column(header)
    for row in rows:
        drawn.add_row(*(Text(_cell(cell)) for cell in row))
    Console().print(drawn)


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


@contextmanager
def bar(title: str) -> Iterator[Advance]:
    """Yield advance(name, done, total): a bar a name on a terminal, else a line when one ends."""
    if not sys.stderr.isatty():
        finished: set[str] = set()

        def plain(name: str, done: float, total: float) -> None:
            if done >= total > 0 and name not in finished:
                finished.add(name)
                tell(f"{title} {name} done".strip())

        yield plain
        return
    bars = Bars(title)
    try:
        yield bars
    finally:
        bars.clear()


class Bars:
    """A bar a name, drawn from the first report on; several threads may report."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._drawn: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, done: float, total: float) -> None:
        with self._lock:
            if self._drawn is None:
                self._drawn = _drawn(self._title)
            if name not in self._tasks:
                self._tasks[name] = self._drawn.add_task(name, total=total)
            self._drawn.update(self._tasks[name], completed=done, total=total)

    def clear(self) -> None:
        """Take the bars off the screen; the next report draws new ones."""
        with self._lock:
            if self._drawn is not None:
                self._drawn.stop()
            self._drawn, self._tasks = None, {}


def _drawn(title: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(title),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.start()
    return progress


def clear(progress: Advance | None) -> None:
    """No bars until the next report: they are painted over what is typed, and what is written
    to stdout beside them would go to stderr.
    """
    if isinstance(progress, Bars):
        progress.clear()


def write_atomically(target: Path, text: str) -> None:
    """Write `text` to `target` so that a reader sees the old file or the whole new one.

    A link keeps pointing to its file, and pipes and devices are written to as they are. Raises
    UsageError when the folder is missing or cannot be written.
    """
    import os
    import tempfile

    from ..errors import UsageError
    from ..rights import rights

    text = text if text.endswith("\n") else text + "\n"
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("w", encoding="utf-8") as stream:
                stream.write(text)
            return
        real = Path(os.path.realpath(target))
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:40]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.chmod(name, rights(real))
            os.replace(name, real)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}", "choose another -o"
        ) from error
