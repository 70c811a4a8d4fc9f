"""Workers that die and batches that are interrupted: nothing else is lost, nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker, until

FAKE = ("--llm", "fake", "--speech", "fake", "--vision", "none", "--reader", "fake")

# `silvr` in which a video named crash kills its worker, and the question "wait" is never answered.
# Workers import it again, so it holds in them, too.
ODD = """
import os, signal, threading, time
from pathlib import Path
from silvr_cli import pipeline
from silvr_cli.backends.fake import FakeText

describe, chat = pipeline.describe, FakeText.chat

def crashing(source, session, *then):
    if source.video.name.startswith("crash"):
        # Else it may take the unlucky one along before that has died of its own.
        while not Path("tries").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGSEGV)
    if source.video.name.startswith("unlucky"):
        with open("tries", "a") as file:
            file.write("x")
        if Path("tries").stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    if source.video.name.startswith("bug"):
        raise ZeroDivisionError("a bug")
    return describe(source, session, *then)

def waiting(self, messages, request):
    if "wait" in messages[-1].content:
        Path("waiting").touch()
        threading.Event().wait()
    return chat(self, messages, request)

pipeline.describe, FakeText.chat = crashing, waiting
from silvr_cli.__main__ import main

if __name__ == "__main__":
    main()
"""

# A worker whose first order is there before it has imported anything, and that is slow to import.
EARLY = """
import multiprocessing, time
from importlib.machinery import SourceFileLoader

def slow(self, spec):
    if spec.name == "silvr_cli.backends":
        time.sleep(0.5)

SourceFileLoader.create_module = slow

if __name__ == "__main__":
    from silvr_cli.engine.crew import Order, Outfit, serve
    from silvr_cli import cores
    from silvr_cli.engine.jobs import Job
    from silvr_cli.settings import Settings

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    ours.send(Order(7, "look", Job(0, "talk-0.mp4", "timeline")))
    settings = Settings.model_validate({"models": {"speech": "none", "vision": "none"}})
    outfit = Outfit(settings, 1, 3, 1, "scratch")
    worker = context.Process(target=serve, args=(theirs, outfit, cores.ours()), daemon=True)
    worker.start()
    theirs.close()
    print(*ours.recv())
    ours.close()
    worker.join()
"""


# The first process of all, which starts Python's resource tracker, too.
DEAF = """
import multiprocessing, signal

def say():
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))

if __name__ == "__main__":
    from silvr_cli.engine.crew import _deaf

    process = multiprocessing.get_context("spawn").Process(target=say)
    with _deaf():
        process.start()
    process.join()
"""


@pytest.fixture
def folder(tmp_path: Path, make_video: VideoMaker) -> Path:
    (tmp_path / "odd.py").write_text(ODD, "utf-8")
    (tmp_path / "scratch").mkdir()
    for number in range(3):
        pictures = [np.full((36, 64, 3), 40 * number, np.uint8) for _ in range(10)]
        make_video(f"talk-{number}.mp4", pictures)
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "odd.py", "batch", *FAKE, *words, "--workers", "2"]
    return subprocess.Popen(
        [*command, "-o", "out.jsonl"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "scratch")},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lines(folder: Path) -> list[dict[str, Any]]:
    data = (folder / "out.jsonl").read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def test_a_video_that_kills_its_worker_costs_its_own_line_alone(folder: Path) -> None:
    for name in ("crash", "bug", "unlucky"):
        (folder / f"{name}.mp4").write_bytes((folder / "talk-1.mp4").read_bytes() + name.encode())
    with start(folder, ".", "--question", "Who?") as process:
        _, errors = process.communicate()
    assert process.returncode == 5, errors
    assert "Traceback" not in errors
    found = {Path(line["video"]).stem: line for line in lines(folder)}
    assert {name for name, line in found.items() if line["error"]} == {"crash", "bug"}
    assert found["crash"]["error"]["code"] == "worker_died"
    assert "signal 11" in found["crash"]["error"]["message"]
    assert found["bug"]["error"]["code"] == "unexpected"
    assert "ZeroDivisionError: a bug" in found["bug"]["error"]["message"]
    assert set(found) == {"crash", "bug", "unlucky", "talk-0", "talk-1", "talk-2"}
    assert not list((folder / "scratch").iterdir())


def test_ctrl_c_leaves_whole_lines_no_worker_and_exit_130(folder: Path) -> None:
    asked = ("--question", "Who?", "--question", "Then wait.", "--question", "Why?")
    with ExitStack() as running:
        process = running.enter_context(start(folder, ".", *asked))
        running.callback(lambda: process.poll() is None and process.kill())
        until(lambda: (folder / "waiting").exists() or process.poll() is not None)
        until(lambda: (folder / "out.jsonl").exists() and len(lines_so_far(folder)) >= 2)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "everything finished so far is kept" in errors
    assert "Traceback" not in errors
    kept = lines(folder)
    assert {line["status"] for line in kept} == {"done"}
    until(lambda: not group_lives(process.pid))
    assert not list((folder / "scratch").iterdir())
    assert sorted(path.name for path in folder.glob(".*")) == []


def test_killed_outright_its_workers_leave_by_themselves(folder: Path) -> None:
    with start(folder, ".", "--question", "Then wait.") as process:
        until(lambda: (folder / "waiting").exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        process.kill()
    until(lambda: not group_lives(process.pid))
    until(lambda: not list((folder / "scratch").iterdir()))


def test_an_order_that_comes_before_a_worker_has_imported_anything_is_carried_out(
    folder: Path,
) -> None:
    (folder / "early.py").write_text(EARLY, "utf-8")
    done = subprocess.run(
        [sys.executable, "early.py"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert "Seen(content='sha256:" in done.stdout, done.stderr
    assert done.stdout.startswith("7 ")
    assert not done.stderr


def test_the_first_process_ever_started_is_deaf_to_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF, "utf-8")
    done = subprocess.run(
        [sys.executable, "deaf.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def lines_so_far(folder: Path) -> list[bytes]:
    return (folder / "out.jsonl").read_bytes().splitlines()


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
