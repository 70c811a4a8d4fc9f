"""The cache file: what it keeps, what it refuses, what is let go of, and who writes at once."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import until
from test_cli import silvr

from silvr_cli.cache import upkeep
from silvr_cli.cache.lookup import search
from silvr_cli.cache.migrations import MIGRATIONS
from silvr_cli.cache.store import Store, StoredStage
from silvr_cli.errors import CacheError, UsageError
from silvr_cli.records import Line, Usage, Video

TALK, LECTURE = Video("sha256:aaa1", "talk.mp4", 60.0), Video("sha256:aab2", "lecture.mp4", 90.0)
TABLES = ("paths", *upkeep.TABLES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def stored(key: str, *texts: str, state: str = "done", error: str | None = None) -> StoredStage:
    lines = tuple(Line(float(i), i + 1.0, "speech", text) for i, text in enumerate(texts))
    return StoredStage(key, state, None, lines, ("a note",), error, 1.5)


def fill(store: Store, video: Video, key: str, *texts: str) -> None:
    """A video with a finished stage, a piece of another one, a call and an answer."""
    store.remember_video(None, video)
    store.finish_stage(stored(key, *texts), "speech", video.id, {})
    store.put_piece(video.id, f"{key} cut short", "0", "half")
    store.add_call(video.id, "reasoning", "fake", Usage(1, 2, 3))
    answer = {"question": "Who?", "text": "Nobody.", "model": "fake"}
    store.add_answer(f"{key}-answer", video.id, {"answer": answer})


def age(store: Store, table: str, days: int) -> None:
    store.write(f"UPDATE {table} SET created = datetime('now', ?)", f"-{days} days")


def sizes(store: Store) -> dict[str, int]:
    return {name: store.rows(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}


# -- opening


def test_what_is_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with Store.open(path) as store:
        fill(store, TALK, "key", "a gate", "a lock")
        before = store.stage("key")
    with Store.open(path) as store:
        assert store.stage("key") == before == stored("key", "a gate", "a lock")
        assert store.video(TALK.id) == TALK
        assert store.piece("key cut short", "0") == "half"
        assert store.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_file_of_any_older_version_is_brought_up_to_date(path: Path, version: int) -> None:
    import sqlite_utils

    with closing(sqlite3.connect(path)) as connection:
        for migration in MIGRATIONS[:version]:
            migration(sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
    with Store.open(path) as store:
        fill(store, TALK, "key", "a gate")
        tables = store.rows("SELECT sql FROM sqlite_master ORDER BY name")
        assert store.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    with Store.open(path) as store:
        assert store.rows("SELECT sql FROM sqlite_master ORDER BY name") == tables
        assert search(store, "gate")


def test_pieces_from_before_they_had_a_video_get_that_of_their_stage(path: Path) -> None:
    import sqlite_utils

    with closing(sqlite3.connect(path)) as connection:
        for migration in MIGRATIONS[:2]:
            migration(sqlite_utils.Database(connection))
        connection.execute("INSERT INTO stages (key, video) VALUES ('key', 'sha256:aaa1')")
        connection.executemany("INSERT INTO pieces VALUES (?, '0', '1')", [("key",), ("other",)])
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
    with Store.open(path) as store:
        rows = store.rows("SELECT stage, video FROM pieces ORDER BY stage")
    assert rows == [("key", "sha256:aaa1"), ("other", None)]


def test_a_file_from_a_newer_silvr_is_refused_and_left_alone(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(CacheError, match="written by a newer silvr") as refusal:
        Store.open(path)
    assert "\n" not in str(refusal.value)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="is a folder"):
        Store.open(tmp_path)


def test_a_file_in_the_way_of_the_folder_is_refused(path: Path) -> None:
    path.write_text("in the way", "utf-8")
    with pytest.raises(CacheError, match="cannot be used"):
        Store.open(path / "cache.sqlite")


@pytest.mark.parametrize("version", [0, 3, -1])
@pytest.mark.parametrize("table", ["", "CREATE TABLE videos (x)"])
def test_a_database_of_another_program_is_refused_and_left_alone(
    path: Path, version: int, table: str
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(table or "CREATE VIEW songs AS SELECT 1")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(CacheError, match="another program's database") as refusal:
        Store.open(path)
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_empty_file_becomes_a_cache(path: Path) -> None:
    path.touch()
    with Store.open(path) as store:
        fill(store, TALK, "key", "a gate")
    with Store.open(path) as store:
        assert search(store, "gate")


def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 100)
    with pytest.raises(CacheError, match="not a database"):
        Store.open(path)
    assert path.read_bytes() == b"Dear diary, " * 100


@contextmanager
def as_a_guest() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that a guest may enter and read; tmp_path is root's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        Path(name).chmod(0o755)


def test_a_file_that_may_only_be_read_is_refused_in_one_sentence(public: Path) -> None:
    path = public / "cache.sqlite"
    with Store.open(path) as store:
        fill(store, TALK, "key", "a gate")
    path.chmod(0o444)
    public.chmod(0o555)
    with as_a_guest(), pytest.raises(CacheError, match="cannot be used") as refusal:
        with Store.open(path) as store:
            fill(store, LECTURE, "other", "a lock")
    assert "\n" not in str(refusal.value)
    public.chmod(0o755)
    path.chmod(0o644)
    with Store.open(path) as store:
        assert [row["name"] for row in upkeep.videos(store)] == ["talk.mp4"]


@pytest.mark.parametrize("size", [20_000, 2_000_000])
def test_a_full_disk_is_told_and_the_transaction_undone(store: Store, size: int) -> None:
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(CacheError, match="disk is full"):
        store.remember_video(None, replace(TALK, warnings=("x" * size,)))
    assert store.video(TALK.id) is None
    store.remember_video(None, TALK)
    assert store.video(TALK.id) == TALK


# -- videos by their paths


def test_a_path_is_remembered_until_the_file_changes(store: Store, tmp_path: Path) -> None:
    video = tmp_path / "talk.mp4"
    video.write_bytes(b"four")
    assert store.video_id(video) is None
    store.remember_video(video, TALK)
    assert store.video_id(video) == TALK.id
    stamp = video.stat().st_mtime_ns
    os.utime(video, ns=(stamp, stamp + 1))
    assert store.video_id(video) is None
    video.write_bytes(b"fives")
    os.utime(video, ns=(stamp, stamp))
    assert store.video_id(video) is None
    store.remember_video(video, LECTURE)
    assert store.video_id(video) == LECTURE.id
    video.unlink()
    assert store.video_id(video) is None


def test_a_relative_path_is_the_same_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"four")
    store.remember_video(tmp_path / "talk.mp4", TALK)
    monkeypatch.chdir(tmp_path)
    assert store.video_id(Path("talk.mp4")) == TALK.id


# -- stages and pieces


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse to make such a file")
def test_a_path_that_is_not_utf8_is_remembered_and_missed(store: Store, tmp_path: Path) -> None:
    file, alike = tmp_path / os.fsdecode(b"a\xff.mp4"), tmp_path / r"a\udcff.mp4"
    file.write_bytes(b"film")
    alike.write_bytes(b"else")
    os.utime(alike, ns=(0, file.stat().st_mtime_ns))
    store.remember_video(file, TALK)
    assert store.video_id(file) == TALK.id
    assert store.video_id(alike) is None
    assert upkeep.matching(store, str(file)) == [TALK.id]
    assert upkeep.collect(store, 30, True)["videos"] == 0
    file.unlink()
    assert upkeep.collect(store, 30, True)["videos"] == 1


def test_pieces_survive_reopening_and_go_when_their_stage_is_done(path: Path) -> None:
    with Store.open(path) as store:
        store.put_piece(TALK.id, "key", "0", {"text": "ü"})
        store.put_piece(TALK.id, "key", "0", {"text": "better"})
        store.put_piece(TALK.id, "other", "0", [])
    with Store.open(path) as store:
        assert store.piece("key", "0") == {"text": "better"}
        assert store.piece("key", "1") is None
        store.finish_stage(stored("key"), "speech", TALK.id, {})
        assert (store.count_pieces("key"), store.count_pieces("other")) == (0, 1)


def test_a_failed_stage_keeps_its_error_and_its_pieces(store: Store) -> None:
    store.put_piece(TALK.id, "key", "0", "kept")
    failed = stored("key", state="failed", error="the model said no")
    store.finish_stage(failed, "speech", TALK.id, {})
    assert store.stage("key") == failed
    assert store.piece("key", "0") == "kept"


def test_a_stage_done_again_replaces_its_lines(store: Store) -> None:
    fill(store, TALK, "key", "an old gate")
    store.finish_stage(stored("key", "a new door"), "speech", TALK.id, {})
    assert search(store, "gate") == []
    assert [row[5] for row in search(store, "door")] == ["a new door"]


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    def cut_short() -> None:
        with store.transaction() as connection:
            connection.execute("INSERT INTO leases VALUES ('key', 'me', 0)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_short()
    assert store.rows("SELECT * FROM leases") == []


# -- search


def test_search_finds_lines_by_their_words_and_the_best_first(store: Store) -> None:
    fill(store, TALK, "a", "The gates were opened", "A man sings", "gate code of the gate")
    fill(store, LECTURE, "b", "A gate in a lecture on gardens and what they grow in them")
    found = search(store, "gate code")
    assert found[0][:6] == (TALK.id, "talk.mp4", 2.0, 3.0, "speech", "gate code of the gate")
    assert len(found) == 3
    scores = [row[6] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert [row[1] for row in search(store, "gate", video=LECTURE.id)] == ["lecture.mp4"]
    assert len(search(store, "gate", limit=1)) == 1


@pytest.mark.parametrize(
    "query",
    ['"gate', 'gate"', "gate AND NOT", "NEAR( gate )", "text: gate*", "gate' --", "^gate", "-gate"],
)
def test_search_takes_operators_and_quotes_as_words(store: Store, query: str) -> None:
    fill(store, TALK, "key", "The gate was opened", "A lamp")
    assert [row[5] for row in search(store, query)] == ["The gate was opened"]


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("灯塔", "我们看见了灯塔的光"),
        ("灯塔在哪里？", "我们看见了灯塔的光"),
        ("ประภาคาร", "เรือแล่นไปที่ประภาคารแล้ว"),
        ("등대", "그들은 등대를 보았다"),
    ],
)
def test_search_finds_what_scripts_without_spaces_hold(store: Store, query: str, line: str) -> None:
    told = ("我们看见了灯塔的光", "船从北方来", "เรือแล่นไปที่ประภาคารแล้ว", "그들은 등대를 보았다")
    fill(store, TALK, "key", *told)
    found = [row[5] for row in search(store, query)]
    assert found[0] == line
    assert "船从北方来" not in found


@pytest.mark.parametrize("query", ["", " \n ", '"', "* ( )", "zebra"])
def test_search_for_nothing_finds_nothing(store: Store, query: str) -> None:
    fill(store, TALK, "key", "The gate was opened")
    assert search(store, query) == []


# -- answers


def test_an_answer_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for answer_id in ("abc1", "abd2", "a%_3"):
        answer = {"question": answer_id, "text": "Yes.", "model": "fake"}
        store.add_answer(answer_id, TALK.id, {"answer": answer})
    assert store.answer("abc")["answer"]["question"] == "abc1"
    assert store.answer("a%")["answer"]["question"] == "a%_3"
    with pytest.raises(UsageError, match="2 answers with an id that begins 'ab'"):
        store.answer("ab")
    with pytest.raises(UsageError, match="no answer with an id that begins 'b'"):
        store.answer("b")


# -- upkeep


def test_counts_tell_what_the_file_holds(store: Store, path: Path) -> None:
    fill(store, TALK, "key", "a gate", "a lock")
    found = upkeep.counts(store)
    assert found.pop("bytes") == path.stat().st_size
    assert found == {
        "path": str(path),
        "schema": len(MIGRATIONS),
        "videos": 1,
        "stages": 1,
        "pieces": 1,
        "lines": 2,
        "calls": 1,
        "answers": 1,
    }


def test_videos_are_listed_with_what_is_known_of_them(store: Store) -> None:
    fill(store, TALK, "a", "a gate", "a lock")
    store.finish_stage(stored("b", state="failed", error="no"), "captions", TALK.id, {})
    store.remember_video(None, LECTURE)
    store.write("UPDATE videos SET used = '2001-01-01' WHERE id = ?", TALK.id)
    rows = upkeep.videos(store)
    assert [(v["name"], v["stages"], v["lines"], v["answers"]) for v in rows] == [
        ("lecture.mp4", 0, 0, 0),
        ("talk.mp4", 1, 2, 1),
    ]


def test_a_video_is_found_by_path_name_or_the_beginning_of_its_id(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "renamed.mp4"
    file.write_bytes(b"four")
    store.remember_video(file, TALK)
    store.remember_video(None, LECTURE)
    for words in (str(file), "talk.mp4", "sha256:aaa", "aaa1"):
        assert upkeep.matching(store, words) == [TALK.id]
    assert sorted(upkeep.matching(store, None)) == [TALK.id, LECTURE.id]
    with pytest.raises(UsageError, match="knows no video 'talk'"):
        upkeep.matching(store, "talk")


def test_forgetting_a_video_leaves_nothing_of_it_and_all_of_the_others(store: Store) -> None:
    fill(store, LECTURE, "b", "a gate in a lecture")
    others = sizes(store)
    fill(store, TALK, "a", "a gate", "a lock")
    upkeep.forget(store, [TALK.id])
    assert sizes(store) == others
    assert [row[1] for row in search(store, "gate")] == ["lecture.mp4"]
    assert store.rows("PRAGMA integrity_check") == [("ok",)]


def test_gc_drops_what_failed_was_superseded_or_abandoned_long_ago(store: Store) -> None:
    store.remember_video(None, TALK)
    for key, state in (("old", "done"), ("bad", "failed")):
        store.finish_stage(stored(key, "a gate", state=state), "speech", TALK.id, {})
    store.finish_stage(stored("other", "a gate"), "captions", TALK.id, {})
    store.put_piece(TALK.id, "abandoned", "0", "half")
    assert set(upkeep.collect(store, 1, False).values()) == {0}
    age(store, "stages", 2)
    age(store, "pieces", 2)
    store.finish_stage(stored("new", "a door"), "speech", TALK.id, {})
    store.put_piece(TALK.id, "young", "0", "half")
    assert upkeep.collect(store, 1, False) == {
        "failed stages": 1,
        "superseded stages": 1,
        "pieces": 1,
        "videos": 0,
    }
    assert store.rows("SELECT key FROM stages ORDER BY key") == [("new",), ("other",)]
    assert store.rows("SELECT stage FROM pieces") == [("young",)]
    assert len(search(store, "gate")) == 1


def test_gc_spares_the_pieces_that_somebody_is_at_work_on(store: Store) -> None:
    store.write("INSERT INTO leases VALUES ('leased', 'me', 0)")
    for key in ("leased", "left"):
        store.put_piece(TALK.id, key, "0", "half")
    assert upkeep.collect(store, 0, False)["pieces"] == 1
    assert store.rows("SELECT stage FROM pieces") == [("leased",)]
    age(store, "pieces", 2)
    assert upkeep.collect(store, 0, False)["pieces"] == 1, "nobody rests for a day"


def test_gc_forgets_videos_whose_files_are_gone_if_asked(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "talk.mp4"
    file.write_bytes(b"four")
    store.remember_video(file, TALK)
    store.remember_video(None, LECTURE)
    assert upkeep.collect(store, 7, True)["videos"] == 0
    file.unlink()
    assert upkeep.collect(store, 7, False)["videos"] == 0
    assert upkeep.collect(store, 7, True)["videos"] == 1
    assert store.rows("SELECT id FROM videos") == [(LECTURE.id,)]


def test_the_commands_show_and_let_go_of_the_same(path: Path) -> None:
    with Store.open(path) as store:
        fill(store, TALK, "a", "a gate", *["many words " * 2000] * 50)
        fill(store, LECTURE, "b", "a lecture")
        assert json.loads(silvr("cache", "ls", "--json").stdout) == upkeep.videos(store)
        assert json.loads(silvr("cache", "info", "--json").stdout) == upkeep.counts(store)
    before = path.stat().st_size
    forgot = silvr("cache", "rm", "talk.mp4", "--yes")
    assert (forgot.returncode, forgot.stderr) == (0, "1 video(s) forgotten\n")
    dropped = silvr("cache", "gc", "--keep-days", "0")
    assert (dropped.returncode, dropped.stdout) == (0, "")
    assert "1 pieces" in dropped.stderr
    assert path.stat().st_size < before - 1_000_000, "the space is not given back"
    with Store.open(path) as store:
        assert [row["name"] for row in upkeep.videos(store)] == ["lecture.mp4"]


def test_nothing_is_forgotten_unless_it_is_confirmed(path: Path) -> None:
    with Store.open(path) as store:
        fill(store, TALK, "a", "a gate")
    for words in (["--all"], ["talk.mp4", "--all", "--yes"]):
        assert silvr("cache", "rm", *words).returncode != 0
    with Store.open(path) as store:
        assert store.video(TALK.id) == TALK


# -- many at once


def test_threads_share_a_store(store: Store) -> None:
    def write(thread: int) -> None:
        for number in range(25):
            store.put_piece(TALK.id, "key", f"{thread}-{number}", number)
            store.finish_stage(stored(f"{thread}", f"word{number}"), "speech", TALK.id, {})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert store.count_pieces("key") == 50
    assert store.rows("SELECT text FROM lines") == [("word24",)] * 2
    assert store.rows("PRAGMA integrity_check") == [("ok",)]


WRITER = """
import sys
from pathlib import Path
from silvr_cli.cache.store import Store
from silvr_cli.records import Video

