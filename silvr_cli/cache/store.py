"""The cache file: what stages finished, piece by piece, and every answer given.

Reads and writes go through the standard library's connection, because importing sqlite-utils
costs more than answering from the cache; sqlite-utils makes and changes the tables.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CacheError, UsageError
from ..records import Line, Usage, Video
from . import paths
from .journal import journal

if TYPE_CHECKING:
    from pydantic import TypeAdapter

BUSY_SECONDS = 30.0
LINE_COLUMNS = "start, end, kind, text, level, source"


@dataclass(frozen=True, slots=True)
class StoredStage:
    """A stage's row; `lines` are its output when that is lines, else `output` is JSON."""

    key: str
    state: str
    output: Any
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    error: str | None
    seconds: float | None


class Store:
    """An open cache; safe to share between threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open or create the cache at `path`; raises CacheError in one sentence."""
        if path.is_dir():
            raise CacheError(f"the cache {path} is a folder", "name a file with --cache")
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            store = cls(path, connection)
            try:
                # Before anything is changed: a newer file, or another's, is left as it is.
                store._refuse_others()
                mode = journal(connection, path, BUSY_SECONDS)
                connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
                store._migrate()
            except BaseException:
                connection.close()
                raise
        return store

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._guarded():
            return self._connection.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> int:
        """Run one statement in its own transaction; returns how many rows it changed."""
        with self._guarded():
            return self._connection.execute(sql, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._guarded():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already, and a second time would hide the reason.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_others(self) -> None:
        from .migrations import refuse_others

        refuse_others(self._connection, self.path)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What SQLite refuses, explained; one cause is a newer silvr that came in between."""
        with self._lock, _explained(self.path):
            try:
                yield
            except sqlite3.OperationalError:
                if not self._connection.in_transaction:
                    self._refuse_others()
                raise

    def _migrate(self) -> None:
        from .migrations import MIGRATIONS

        if self._version() == len(MIGRATIONS):
            return
        import sqlite_utils

        with self.transaction() as connection:
            # Another process may have got here first.
            version = self._version()
            database = sqlite_utils.Database(connection)
            for migration in MIGRATIONS[version:]:
                migration(database)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    # -- videos

    def video_id(self, path: Path) -> str | None:
        """The content id of the file at `path`, if its size and time have not changed since."""
        try:
            stat = path.stat()
        except OSError:
            return None
        found = self.rows(
            "SELECT video FROM paths WHERE path = ? AND size = ? AND mtime_ns = ?",
            paths.stored(path),
            stat.st_size,
            stat.st_mtime_ns,
        )
        return str(found[0][0]) if found else None

    def video(self, video_id: str) -> Video | None:
        found = self.rows("SELECT record FROM videos WHERE id = ?", video_id)
        return _decode(Video, found[0][0]) if found else None

    def remember_video(
        self, path: Path | None, video: Video, seen: tuple[int, int] | None = None
    ) -> None:
        """Store what is known of a video, and under which path it was seen.

        `seen` is the file's size and time (ns) before it was read; without it, those it has now.
        """
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO videos VALUES (?, ?, ?, ?, ?)",
                (video.id, video.name, video.duration, _encode(video), _now()),
            )
            if path is not None:
                size, mtime_ns = seen or (path.stat().st_size, path.stat().st_mtime_ns)
                connection.execute(
                    "INSERT OR REPLACE INTO paths VALUES (?, ?, ?, ?)",
                    (paths.stored(path), size, mtime_ns, video.id),
                )

    # -- stages and their pieces

    def stage(self, key: str) -> StoredStage | None:
        """A stage's row, finished or failed."""
        found = self.rows(
            "SELECT state, output, notes, error, seconds FROM stages WHERE key = ?", key
        )
        if not found:
            return None
        state, output, notes, error, seconds = found[0]
        rows = self.rows(f"SELECT {LINE_COLUMNS} FROM lines WHERE stage = ? ORDER BY id", key)
        lines = tuple(Line(*row) for row in rows)
        return StoredStage(
            key,
            state,
            json.loads(output or "null"),
            lines,
            tuple(json.loads(notes)),
            error,
            seconds,
        )

    def finished(self, name: str) -> list[tuple[str, str, str, dict[str, Any]]]:
        """(key, video id, video's name, identity) of all results of one stage, the latest last."""
        rows = self.rows(
            "SELECT key, video, videos.name, identity FROM stages"
            " JOIN videos ON videos.id = stages.video"
            " WHERE stages.name = ? AND state = 'done' ORDER BY stages.rowid",
            name,
        )
        return [(key, video, title, json.loads(identity)) for key, video, title, identity in rows]

    def finish_stage(
        self, stored: StoredStage, name: str, video: str, identity: dict[str, Any]
    ) -> None:
        """Keep a finished stage with its lines, and drop its pieces, all in one transaction."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM lines WHERE stage = ?", (stored.key,))
            connection.execute(
                "INSERT OR REPLACE INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    stored.key,
                    video,
                    name,
                    stored.state,
                    json.dumps(identity, sort_keys=True),
                    json.dumps(stored.output),
                    json.dumps(stored.notes),
                    stored.error,
                    stored.seconds,
                    _now(),
                ),
            )
            connection.executemany(
                f"INSERT INTO lines (stage, video, {LINE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (stored.key, video, n.start, n.end, n.kind, n.text, n.level, n.source)
                    for n in stored.lines
                ],
            )
            if stored.state == "done":
                connection.execute("DELETE FROM pieces WHERE stage = ?", (stored.key,))

    def piece(self, stage: str, piece: str) -> Any | None:
        found = self.rows("SELECT value FROM pieces WHERE stage = ? AND piece = ?", stage, piece)
        return json.loads(found[0][0]) if found else None

    def put_piece(self, video: str, stage: str, piece: str, value: Any) -> None:
        self.write(
            "INSERT OR REPLACE INTO pieces (stage, piece, value, video, created)"
            " VALUES (?, ?, ?, ?, ?)",
            stage,
            piece,
            json.dumps(value),
            video,
            _now(),
        )

    def count_pieces(self, stage: str) -> int:
        return int(self.rows("SELECT count(*) FROM pieces WHERE stage = ?", stage)[0][0])

    # -- calls and answers

    def add_call(self, video: str, stage: str, model: str, usage: Usage) -> None:
        """Record what calls to a model cost."""
        self.write(
            "INSERT INTO calls (video, stage, model, prompt_tokens, completion_tokens, seconds,"
            " cost, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            video,
            stage,
            model,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.seconds,
            usage.cost,
            _now(),
        )

    def add_answer(self, answer_id: str, video: str, record: dict[str, Any]) -> None:
        """Keep an answer's whole record, as JSON."""
        answer = record["answer"]
        self.write(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
            answer_id,
            video,
            answer["question"],
            answer["text"],
            answer["model"],
            json.dumps(record),
            _now(),
        )

    def answer(self, beginning: str) -> dict[str, Any]:
        """The record whose id begins so; raises UsageError when none or several do."""
        found = self.rows(
            "SELECT record FROM answers WHERE substr(id, 1, ?) = ?", len(beginning), beginning
        )
        if len(found) != 1:
            what = "no answer" if not found else f"{len(found)} answers"
            raise UsageError(
                f"{what} with an id that begins '{beginning}'", "silvr show lists them"
            )
        record: dict[str, Any] = json.loads(found[0][0])
        return record

    def keep_chat(self, chat_id: str, video: str, turns: list[dict[str, Any]]) -> None:
        """Keep a conversation as it stands now."""
        self.write(
            "INSERT OR REPLACE INTO chats VALUES (?, ?, ?, ?)",
            chat_id,
            video,
            json.dumps(turns),
            _now(),
        )

    def chat(self, beginning: str) -> tuple[str, str, list[dict[str, Any]]]:
        """(id, video, turns) of the conversation whose id begins so; raises UsageError."""
        found = self.rows(
            "SELECT id, video, turns FROM chats WHERE substr(id, 1, ?) = ?",
            len(beginning),
            beginning,
        )
        if len(found) != 1:
            what = "no conversation" if not found else f"{len(found)} conversations"
            raise UsageError(
                f"{what} with an id that begins '{beginning}'", "silvr chat --list shows them"
            )
        return found[0][0], found[0][1], json.loads(found[0][2])

    def answers(self) -> list[tuple[Any, ...]]:
        """(id, video's name, question, answer, time) of every answer, the latest first."""
        return self.rows(
            "SELECT answers.id, videos.name, question, text, answers.created FROM answers"
            " LEFT JOIN videos ON videos.id = answers.video ORDER BY answers.created DESC"
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's and the file system's refusals as one CacheError."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{error.object!a} is not UTF-8", "check the terminal's encoding"
        ) from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise CacheError(
            f"the cache {path} cannot be used: {error}", "name another file with --cache"
        ) from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _encode(record: Any) -> str:
    from pydantic_core import to_json

    return to_json(record).decode("utf-8")


def _decode(kind: Any, text: str) -> Any:
    return _adapter(kind).validate_json(text)


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Kept: to make one takes longer than all else that is read for a video."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
