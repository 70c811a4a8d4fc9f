"""Looking over the cache and letting go of what nobody needs; nothing here is on the way to an
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..legible import legible
from . import paths
from .store import Store

TABLES = ("videos", "stages", "pieces", "lines", "calls", "answers")


def counts(store: Store) -> dict[str, Any]:
    """Path, size in bytes, schema version and how many rows each table holds."""
    return {
        "path": str(store.path),
        "bytes": store.path.stat().st_size,
        "schema": store.rows("PRAGMA user_version")[0][0],
        **{name: store.rows(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES},
    }


def videos(store: Store) -> list[dict[str, Any]]:
    """Every video with its finished stages, lines and answers, the latest used first."""
    names = ("id", "name", "duration", "used", "stages", "lines", "answers")
    rows = store.rows(
        "SELECT id, name, duration, used,"
        " (SELECT count(*) FROM stages WHERE video = videos.id AND state = 'done'),"
        " (SELECT count(*) FROM lines WHERE video = videos.id),"
        " (SELECT count(*) FROM answers WHERE video = videos.id)"
        " FROM videos ORDER BY used DESC, name"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def chats(store: Store) -> list[dict[str, Any]]:
    """Every conversation with its video's name and first question, the latest first."""
    names = ("id", "video", "questions", "first", "used")
    rows = store.rows(
        "SELECT chats.id, coalesce(videos.name, chats.video), json_array_length(turns),"
        " json_extract(turns, '$[0].question'), created"
        " FROM chats LEFT JOIN videos ON videos.id = chats.video ORDER BY created DESC, chats.rowid"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def matching(store: Store, video: str | None) -> list[str]:
    """Ids of the videos at a path, of a name, or whose id begins so; None means every video.

    Raises UsageError when there is none.
    """
    if video is None:
        return [row[0] for row in store.rows("SELECT id FROM videos")]
    by_path = store.rows("SELECT video FROM paths WHERE path = ?", paths.stored(Path(video)))
    found = by_path or store.rows(
        "SELECT id FROM videos WHERE name = ? OR substr(id, 1, ?) = ? OR substr(id, 8, ?) = ?",
        legible(video),
        len(video),
        video,
        len(video),
        video,
    )
    if not found:
        raise UsageError(f"the cache knows no video '{video}'", "silvr cache ls lists them")
    return [row[0] for row in found]


def forget(store: Store, ids: Sequence[str]) -> None:
    """Drop videos with everything that hangs on them, in one transaction."""
    tables = ("lines", "pieces", "stages", "paths", "addresses", "calls", "answers", "chats")
    with store.transaction() as connection:
        for video in ids:
            for table in tables:
                connection.execute(f"DELETE FROM {table} WHERE video = ?", (video,))
            connection.execute("DELETE FROM videos WHERE id = ?", (video,))


def collect(store: Store, keep_days: float, missing: bool) -> dict[str, int]:
    """Drop failed stages and superseded results older than `keep_days`, and stray pieces.

    A result is superseded when a later one of the same stage and video was written, whatever the
    clock said. With `missing`,
    videos none of whose files exist any more are forgotten too.
    """
    old = f"-{keep_days} days"
    dropped = {"failed stages": 0, "superseded stages": 0, "pieces": 0, "videos": 0}
    if missing:
        gone = [video for video in matching(store, None) if _gone(store, video)]
        forget(store, gone)
        dropped["videos"] = len(gone)
    with store.transaction() as connection:
        old_enough = "julianday(created) <= julianday('now', ?)"
        failed = f"SELECT key FROM stages WHERE state != 'done' AND {old_enough}"
        superseded = (
            f"SELECT key FROM stages AS mine WHERE {old_enough} AND EXISTS"
            " (SELECT 1 FROM stages WHERE video = mine.video AND name = mine.name"
            " AND state = 'done' AND rowid > mine.rowid)"
        )
        for what, keys in (("failed stages", failed), ("superseded stages", superseded)):
            doomed = connection.execute(keys, (old,)).fetchall()
            for table, column in (("lines", "stage"), ("pieces", "stage"), ("stages", "key")):
                connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", doomed)
            dropped[what] = len(doomed)
        # Somebody may be at work on a leased stage, but a killed run leaves its lease behind, too.
        dropped["pieces"] = connection.execute(
            "DELETE FROM pieces WHERE julianday(coalesce(created, 0)) <= julianday('now', ?)"
            " AND (stage NOT IN (SELECT key FROM leases)"
            " OR julianday(coalesce(created, 0)) <= julianday('now', '-1 day'))",
            (old,),
        ).rowcount
    store.write("VACUUM")
    return dropped


def _gone(store: Store, video: str) -> bool:
    rows = store.rows("SELECT path FROM paths WHERE video = ?", video)
    return bool(rows) and not any(paths.read(row[0]).exists() for row in rows)
