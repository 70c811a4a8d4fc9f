"""How the cache's tables came to be: append a function for each change, never edit an old one.

The number of applied functions is the file's `user_version`. Where other programs count their own
changes in it, too, the tables tell whose file it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import CacheError

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Connection

    from sqlite_utils import Database


def _first_tables(database: Database) -> None:
    database.table("videos").create(
        {"id": str, "name": str, "duration": float, "record": str, "used": str}, pk="id"
    )
    database.table("paths").create(
        {"path": str, "size": int, "mtime_ns": int, "video": str},
        pk="path",
        foreign_keys=[("video", "videos", "id")],
    )
    database.table("stages").create(
        {
            "key": str,
            "video": str,
            "name": str,
            "state": str,
            "identity": str,
            "output": str,
            "notes": str,
            "error": str,
            "seconds": float,
            "created": str,
        },
        pk="key",
        foreign_keys=[("video", "videos", "id")],
    )
    database.table("stages").create_index(["video", "name"])
    database.table("pieces").create(
        {"stage": str, "piece": str, "value": str}, pk=("stage", "piece")
    )
    database.table("calls").create(
        {
            "id": int,
            "video": str,
            "stage": str,
            "model": str,
            "prompt_tokens": int,
            "completion_tokens": int,
            "seconds": float,
            "cost": float,
            "created": str,
        },
        pk="id",
    )
    database.table("answers").create(
        {
            "id": str,
            "video": str,
            "question": str,
            "text": str,
            "model": str,
            "record": str,
            "created": str,
        },
        pk="id",
    )
    database.table("leases").create({"key": str, "owner": str, "beats": int}, pk="key")


def _searchable_lines(database: Database) -> None:
    lines = database.table("lines")
    lines.create(
        {
            "id": int,
            "stage": str,
            "video": str,
            "start": float,
            "end": float,
            "kind": str,
            "text": str,
            "level": float,
            "source": str,
        },
        pk="id",
        foreign_keys=[("stage", "stages", "key"), ("video", "videos", "id")],
    )
    lines.create_index(["stage"])
    lines.create_index(["video", "start"])
    lines.enable_fts(["text"], create_triggers=True, tokenize="porter unicode61")


def _pieces_of_videos(database: Database) -> None:
    """Whose a piece is and how old: a run that was killed leaves no stage row that could tell."""
    pieces = database.table("pieces")
    pieces.add_column("video", str)
    pieces.add_column("created", str)
    pieces.create_index(["video"])
    database.execute("UPDATE pieces SET video = (SELECT video FROM stages WHERE key = stage)")


def _chats(database: Database) -> None:
    """Conversations: their turns as JSON, in order."""
    database.table("chats").create({"id": str, "video": str, "turns": str, "created": str}, pk="id")


def _addresses(database: Database) -> None:
    """Which video, in which version, stood behind an address; `address` is its SHA-256."""
    database.table("addresses").create(
        {"address": str, "etag": str, "modified": str, "length": int, "video": str},
        pk="address",
        foreign_keys=[("video", "videos", "id")],
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    _first_tables,
    _searchable_lines,
    _pieces_of_videos,
    _chats,
    _addresses,
)

# What every version has had since the first.
OURS = frozenset({"videos", "paths", "stages", "pieces", "calls", "answers", "leases"})


def refuse_others(connection: Connection, path: Path) -> None:
    """Raise CacheError for a newer silvr's file, and for another program's; change nothing."""
    # In one transaction: another silvr may be making the tables right now.
    connection.execute("BEGIN")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        # After some errors, SQLite has ended it itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if version > len(MIGRATIONS):
        raise CacheError(
            f"the cache {path} was written by a newer silvr",
            "upgrade silvr, or name another file with --cache",
        )
    fresh = not version and not there
    if not fresh and not (version > 0 and there >= OURS):
        raise CacheError(
            f"the file {path} is another program's database, no cache of silvr",
            "name another file with --cache",
        )
