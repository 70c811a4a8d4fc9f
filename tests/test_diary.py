"""A private cache tells of its writes, and those, replayed, make the real cache what it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from silvr_cli.cache.diary import Diary, Entry, pack, replay
from silvr_cli.cache.leases import lease
from silvr_cli.cache.lookup import search
from silvr_cli.cache.store import Store, StoredStage
from silvr_cli.errors import CacheError
from silvr_cli.records import Line, Usage, Video

VIDEO = Video("sha256:1", "talk.mp4", 10.0)
LINES = (Line(0.0, 2.0, "speech", "hello", None, "fake"), Line(2.0, 3.0, "speech", "you"))
TABLES = ("videos", "paths", "stages", "lines", "pieces", "calls", "answers", "leases")


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table: store.rows(f"SELECT * FROM {table}") for table in TABLES}


def work(store: Store, path: Path) -> None:
    """What a run does to its cache."""
    store.remember_video(path, VIDEO)
    with lease(store, "key"):
        store.put_piece(VIDEO.id, "key", "1", {"said": "hello"})
        store.put_piece(VIDEO.id, "other", "1", {"seen": "a tree"})
        stored = StoredStage("key", "done", None, LINES, ("a note",), None, 1.5)
        store.finish_stage(stored, "speech", VIDEO.id, {"model": "fake"})
    store.add_call(VIDEO.id, "speech", "fake", Usage(1, 10, 5))


def test_what_a_diary_tells_makes_a_cache_what_the_diary_is(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    path.write_text("video", "utf-8")
    told: list[Entry] = []
    with closing(Diary.begin(told.append)) as diary, Store.open(tmp_path / "real") as store:
        work(diary, path)
        for entry in told:
            replay(store, entry)
        assert contents(store) == contents(diary)
        assert store.stage("key")
        assert store.count_pieces("other") == 1
        # A search needs what triggers keep.
        assert [row[5] for row in search(store, "hello")] == ["hello"]


def test_a_parcel_brings_a_video_and_what_was_made_of_it_and_tells_nobody(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    path.write_text("video", "utf-8")
    told: list[Entry] = []
    with Store.open(tmp_path / "real") as store:
        work(store, path)
        with closing(Diary.begin(told.append)) as diary:
            diary.fill(pack(store, VIDEO.id))
            assert diary.video_id(path) == VIDEO.id
            assert diary.stage("key") == store.stage("key")
            assert diary.piece("other", "1") == {"seen": "a tree"}
        with closing(Diary.begin(told.append)) as diary:
            diary.fill(pack(store, VIDEO.id, made=False))
            assert diary.video(VIDEO.id) == VIDEO
            assert diary.stage("key") is None
    assert told == []


def test_what_fails_is_not_told(tmp_path: Path) -> None:
    told: list[Entry] = []
    with closing(Diary.begin(told.append)) as diary:
        with pytest.raises(CacheError):
            diary.write("INSERT INTO nowhere VALUES (1)")
        with pytest.raises(CacheError), diary.transaction() as connection:
            connection.execute("DELETE FROM nowhere")
    assert told == []


def test_a_replay_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    entry: Entry = (
        ("INSERT INTO leases VALUES (?, ?, ?)", (("key", "owner", 0),)),
        ("INSERT INTO nowhere VALUES (?)", ((1,),)),
    )
    with Store.open(tmp_path / "real") as store:
        with pytest.raises(CacheError):
            replay(store, entry)
        assert contents(store)["leases"] == []
