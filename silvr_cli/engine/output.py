"""The batch's output: one JSON object a line, appended as each ends, over what is there already.

Knows lines by their key, never by their place in the file, and whoever's name they carry. The last
line of each video and id counts; what it replaces is dropped when the batch has ended.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .. import interrupt
from ..errors import UsageError
from ..legible import legible
from .jobs import Result
from .lines import Ident, Known, Span, encoded, read, refuse, renamed

if TYPE_CHECKING:
    from types import TracebackType


class Output:
    """The open output, this process its only writer; without a path, lines go to stdout.

    `asked` is what this batch will tell of, and each one's place. If `ordered`, the file is put in
    that order at the end, and stdout waits for each line's turn. Raises UsageError when the file
    is somebody else's, in use, or cannot be written.
    """

    def __init__(
        self, path: Path | None, asked: Mapping[Ident, int] | None = None, ordered: bool = False
    ) -> None:
        self.asked, self.ordered = asked or {}, ordered
        self.named = path
        self.path = Path(os.path.realpath(path)) if path else None
        self.known: dict[Ident, Known] = {}
        self.replaced = False
        self._file: IO[bytes] | None = None
        self._lock: Any = None
        self._new = False
        # The lines that were there before, which others may take over: the file only grows.
        self._before: dict[Known, Span] = {}
        # Lines for stdout that wait for those before them.
        self._early: dict[int, bytes] = {}
        self._turn = 0

    def __enter__(self) -> Output:
        if self.path:
            try:
                with _explained(self.path):
                    self._open(self.path)
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file:
            self._file.close()
        if self._new and self.path and self.path.exists() and not self.path.stat().st_size:
            # A batch that could not even begin leaves no trace.
            self.path.unlink()
        if self._lock:
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()

    def take(self, ident: Ident, key: str, status: str) -> bool:
        """Whether the file holds a line with this key and status, whoever's name it carries.

        A line of another name is written again under this one: that file was renamed or copied.
        """
        wanted = Known(key, status)
        if self.known.get(ident) == wanted:
            return True
        if not (self.path and wanted in self._before):
            return False
        with _explained(self.path):
            data = renamed(_cut(self.path, self._before[wanted]), ident)
        with interrupt.held():
            self._add(ident, wanted, data)
        return True

    def write(self, result: Result) -> None:
        """Append one line, whole or not at all, even when Ctrl-C strikes."""
        data = encoded(result)
        ident = Ident(result.task, legible(result.video), result.id)
        with interrupt.held():
            if self._file is None:
                self._show(ident, data)
            else:
                self._add(ident, Known(result.key, result.status), data)

    def _add(self, ident: Ident, known: Known, data: bytes) -> None:
        with _explained(self.path):
            if self._file:
                self._append(self._file, data)
        self.replaced = self.replaced or ident in self.known
        self.known[ident] = known

    def finish(self) -> None:
        """Drop what later lines replaced, and put the rest in order: atomic, like a new file."""
        if self._file is None:
            for _, data in sorted(self._early.items()):
                self._print(data)
        moved = self._moved()
        if not (self.path and self._file) or not (self.replaced or moved or self.ordered):
            return
        with _explained(self.path):
            last = {i: span for i, span in _spans(self.path) if i not in moved}
            spans = sorted(last.items(), key=lambda item: item[1])
            if self.ordered:
                spans.sort(key=lambda item: self.asked.get(item[0], -1))
            self._before = {}
            _rewrite(self.path, [span for _, span in spans])
            self._file.close()
            self._file = self.path.open("ab", buffering=0)

    def _moved(self) -> set[Ident]:
        """Names that this batch has not, of files that have a line under another name by now.

        A copy that still lies where its line says keeps that line.
        """
        names: dict[Known, set[str]] = {}
        for ident in self.asked:
            if ident in self.known:
                names.setdefault(self.known[ident], set()).add(ident.video)
        old = [i for i in self.known if i not in self.asked and self.known[i] in names]
        return {i for i in old if not _elsewhere(i.video, names[self.known[i]])}

    def _show(self, ident: Ident, data: bytes) -> None:
        if not self.ordered:
            self._print(data)
            return
        self._early[self.asked[ident]] = data
        while self._turn in self._early:
            self._print(self._early.pop(self._turn))
            self._turn += 1

    def _print(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _open(self, path: Path) -> None:
        import filelock

        refuse(self.named or path)
        if not path.parent.is_dir():
            raise UsageError(
                f"{path} cannot be written: its folder is not there", "choose another -o"
            )
        lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise UsageError(
                f"another silvr is writing {path}", "wait for it, or choose another -o"
            ) from error
        self._lock = lock
        self._new = not path.exists()
        held = read(path)
        self._file = path.open("ab", buffering=0)
        if held.end < path.stat().st_size:
            # A kill in the middle of a write leaves half a line.
            os.truncate(path, held.end)
        if held.unended:
            self._append(self._file, b"\n")
        self.known, self.replaced = held.known, held.replaced
        self._before = held.by_known(self.asked)

    def _append(self, file: IO[bytes], data: bytes) -> None:
        start = file.seek(0, os.SEEK_END)
        view = memoryview(data)
        try:
            while view:
                view = view[file.write(view) :]
        except OSError:
            file.truncate(start)
            raise


def finished(path: Path | None) -> frozenset[Known]:
    """All that the output's lines say, for whoever only asks: locks and writes nothing."""
    if path is None:
        return frozenset()
    with _explained(path):
        return frozenset(read(path).known.values())


def _cut(path: Path, span: Span) -> bytes:
    with path.open("rb") as file:
        file.seek(span.at)
        return file.read(span.size)


def _elsewhere(video: str, others: set[str]) -> bool:
    """Whether there is such a file, and it is none of the others in other words."""
    real = os.path.realpath(video)
    return os.path.lexists(video) and all(os.path.realpath(other) != real for other in others)


def _spans(path: Path) -> Iterator[tuple[Ident, Span]]:
    """Each line's Ident, and where it is."""
    at = 0
    with path.open("rb") as file:
        for data in file:
            line = json.loads(data)
            yield Ident(line["task"], line["video"], line["id"]), Span(at, len(data))
            at += len(data)


def _rewrite(path: Path, spans: list[Span]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as new, path.open("rb") as old:
            for at, size in spans:
                old.seek(at)
                new.write(old.read(size))
            new.flush()
            os.fsync(new.fileno())
            os.chmod(name, path.stat().st_mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


class _explained:  # noqa: N801 - reads as a statement
    """The file system's refusals as one UsageError."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror or error}", "choose another -o"
            ) from error
