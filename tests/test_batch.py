"""silvr batch from end to end with fake models: lines, resume, failures, dead workers, limits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import ROOT, VideoMaker

FAKE = ("--llm", "fake", "--speech", "fake", "--vision", "fake", "--reader", "fake")
Silvr = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def silvr(tmp_path: Path) -> Silvr:
    """silvr(words…): the command in `tmp_path`, with fake models and two workers."""

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        given = [str(word) for word in words]
        if "--workers" not in given:
            given += ["--workers", "2"]
        done = subprocess.run(
            [sys.executable, "-m", "silvr_cli", "batch", *FAKE, *given],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def videos(tmp_path: Path, make_video: VideoMaker) -> Path:
    """A folder: two videos of one name, a copy, and a file that is no video."""
    folder = tmp_path / "videos"
    for number, name in enumerate(("a/talk.mp4", "b/talk.mp4")):
        pictures = [np.full((36, 64, 3), 60 + 80 * number, np.uint8) for _ in range(10)]
        path = make_video("made.mp4", pictures)
        (folder / name).parent.mkdir(parents=True)
        shutil.move(path, folder / name)
    shutil.copy(folder / "a" / "talk.mp4", folder / "copy.mp4")
    (folder / "broken.mp4").write_text("no video", "utf-8")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    schema = json.loads((ROOT / "docs" / "batch.schema.json").read_text("utf-8"))
    read = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in read:
        jsonschema.validate(line, schema)
    return read


def states(path: Path) -> dict[str, str]:
    """status by the video's path and the question; a line that stands twice is an error."""
    found = {(line["video"], line["question"]): line["status"] for line in lines(path)}
    assert len(found) == len(lines(path))
    return {f"{Path(video).as_posix()} {question}": s for (video, question), s in found.items()}


def bare(line: dict[str, Any]) -> dict[str, Any]:
    """A line without what only the run that wrote it took."""
    result = line["result"]
    if isinstance(result, dict) and "usage" in result:
        result = {**result, "usage": {**result["usage"], "seconds": 0}}
    return {**line, "seconds": 0, "usage": 0, "result": result}


