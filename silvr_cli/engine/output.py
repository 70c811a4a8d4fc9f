"""The batch's output: one JSON object a line, appended as each ends, and what it already holds.

Knows lines by their key, never by their place in the file. The last line of each video and id
counts; what it replaces is dropped when the batch has ended.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from .. import interrupt
from ..errors import UsageError
from .jobs import SCHEMA, Result

if TYPE_CHECKING:
    from types import TracebackType


class Ident(NamedTuple):
    """What a line is about, whatever it says."""

    task: str
    video: str
    id: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the file says of one Ident."""

    key: str
    status: str


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
        self.path = Path(os.path.realpath(path)) if path else None
        self.known: dict[Ident, Known] = {}
        self.replaced = False
        self._file: IO[bytes] | None = None
        self._lock: Any = None
        self._new = False
        # Lines of videos that this batch has not under their names: those of moved files.
        self._left: Counter[Known] = Counter()
        self._stale: set[Ident] = set()
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
        """Whether the file holds a line with this key and status, of `ident` or nobody else's.

        Claims it: of two copies of one video, each has a line of its own.
        """
        wanted, own = Known(key, status), self.known.get(ident)
        if own == wanted:
            return True
        if not self._left[wanted]:
            return False
        self._left[wanted] -= 1
        if own:
            # What is told of that name is told of another file.
            self._stale.add(ident)
        return True

    def write(self, result: Result) -> None:
        """Append one line, whole or not at all, even when Ctrl-C strikes."""
        from pydantic_core import to_json

        data = to_json(result) + b"\n"
        with interrupt.held():
            if self._file is None:
                self._show(result, data)
                return
            with _explained(self.path):
                self._append(self._file, data)
        ident = Ident(result.task, result.video, result.id)
        self.replaced = self.replaced or ident in self.known
        self.known[ident] = Known(result.key, result.status)

    def finish(self) -> None:
        """Drop what later lines replaced, and put the rest in order: atomic, like a new file."""
        if self._file is None:
            for _, data in sorted(self._early.items()):
                self._print(data)
        if not (self.path and self._file) or not (self.replaced or self._stale or self.ordered):
            return
        with _explained(self.path):
            last = {i: span for i, span in _spans(self.path) if i not in self._stale}
            spans = sorted(last.items(), key=lambda item: item[1])
            if self.ordered:
                spans.sort(key=lambda item: self.asked.get(item[0], -1))
            _rewrite(self.path, [span for _, span in spans])
            self._file.close()
            self._file = self.path.open("ab", buffering=0)

    def _show(self, result: Result, data: bytes) -> None:
        if not self.ordered:
            self._print(data)
            return
        self._early[self.asked[Ident(result.task, result.video, result.id)]] = data
        while self._turn in self._early:
            self._print(self._early.pop(self._turn))
            self._turn += 1

    def _print(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _open(self, path: Path) -> None:
        import filelock

        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else "cannot be written: its folder is not there"
            raise UsageError(f"{path} {what}", "choose another -o")
        lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise UsageError(
                f"another silvr is writing {path}", "wait for it, or choose another -o"
            ) from error
        self._lock = lock
        end = 0
        self._new = not path.exists()
        if not self._new:
            end = self._read(path)
        self._file = path.open("ab", buffering=0)
        if end < path.stat().st_size:
            # A kill in the middle of a write leaves half a line.
            os.truncate(path, end)
        self._left = Counter(known for i, known in self.known.items() if i not in self.asked)

    def _read(self, path: Path) -> int:
        """Take in what is there; returns where the last whole line ends, in bytes."""
        end = 0
        with path.open("rb") as file:
            for number, data in enumerate(file, 1):
                line = _parsed(data)
                if line is None:
                    torn = not data.endswith(b"\n") and (number > 1 or data.startswith(b'{"id":'))
                    if torn:
                        break
                    raise UsageError(
                        f"{path} was not written by silvr batch (line {number})",
                        "choose another -o: silvr does not touch it",
                    )
                end += len(data)
                ident = Ident(line["task"], line["video"], line["id"])
                self.replaced = self.replaced or ident in self.known
                self.known[ident] = Known(line["key"], line["status"])
        return end

    def _append(self, file: IO[bytes], data: bytes) -> None:
        start = file.seek(0, os.SEEK_END)
        view = memoryview(data)
        try:
            while view:
                view = view[file.write(view) :]
        except OSError:
            file.truncate(start)
            raise


def _parsed(data: bytes) -> dict[str, Any] | None:
    """A whole line of ours, else None."""
    if not data.endswith(b"\n"):
        return None
    try:
        line = json.loads(data)
    except ValueError:
        return None
    if not isinstance(line, dict) or line.get("schema") != SCHEMA:
        return None
    named = ("task", "video", "id", "key", "status")
    return line if all(isinstance(line.get(name), str) for name in named) else None


def _spans(path: Path) -> Iterator[tuple[Ident, tuple[int, int]]]:
    """Each line's Ident, where it begins and how long it is, in bytes."""
    at = 0
    with path.open("rb") as file:
        for data in file:
            line = json.loads(data)
            yield Ident(line["task"], line["video"], line["id"]), (at, len(data))
            at += len(data)


def _rewrite(path: Path, spans: list[tuple[int, int]]) -> None:
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
