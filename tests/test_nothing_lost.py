"""Full disks, network drives, newer versions, wrong clocks, files in flux: told, nothing lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker

from silvr_cli import intake, pipeline
from silvr_cli.cache import journal, leases, upkeep
from silvr_cli.cache.migrations import MIGRATIONS
from silvr_cli.cache.store import Store, StoredStage
from silvr_cli.cli.display import write_atomically
from silvr_cli.configuration import load
from silvr_cli.engine import work
from silvr_cli.engine.jobs import Job
from silvr_cli.errors import CacheError, InputError, UsageError
from silvr_cli.media import decode, original, probe
from silvr_cli.records import Line, Video

TALK = Video("sha256:aaa1", "talk.mp4", 90.0)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


@pytest.fixture
def talk(make_video: VideoMaker) -> Path:
    pictures = [np.full((36, 64, 3), 40 + 150 * (i // 10 % 2), np.uint8) for i in range(20)]
    return make_video("talk.mp4", pictures, 10, np.zeros(16_000 * 2, np.float32))


def stored(key: str, text: str) -> StoredStage:
    return StoredStage(key, "done", None, (Line(0, 1, "speech", text),), (), None, 1.0)


def session_of(**more: Any) -> pipeline.Session:
    flags = {f"models.{role}": "fake" for role in ("llm", "speech", "vision", "reader")}
    return pipeline.Session.open(load({**flags, **more}).settings)


# -- disks


FILLS = """
import resource, signal, sys
from pathlib import Path
from silvr_cli.cache.store import Store
from silvr_cli.errors import CacheError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store.open(Path(sys.argv[1])) as store:
    store.put_piece("v", "stage", "first", "kept")
    limit = 1_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        for number in range(100_000):
            store.put_piece("v", "stage", str(number), "x" * 50_000)
    except CacheError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of Unix")
def test_a_disk_that_fills_up_is_told_and_what_was_stored_stays(cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLS, cache], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 1
    assert "cannot be used" in done.stdout
    assert "name another file with --cache" in done.stdout
    with Store.open(cache) as store:
        assert store.rows("PRAGMA integrity_check") == [("ok",)]
        assert store.piece("stage", "first") == "kept"
        assert store.count_pieces("stage") > 1


