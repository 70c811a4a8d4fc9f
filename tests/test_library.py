"""Search over the whole cache: lines by words, pictures by vectors, each once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import VideoMaker
from pydantic_core import to_json
from test_cli import DOCS, SRT, silvr
from test_house import imported_by

from silvr_cli import backends, library
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


class Reader:
    """The fake embedder, without its eyes; keeps how many texts it was given at once."""

    name, slots = "reader", 1

    def __init__(self) -> None:
        self.asked: list[int] = []

    def fingerprint(self) -> str:
        return "reader@1"

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Any:
        self.asked.append(len(texts))
        return FakeEmbedder().embed([text.replace("coach", "bus") for text in texts])

    def close(self) -> None:
        return


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    made = Reader()
    monkeypatch.setattr(backends, "embedder", lambda *_: made)
    return made


def test_lines_are_found_by_words_by_meaning_and_by_both(opened: Session, reader: Reader) -> None:
    say(opened, "a", "a1", "Nothing at all.", "the last coach", "last orders are taken here by Ann")
    say(opened, "b", "b1", "the last bus")
    found = library.search(QUERY, 5, opened)
    assert [(f.video, f.start, f.by) for f in found] == [
        ("b", 0.0, "both"),
        ("a", 9.0, "both"),
        ("a", 18.0, "words"),
    ]
    (meant,) = library.search("bus", 1, opened)[1:] or library.search("bus", 5, opened)[1:]
    assert (meant.text, meant.by, meant.score) == ("the last coach", "meaning", meant.meaning)
    assert meant.score == pytest.approx(3**-0.5, abs=1e-3)
    document = json.loads(to_json(library.document("bus", found)))
    jsonschema.validate(document, json.loads((DOCS / "search.schema.json").read_text("utf-8")))


def test_what_nobody_means_is_not_found(opened: Session, reader: Reader) -> None:
    say(opened, "a", "a1", "the last bus", "a coach")
    assert library.search("xylophone", 5, opened) == ()


def test_the_lines_of_a_video_are_embedded_once(opened: Session, reader: Reader) -> None:
    say(opened, "a", "a1", "the last bus", "a coach", "a coach")
    for _ in range(2):
        library.search("bus", 5, opened)
    assert reader.asked == [1, 2, 1]
    say(opened, "b", "b1", "one", "two", "three")
    library.search("bus", 5, opened)
    assert reader.asked[3:] == [1, 3]


def test_a_row_of_a_board_is_found_by_its_meaning(opened: Session, reader: Reader) -> None:
    text = "Plan your visit / Adults 4 euros / Children free of charge / Bus line 46 / last coach"
    opened.store.remember_video(None, Video("a", "a.mp4", 90.0))
    lines = (Line(0, 5, "screen", text), Line(5, 9, "caption", "last coach", None, "embedded"))
    opened.store.finish_stage(
        StoredStage("a1", "done", None, lines, (), None, 1.0), "screen_text", "a", {}
    )
    (found,) = library.search("final bus", 5, opened)
    assert (found.text, found.by) == (text, "both")


@pytest.mark.parametrize("embed", ["auto", "none"])
def test_without_a_named_embedder_nothing_is_embedded(
    embed: str, tmp_path: Path, reader: Reader
) -> None:
    with session(tmp_path, embed) as plain:
        say(plain, "a", "a1", "the last coach")
        assert library.search("bus", 5, plain) == ()
    assert reader.asked == []


@pytest.fixture
def talk(subtitled: VideoMaker) -> Path:
    return subtitled(SRT, 20)


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
    assert ran.stdout.splitlines()[0] == "video\ttime\tkind\tby\tscore\ttext"
    assert ran.stdout.splitlines()[1].startswith("talk.mp4\t0:01\tspeech\twords\t")


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