path, mark = Path(sys.argv[1]), sys.argv[2]
import sqlite_utils
path.with_name(mark).touch()
while not path.with_name("go").exists():
    pass
for number in range(40):
    with Store.open(path) as store:
        store.put_piece("sha256:aaa1", "key", f"{mark}-{number}", number)
        store.remember_video(None, Video(f"sha256:{mark}-{number}", mark, 1.0))
"""


def test_processes_make_and_write_one_file_at_once(path: Path) -> None:
    marks = ("one", "two")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, mark], stderr=subprocess.PIPE, text=True
        )
        for mark in marks
    ]
    until(lambda: all(path.with_name(mark).exists() for mark in marks))
    path.with_name("go").touch()
    errors = [writer.communicate(timeout=60)[1] for writer in writers]
    assert errors == ["", ""]
    with Store.open(path) as store:
        assert store.count_pieces("key") == 80
        assert len(upkeep.videos(store)) == 80
        assert store.rows("PRAGMA integrity_check") == [("ok",)]


def test_whoever_finds_the_new_file_locked_waits(path: Path) -> None:
    """SQLite answers "locked" at once when two switch a new file to WAL, whatever its timeout."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(Store.open, path)
            assert wait([opening], timeout=0.3).not_done == {opening}
            other.execute("COMMIT")
            with opening.result() as store:
                assert store.rows("PRAGMA journal_mode") == [("wal",)]