def test_a_line_for_each_video_and_question_and_the_bad_file_says_why(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    asked = ("--question", "Who?", "--question", "Why?")
    done = silvr("videos", *asked, "-o", "out.jsonl", code=5)
    found = states(tmp_path / "out.jsonl")
    good = {
        f"videos/{n} {q}"
        for n in ("a/talk.mp4", "b/talk.mp4", "copy.mp4")
        for q in ("Who?", "Why?")
    }
    assert {name for name, status in found.items() if status == "done"} == good
    bad = {"videos/broken.mp4 Who?", "videos/broken.mp4 Why?"}
    assert {name for name, status in found.items() if status == "failed"} == bad
    assert not done.stdout
    assert "6 done, 2 failed" in done.stderr
    assert "broken.mp4 cannot be read as video: it is a text file" in done.stderr
    told = [line["error"] for line in lines(tmp_path / "out.jsonl") if line["error"]]
    assert {error["code"] for error in told} == {"input_error"}
    again = (tmp_path / "out.jsonl").read_bytes()
    assert "6, 6 before" in silvr("videos", *asked, "-o", "out.jsonl", code=5).stderr
    assert (tmp_path / "out.jsonl").read_bytes() == again


def test_resume_goes_by_content_and_redoes_only_what_settings_touch(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    (videos / "broken.mp4").unlink()
    silvr("videos", "--question", "Who?", "-o", "out.jsonl")
    first = lines(tmp_path / "out.jsonl")
    (videos / "b" / "talk.mp4").rename(videos / "moved.mp4")
    (videos / "a" / "talk.mp4").rename(videos / "b" / "talk.mp4")
    words = ("videos", "--question", "Who?", "-o", "out.jsonl")
    planned = silvr(*words, "--dry-run")
    assert "3 lines (3 of them there before)" in planned.stderr
    assert planned.stdout.count("\n") == 1, "nothing is left to run"
    assert "done         3, 3 before" in silvr(*words).stderr, "a moved file was done again"
    moved = lines(tmp_path / "out.jsonl")
    names = {str(Path("videos") / name) for name in ("b/talk.mp4", "copy.mp4", "moved.mp4")}
    assert {line["video"] for line in moved} == names
    own = [{**line, "video": "", "id": ""} for line in (*moved, *first)]
    assert sorted(map(str, own[:3])) == sorted(map(str, own[3:]))
    # Without the cache, too: the output alone says what is finished.
    silvr("videos", "--question", "Who?", "-o", "out.jsonl", "--cache", "new.sqlite")
    assert lines(tmp_path / "out.jsonl") == moved

    changed = ("--set", "reasoning.seed=7")
    done = silvr("videos", "--question", "Who?", "-o", "out.jsonl", *changed)
    assert "videos read  3 in 0:00" in done.stderr
    second = lines(tmp_path / "out.jsonl")
    assert len({line["key"] for line in (*first, *second)}) == 4, "two keys, each old and new"
    assert {line["video"] for line in second} == names
    assert len(second) == 3, "the old names' lines are gone"


def test_failed_lines_stay_until_they_are_asked_for(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    words = ("videos", "--task", "timeline", "-o", "out.jsonl")
    silvr(*words, code=5)
    silvr(*words, "--retry-failed", code=5)
    assert [line["status"] for line in lines(tmp_path / "out.jsonl")].count("failed") == 1
    shutil.copy(videos / "a" / "talk.mp4", videos / "broken.mp4")
    silvr(*words)
    assert set(states(tmp_path / "out.jsonl").values()) == {"done"}


def test_ordered_lines_stand_in_the_order_of_the_inputs(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    names = ["videos/copy.mp4", "videos/broken.mp4", "videos/b/talk.mp4", "videos/a/talk.mp4"]
    words = (*names, "--task", "timeline", "--ordered")
    silvr(*words, "-o", "out.jsonl", code=5)
    assert [line["video"] for line in lines(tmp_path / "out.jsonl")] == names
    shown = silvr(*words, "-q", code=5).stdout
    assert [json.loads(line)["video"] for line in shown.splitlines()] == names


@pytest.mark.parametrize("task", ["ask", "chapters", "summarize", "timeline", "find"])
def test_every_task_fills_its_line_and_its_schema(
    silvr: Silvr, videos: Path, tmp_path: Path, task: str
) -> None:
    asked = ("--question", "picture") if task in ("ask", "find") else ()
    embed = ("--embed", "fake")
    silvr("videos/a", "--task", task, *asked, *embed, "-o", "out.jsonl")
    (line,) = lines(tmp_path / "out.jsonl")
    assert line["result"]
    assert line["content"].startswith("sha256:")
    assert line["models"]["vision"] == "fake"
    assert line["notes"] == ["no speech track: the answer can rest only on what is shown"]


def test_a_torn_last_line_is_mended_and_other_files_are_left_alone(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    words = ("videos/a", "videos/b", "--question", "Who?", "-o", "out.jsonl")
    silvr(*words)
    whole = lines(tmp_path / "out.jsonl")
    out = tmp_path / "out.jsonl"
    out.write_bytes(out.read_bytes()[:-40])
    silvr(*words)
    assert sorted(map(str, map(bare, lines(out)))) == sorted(map(str, map(bare, whole)))
    for other in (b"my notes\n", b'{"id": 1}\n', out.read_bytes() + b"x\n", b"\xff\x00"):
        out.write_bytes(other)
        told = silvr(*words, code=2).stderr
        assert "was not written by silvr batch" in told
        assert out.read_bytes() == other
    assert "is a folder" in silvr(*words[:-1], "videos", code=2).stderr


def test_questions_come_from_a_table(silvr: Silvr, videos: Path, tmp_path: Path) -> None:
    rows = [
        {
            "video": "videos/a/talk.mp4",
            "question": "Which?",
            "id": "q1",
            "choices": ["[fake]", "no"],
        },
        {"video": "videos/copy.mp4", "question": "Who?", "id": "q2"},
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    silvr("--questions", "q.jsonl", "-o", "out.jsonl")
    found = {line["id"]: line for line in lines(tmp_path / "out.jsonl")}
    assert set(found) == {"q1", "q2"}
    assert found["q1"]["result"]["choice"] == 0
    assert Path(found["q2"]["video"]).name == "copy.mp4"


def test_a_limit_stops_all_and_what_is_finished_stays(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    asked = [word for n in range(6) for word in ("--question", f"Why {n}?")]
    words = ("videos/a", *asked, "-o", "out.jsonl", "--vision", "none")
    stopped = silvr(*words, "--max-calls", "4", code=5).stderr
    assert "--max-calls 4 is reached" in stopped
    assert "leaked" not in stopped
    assert 1 <= len(states(tmp_path / "out.jsonl")) <= 4
    silvr(*words)
    assert len(states(tmp_path / "out.jsonl")) == 6


def test_dry_run_prints_a_plan_and_writes_nothing(
    silvr: Silvr, videos: Path, tmp_path: Path
) -> None:
    done = silvr("videos", "--question", "Who?", "-o", "out.jsonl", "--dry-run")
    assert done.stdout.startswith("stage\tmodel\tcached\tpartial\tto run")
    assert "reasoning\tfake\t0\t0\t3" in done.stdout
    assert "4 videos, 1 unreadable, 4 lines" in done.stderr
    assert "fake, a stand-in that makes everything up" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_dry_run_counts_the_text_model_of_every_task(silvr: Silvr, videos: Path) -> None:
    for task in ("chapters", "summarize"):
        words = ("videos/a", "--task", task, "--dry-run", "--json")
        found = json.loads(silvr(*words).stdout)
        stage = {"chapters": "chapters", "summarize": "summary"}[task]
        assert found["stages"][stage]["to_run"] == 1
        assert found["stages"][stage]["expected"]["calls"] > 0
    told = silvr("videos/a", "--task", "chapters", "--llm", "openai/gpt-5-mini", "--dry-run").stderr
    assert "$0.00 at most" not in told
    assert "$0.0000 at most" not in told


def test_an_addresss_secrets_are_not_shown(silvr: Silvr) -> None:
    address = "http://me:secret@127.0.0.1:9/none.mp4?token=abc"
    words = (address, "--question", "Who?")
    for done in (silvr(*words, code=5), silvr(*words, "--dry-run")):
        assert "http://127.0.0.1:9/none.mp4" in done.stderr
        assert not [word for word in ("secret", "abc") if word in done.stderr]


def test_a_name_that_is_not_utf8_does_not_end_the_batch(silvr: Silvr, videos: Path) -> None:
    name = os.fsdecode(b"n\xff.mp4")
    (videos / name).write_text("no video", "utf-8")
    for _ in range(2):
        silvr("videos", "--question", "Who?", "-o", "out.jsonl", code=5)
        found = states(videos.parent / "out.jsonl")
        assert len(found) == 5
        assert found["videos/n\\udcff.mp4 Who?"] == "failed"
    assert json.loads(silvr("videos", "--question", "Who?", "--dry-run", "--json").stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("videos", "--question", "Who?", "--json"), "--json belongs to --dry-run"),
        (("videos", "--question", "Who?", "--address", "x:1"), "--address x:1 belongs to --engine"),
        (("videos", "--question", "Who?", "--choice", "he"), "needs two choices"),
        (("videos", "--question", os.fsdecode(b"q\xff")), "not UTF-8"),
        (("videos",), "--task ask needs a question"),
        (("videos", "--task", "timeline", "--question", "Who?"), "takes no question"),
        (("videos/*.webm", "--question", "Who?"), "nothing matches"),
        (("--question", "Who?"), "there is nothing to read"),
        (("videos", "--question", "Who?", "--llm", "gpt"), "no provider for llm is called 'gpt'"),
    ],
)
def test_what_cannot_be_carried_out_is_told_at_once(
    silvr: Silvr, videos: Path, words: tuple[str, ...], told: str
) -> None:
    assert told in silvr(*words, code=2).stderr
