"""Search over the whole cache: lines by words, pictures by vectors, each once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import VideoMaker
from test_cli import SRT, silvr
from test_house import imported_by

from silvr_cli import library
from silvr_cli.backends.fake import FakeEmbedder
from silvr_cli.cache.store import StoredStage
from silvr_cli.configuration import load
from silvr_cli.likeness import pack
from silvr_cli.records import Line, Video
from silvr_cli.session import Session

QUERY = "the last bus"


def session(folder: Path, embed: str = "fake") -> Session:
    flags = {"models.embed": embed, "cache.path": folder / "cache.sqlite"}
    return Session.open(load(flags).settings)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Session]:
    with session(tmp_path) as opened:
        yield opened


def say(opened: Session, video: str, key: str, *texts: str) -> None:
    opened.store.remember_video(None, Video(video, f"{video}.mp4", 90.0))
    lines = tuple(Line(i * 9.0, i * 9.0 + 5, "speech", text) for i, text in enumerate(texts))
    stored = StoredStage(key, "done", None, lines, (), None, 1.0)
    opened.store.finish_stage(stored, "speech", video, {})


def show(opened: Session, video: str, key: str, *cosines: float, model: str = "fake@1") -> None:
    """Frames ten seconds apart whose vectors have these cosines with QUERY's."""
    opened.store.remember_video(None, Video(video, f"{video}.mp4", 90.0))
    (query,) = FakeEmbedder().embed([QUERY])
    other = np.zeros_like(query)
    other[np.flatnonzero(query == 0)[0]] = 1
    rows = np.array([c * query + (1 - c * c) ** 0.5 * other for c in cosines], np.float32)
    output = asdict(pack([i * 10.0 for i in range(len(cosines))], rows.reshape(-1, len(query))))
    stored = StoredStage(key, "done", output, (), (), None, 1.0)
    opened.store.finish_stage(stored, "vectors", video, {"model": model})


def test_lines_come_before_pictures_the_best_of_each_first(opened: Session) -> None:
    say(opened, "a", "a1", "nothing", "the last bus leaves at ten, the last one", "a bus")
    show(opened, "a", "a2", 0.1, 0.6, 0.2)
    show(opened, "b", "b2", 0.9)
    found = library.search(QUERY, 2, opened)
    assert [(f.video, f.start, f.kind) for f in found] == [
        ("a", 9.0, "speech"),
        ("a", 18.0, "speech"),
        ("b", 0.0, "picture"),
        ("a", 10.0, "picture"),
    ]
    assert [f.score for f in found[2:]] == pytest.approx([0.9, 0.6], abs=1e-3)
    assert found[2].name == "b.mp4"


def test_a_line_of_several_runs_is_found_once(opened: Session) -> None:
    for key in ("one", "two", "three"):
        say(opened, "a", key, "the last bus", "a bus")
    assert [f.text for f in library.search(QUERY, 5, opened)] == ["the last bus", "a bus"]


def test_vectors_of_another_model_are_not_compared(opened: Session) -> None:
    show(opened, "a", "old", 0.9, model="openclip/x@1")
    assert library.search(QUERY, 5, opened) == ()
    show(opened, "a", "new", 0.3)
    show(opened, "a", "newer", 0.2)
    (found,) = library.search(QUERY, 5, opened)
    assert found.score == pytest.approx(0.2, abs=1e-3)


def test_without_an_embedder_or_words_only_lines_are_found(opened: Session, tmp_path: Path) -> None:
    say(opened, "a", "a1", "a bus")
    show(opened, "a", "a2", 0.9)
    assert library.search(" ", 5, opened) == ()
    with session(tmp_path, "none") as plain:
        assert [f.kind for f in library.search("bus", 5, plain)] == ["speech"]


def test_the_embedder_is_not_loaded_for_a_cache_without_vectors(
    opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(FakeEmbedder, "embed")
    say(opened, "a", "a1", "a bus")
    assert len(library.search("bus", 5, opened)) == 1


@pytest.fixture
def talk(make_video: VideoMaker) -> Path:
    pictures = [np.full((90, 160, 3), value, np.uint8) for value in (20, 200) for _ in range(100)]
    path = make_video("talk.mp4", pictures)
    path.with_suffix(".srt").write_text(SRT, "utf-8")
    return path


def test_the_command_finds_words_and_pictures(talk: Path) -> None:
    read = silvr("timeline", talk, "--reader", "none", "--vision", "none", "--embed", "fake", "-q")
    assert read.returncode == 0, read.stderr
    found = json.loads(silvr("search", "gate", "code", "--embed", "fake", "--json").stdout)["found"]
    assert [(f["name"], f["kind"], round(f["start"])) for f in found] == [
        ("talk.mp4", "speech", 1),
        ("talk.mp4", "picture", 0),
        ("talk.mp4", "picture", 10),
    ]
    ran = silvr("search", "gate code", "--top", "1")
    assert ran.stdout.splitlines()[0] == "video\ttime\tkind\tscore\ttext"
    assert ran.stdout.splitlines()[1].startswith("talk.mp4\t0:01\tspeech\t")


def test_nothing_found_is_no_failure() -> None:
    ran = silvr("search", "zebra", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["found"]) == (0, [])
    assert "nothing is found" in silvr("search", "zebra").stderr


def test_a_search_for_words_alone_imports_no_numpy(talk: Path) -> None:
    silvr("timeline", talk, "--reader", "none", "-q")
    assert not {"numpy", "cv2", "av"} & imported_by("search", "gate")


def test_a_second_question_imports_no_numpy_though_there_are_vectors(talk: Path) -> None:
    words = ("ask", talk, "What is the code?", "--dry-run", "--embed", "fake", "-q")
    assert silvr(*words).returncode == 0
    assert not {"numpy", "cv2", "av"} & imported_by(*map(str, words))
    focused = imported_by(*map(str, words), "--reduction", "focus")
    assert "numpy" in focused, "here pictures are compared with the question"
