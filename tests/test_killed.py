"""The command killed, or run twice at once: nothing is lost, done twice or corrupted."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker, until

WINDOWS = 5
STAGES = ["captions", "clips", "scenes", "screen_text", "speech"]

# `silvr` that writes down each transcribed window and finished stage, and that lets the window
# number `stop_at` wait for the file `go`.
WATCHED = """
import sys, time
from pathlib import Path
from silvr_cli import graph
from silvr_cli.backends.fake import FakeSpeech
from silvr_cli.cache import leases
from silvr_cli.cache.store import Store

folder, stop_at, stale = Path(sys.argv.pop(1)), int(sys.argv.pop(1)), float(sys.argv.pop(1))
transcribe, finish_stage, heard = FakeSpeech.transcribe, Store.finish_stage, []

def log(what):
    with open(folder / "log", "a") as file:
        file.write(what + "\\n")

def watched_transcribe(self, sound, language):
    if len(heard) == stop_at:
        (folder / "stopped").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    heard.extend(transcribe(self, sound, language))
    log(heard[-1].text)
    return heard[-1:]

def watched_finish(self, stored, name, *values):
    finish_stage(self, stored, name, *values)
    log(name)

def lease(store, key, check):
    def watched_check():
        (folder / "waiting").touch()
        check()
    return leases.lease(store, key, watched_check, stale)

FakeSpeech.slots = 1  # windows are told apart by their order
FakeSpeech.transcribe, Store.finish_stage = watched_transcribe, watched_finish
leases.BEAT_SECONDS = leases.POLL_SECONDS = 0.05
graph.lease = lease

from silvr_cli.__main__ import main
main()
"""


class Bench:
    """Runs the watched command on one video and one cache, and reads what was written down."""

    def __init__(self, folder: Path, video: Path, running: ExitStack) -> None:
        self.folder, self.video, self.running = folder, video, running
        self.cache = folder / "cache.sqlite"

    def start(self, stop_at: int = -1, stale: float = 60, cache: str = "") -> Any:
        words = ["timeline", self.video, "--speech", "fake", "--reader", "fake", "--format", "json"]
        words += ["--cache", self.folder / cache] if cache else []
        command = [sys.executable, "-c", WATCHED, self.folder, stop_at, stale, *words]
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.running.enter_context(process)
        self.running.callback(process.kill)
        return process

    def wait_for(self, name: str, process: Any) -> None:
        until(lambda: (self.folder / name).exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]

    def log(self) -> Counter[str]:
        return Counter((self.folder / "log").read_text("utf-8").splitlines())

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.cache)) as connection:
            return connection.execute(sql).fetchall()

    def done(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT name FROM stages ORDER BY name")]


def finished(process: Any) -> Any:
    """The timeline that a command printed."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(out)


@pytest.fixture
def bench(tmp_path: Path, make_video: VideoMaker) -> Iterator[Bench]:
    pictures = [np.full((90, 160, 3), 40 + 150 * (i // 20 % 2), np.uint8) for i in range(50)]
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * 49).astype(np.float32)
    with ExitStack() as running:
        yield Bench(tmp_path, make_video("talk.mp4", pictures, 1, sound), running)


def test_a_killed_run_goes_on_where_it_was_and_ends_as_if_undisturbed(bench: Bench) -> None:
    killed = bench.start(stop_at=2)
    bench.wait_for("stopped", killed)
    until(lambda: bench.done() == STAGES[:-1])
    until(lambda: bench.rows("SELECT count(*) FROM leases") == [(1,)])
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert bench.rows("PRAGMA integrity_check") == [("ok",)]
    kept = "SELECT count(*) FROM pieces WHERE piece LIKE 'speech %'"
    assert bench.rows(kept) == [(2,)]
    assert bench.rows("SELECT count(*) FROM leases") == [(1,)]

    timeline = finished(bench.start(stale=0.5))
    assert set(bench.log().values()) == {1}, "something was done twice"
    assert len(bench.log()) == WINDOWS + len(STAGES)
    assert bench.done() == STAGES
    for table in ("pieces", "leases"):
        assert bench.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert timeline == finished(bench.start(cache="another.sqlite"))
    assert len([line for line in timeline["lines"] if line["kind"] == "speech"]) == WINDOWS


def test_two_runs_at_once_share_the_work_and_the_result(bench: Bench) -> None:
    first = bench.start(stop_at=2)
    bench.wait_for("stopped", first)
    second = bench.start()
    bench.wait_for("waiting", second)
    (bench.folder / "go").touch()
    assert finished(first) == finished(second)
    assert set(bench.log().values()) == {1}, "something was done twice"
    assert len(bench.log()) == WINDOWS + len(STAGES)
    assert bench.rows("PRAGMA integrity_check") == [("ok",)]


WRITER = """
import sys
from pathlib import Path
from silvr_cli.cache.store import Store, StoredStage
from silvr_cli.records import Line

lines = tuple(Line(float(i), i + 1.0, "speech", f"line {i}") for i in range(50))
store, number = Store.open(Path(sys.argv[1])), int(sys.argv[2])
while True:
    number += 1
    store.put_piece("video", f"partial {number}", "0", number)
    store.put_piece("video", f"done {number}", "0", number)
    stored = StoredStage(f"done {number}", "done", None, lines, (), None, 1.0)
    store.finish_stage(stored, "speech", "video", {})
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_has_lost_nothing_it_had_finished(bench: Bench) -> None:
    told = 0
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, bench.cache, str(told)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout
            told = int(writer.stdout.readline())
            writer.kill()
            told += writer.stdout.read().count("\n")
    assert bench.rows("PRAGMA integrity_check") == [("ok",)]
    kept = {row[0] for row in bench.rows("SELECT stage FROM pieces")}
    assert {f"partial {n}" for n in range(1, told + 1)} <= kept
    sizes = dict(bench.rows("SELECT stage, count(*) FROM lines GROUP BY stage"))
    assert set(sizes.values()) == {50}
    assert {f"done {n}" for n in range(1, told + 1)} <= set(sizes)
    assert not kept & set(sizes), "a finished stage has pieces"