def test_no_room_for_the_frames_is_told(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(decode._Pass, "run", full)
    with session_of() as session:
        with pytest.raises(UsageError, match=r"frames: No space left on device \(make room there"):
            pipeline.describe(pipeline.Source(talk), session)
        assert session.store.rows("SELECT count(*) FROM lines") == [(0,)]


def test_an_output_that_fails_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.txt"
    write_atomically(target, "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"out.txt cannot be written: No space left on device"):
        write_atomically(target, "new")
    assert target.read_text("utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_an_output_keeps_its_rights_and_its_link(tmp_path: Path) -> None:
    target, link = tmp_path / "out.txt", tmp_path / "link.txt"
    write_atomically(target, "one")
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode, "not the rights of a new file"
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, "two")
    assert link.is_symlink()
    assert target.read_text("utf-8") == "two\n"
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
def test_an_output_may_be_a_pipe() -> None:
    code = (
        "from pathlib import Path; from silvr_cli.cli.display import write_atomically;"
        "write_atomically(Path('/dev/stdout'), 'hello')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    assert Path("/dev/stdout").is_symlink()


# -- network drives


MOUNTED = """\
/dev/sda1 / ext4 rw 0 0
server:/home {folder} nfs4 rw,vers=4.2 0 0
/dev/sdb1 {folder}/local ext4 rw 0 0
ann@host: {folder}/my\\040drive fuse.sshfs rw 0 0
"""


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTED.format(folder=tmp_path), "utf-8")
    monkeypatch.setattr(journal, "MOUNTS", mounts)
    return tmp_path


def test_a_network_drive_is_told_from_a_disk(drives: Path) -> None:
    assert journal.networked(drives / "cache.sqlite")
    assert journal.networked(drives / "my drive" / "cache.sqlite")
    assert not journal.networked(drives / "local" / "cache.sqlite")
    assert not journal.networked(Path("/elsewhere/cache.sqlite"))


def test_on_a_network_drive_nothing_is_written_ahead(drives: Path, cache: Path) -> None:
    with Store.open(cache) as one, Store.open(cache) as two:
        assert one.rows("PRAGMA journal_mode") == [("delete",)]
        one.put_piece("v", "stage", "one", 1)
        two.put_piece("v", "stage", "two", 2)
        assert one.count_pieces("stage") == two.count_pieces("stage") == 2
    assert sorted(p.name for p in drives.iterdir()) == ["cache.sqlite", "mounts"]


def test_a_cache_moved_to_a_network_drive_loses_nothing(
    cache: Path, drives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as here:
        here.setattr(journal, "MOUNTS", drives / "none")
        with Store.open(cache) as store:
            assert store.rows("PRAGMA journal_mode") == [("wal",)]
            store.put_piece("v", "stage", "one", 1)
    with Store.open(cache) as store:
        assert store.rows("PRAGMA journal_mode") == [("delete",)]
        assert store.piece("stage", "one") == 1


def test_a_drive_that_cannot_write_ahead_is_used_the_plain_way() -> None:
    class Stubborn:
        def execute(self, sql: str) -> Any:

            if "WAL" in sql:
                raise sqlite3.OperationalError("disk I/O error")
            return plain.execute("SELECT 'delete'")

    with closing(sqlite3.connect(":memory:")) as plain:
        assert journal.journal(Stubborn(), Path("/x/cache"), 1.0) == "delete"  # type: ignore[arg-type]


# -- versions


def test_a_newer_file_is_not_touched(cache: Path) -> None:
    with closing(sqlite3.connect(cache)) as newer:
        newer.execute("CREATE TABLE tomorrow (x)")
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        newer.commit()
    before = cache.read_bytes()
    with pytest.raises(CacheError, match="written by a newer silvr"):
        Store.open(cache)
    assert cache.read_bytes() == before


def test_a_newer_silvr_beside_a_running_one_is_told(cache: Path) -> None:
    with Store.open(cache) as old:
        old.remember_video(None, TALK)
        with closing(sqlite3.connect(cache)) as newer:
            newer.execute("ALTER TABLE videos ADD COLUMN tomorrow")
            newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
            newer.commit()
        with pytest.raises(CacheError, match=r"was written by a newer silvr \(upgrade silvr"):
            old.remember_video(None, TALK)
        assert old.video(TALK.id) == TALK
    with closing(sqlite3.connect(cache)) as newer:
        assert newer.execute("SELECT id, tomorrow FROM videos").fetchall() == [(TALK.id, None)]
        assert newer.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# -- clocks


def test_leases_ask_no_wall_clock(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps can neither end a living lease nor prolong a dead one."""
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.01)

    def no_clock() -> float:
        raise AssertionError("a lease read the wall clock")

    with Store.open(cache) as store:
        store.write("INSERT INTO leases VALUES ('key', 'dead', 7)")
        monkeypatch.setattr(time, "time", no_clock)
        with leases.lease(store, "key", stale=0.1):
            assert store.rows("SELECT key FROM leases") == [("key",)]
        assert store.rows("SELECT key FROM leases") == []


def test_what_is_superseded_is_told_by_order_and_not_by_the_clock(cache: Path) -> None:
    with Store.open(cache) as store:
        store.remember_video(None, TALK)
        store.finish_stage(stored("old", "a gate"), "speech", TALK.id, {})
        # The clock was wrong by years and has been set right.
        store.write("UPDATE stages SET created = '2035-01-01T00:00:00+00:00'")
        store.finish_stage(stored("new", "a door"), "speech", TALK.id, {})
        assert [key for key, *_ in store.finished("speech")] == ["old", "new"]
        store.write("UPDATE stages SET created = '2001-01-01' WHERE key = 'new'")
        store.write("UPDATE stages SET created = '2002-01-01' WHERE key = 'old'")
        upkeep.collect(store, 1, False)
        assert store.rows("SELECT key FROM stages") == [("new",)]


# -- files in flux


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def test_a_file_that_grows_while_it_is_hashed_is_noticed(
    talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content_id = probe.content_id

    def hashed(path: Path) -> str:
        found = content_id(path)
        grow(path)
        return found

    monkeypatch.setattr(probe, "content_id", hashed)
    with session_of() as session:
        with pytest.raises(InputError, match=r"talk.mp4 changed while it was read \(wait until"):
            pipeline.describe(pipeline.Source(talk), session)
        assert session.store.rows("SELECT count(*) FROM videos") == [(0,)]


def later(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize("change", [grow, later, Path.unlink])
def test_a_file_that_changes_while_it_is_decoded_is_noticed(
    talk: Path, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = decode._Pass.run

    def decoded(self: Any, path: Path, report: Any) -> Any:
        footage = run(self, path, report)
        change(path)
        return footage

    monkeypatch.setattr(decode._Pass, "run", decoded)
    with session_of() as session:
        with pytest.raises(
            InputError, match=r"changed while it was read|does not exist|No such file"
        ):
            pipeline.describe(pipeline.Source(talk), session)
        for table in ("lines", "pieces"):
            assert session.store.rows(f"SELECT count(*) FROM {table}") == [(0,)]
        assert session.store.rows("SELECT count(*) FROM stages WHERE state = 'done'") == [(0,)]


@pytest.mark.parametrize("role", ["subtitles", "captions"])
def test_text_that_changes_while_it_is_read_is_noticed(
    talk: Path, tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from silvr_cli.media import own_text, subtitles

    text = tmp_path / "own.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello.\n", "utf-8")
    for module, name in ((subtitles, "read_subtitles"), (own_text, "read_captions")):
        read = getattr(module, name)

        def changed(path: Path, *rest: Any, read: Any = read) -> Any:
            grow(path)
            return read(path, *rest)

        monkeypatch.setattr(module, name, changed)
    with session_of() as session:
        with pytest.raises(InputError, match=r"own.srt changed while it was read"):
            pipeline.describe(pipeline.Source(talk, **{role: text}), session)
        assert session.store.rows("SELECT count(*) FROM lines WHERE kind != 'screen'") == [(0,)]


# -- what is no file


def test_links_in_a_circle_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    loop, dangling, pipe = tmp_path / "loop.mp4", tmp_path / "gone.mp4", tmp_path / "pipe.mp4"
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "nothing")
    os.mkfifo(pipe)
    cases = {
        loop: "cannot be read: Too many levels of symbolic links",
        dangling: "points to nothing",
        pipe: "is a pipe or a device, not a file",
        Path("/dev/zero"): "is a pipe or a device, not a file",
        tmp_path: "is a folder",
        tmp_path / ("x" * 300): "cannot be read: File name too long",
    }
    with session_of() as session:
        for path, message in cases.items():
            with pytest.raises(InputError, match=message):
                intake.identify(path, session.store)


def test_a_file_that_may_not_be_read_is_told(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(original.os, "access", lambda path, mode: False)
    with session_of() as session:
        with pytest.raises(InputError, match=r"talk.mp4 cannot be read: Permission denied"):
            pipeline.describe(pipeline.Source(talk), session)


def test_a_folder_that_may_not_be_read_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(original.os, "scandir", shut)
    with session_of() as session, pytest.raises(InputError, match="cannot be read: Permission"):
        intake.identify(tmp_path, session.store)


def test_looking_at_what_is_no_file_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within, stat = tmp_path / "shut" / "talk.mp4", Path.stat

    def shut(self: Path, **how: Any) -> os.stat_result:
        if self == within:
            raise PermissionError(13, "Permission denied")
        return stat(self, **how)

    monkeypatch.setattr(Path, "stat", shut)
    cases = {str(within): "cannot be read: Permission denied", "a\0.mp4": "cannot be a file"}
    with session_of() as session:
        for name, message in cases.items():
            failure = work.look(Job(0, name, "timeline"), session).failure
            assert failure
            assert failure.code == "input_error"
            assert message in failure.message
