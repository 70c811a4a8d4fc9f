"""A user's own captions and subtitles, in every layout that is promised."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli import pipeline
from silvr_cli.configuration import load
from silvr_cli.errors import InputError, UsageError
from silvr_cli.media.own_text import read_captions, read_own_text
from silvr_cli.media.subtitles import find_sidecar, read_subtitles
from silvr_cli.records import Line, Video
from silvr_cli.timeline import build, to_json


def put(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_one_caption_a_line_for_clips_of_the_folders_length(tmp_path: Path) -> None:
    path = put(tmp_path / "captions_4s" / "talk.txt", "A man enters.\n\nHe sits.\n")
    assert [(n.start, n.end, n.text, n.level) for n in read_captions(path)] == [
        (0.0, 4.0, "A man enters.", 4.0),
        (8.0, 12.0, "He sits.", 4.0),
    ]
    assert read_captions(path, 10.0)[1].start == 20.0
    assert read_captions(put(tmp_path / "x.txt", "a\nb"))[1].start == 8.0


def test_json_lists_objects_and_our_own(tmp_path: Path) -> None:
    items = '[{"start": 1, "end": 2.5, "text": "a dog"}, {"start": 3, "end": 4, "text": "b"}]'
    assert read_captions(put(tmp_path / "c.json", items))[0] == Line(
        1.0, 2.5, "caption", "a dog", 1.5, "c.json"
    )
    rows = '{"start": 1, "end": 2, "text": "x"}\n\n{"start": 2, "end": 3, "text": "y"}\n'
    assert len(read_captions(put(tmp_path / "c.jsonl", rows))) == 2
    assert read_captions(put(tmp_path / "s.json", '["a", "b"]'), 5.0)[1].start == 5.0
    ours = build(Video("x", "x", 9.0), [Line(1.0, 2.0, "screen", "board", None, "ocr")])
    assert read_captions(put(tmp_path / "t.json", to_json(ours))) == ours.lines


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("c.json", "{", "is not JSON"),
        ("c.json", "{}", "holds no list"),
        ("c.json", "[]", "holds no captions: its list is empty"),
        ("c.json", '[{"start": 1}]', "caption 1: start, end and text"),
        ("c.json", '[{"start": 5, "end": 1, "text": "x"}]', "caption 1: it cannot last from 5 to"),
        ("c.json", '[{"start": "1:02", "end": 63, "text": "x"}]', "'1:02', not a number"),
        ("c.json", '[{"start": true, "end": 63, "text": "x"}]', "start is True, not a number"),
        ("c.json", '[{"start": -1, "end": 63, "text": "x"}]', "start is -1, not a time"),
        ("c.json", '[{"start": 1, "end": 1e999, "text": "x"}]', "end is inf, not a time"),
        ("c.json", f'[{{"start": 1, "end": {10**400}, "text": "x"}}]', "end is inf, not a time"),
        ("c.json", '[{"start": NaN, "end": 1, "text": "x"}]', "is not JSON"),
        ("c.json", '[{"start": 1, "end": 2, "text": null}]', "words in quotes"),
        ("c.json", '[{"start": 1, "end": 2, "text": "x", "source": 5}]', "words in quotes"),
        ("c.json", '[{"start": 1, "end": 2, "text": "x", "level": "big"}]', "level is 'big'"),
        ("c.json", '[{"start": 1, "end": 2, "text": "x", "level": -8}]', "level is -8"),
        ("c.json", '["a", {"start": 1, "end": 2, "text": "x"}]', "caption 1: start, end and text"),
        ("c.json", '["\\ud800"]', "is not JSON"),
        ("c.json", "[" * 100_000, "is not JSON"),
        ("c.json", '{"schema": "silvr-timeline/2", "lines": []}', "silvr-timeline/2"),
        ("c.jsonl", '{"start": 1, "end": 2, "text": "x"}\n\n{"start"', "c.jsonl, line 3 is not"),
        ("c.jsonl", '{"start": 1, "end": 2, "text": "x"}\n7', "line 2: start, end and text"),
        ("c.srt", "only words", "cannot be read as subtitles"),
        ("c.json", '[{"start": 1, "end": 2, "text": "x", "kind": "smell"}]', "smell"),
        ("c.txt", "\0\0", "not a text file"),
    ],
)
def test_bad_captions_are_told_in_one_sentence(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read_captions(put(tmp_path / name, text))


def test_a_break_inside_a_caption_does_not_shift_the_clips(tmp_path: Path) -> None:
    path = put(tmp_path / "c.txt", "a\u2028b\x0bc\r\n\r\nlast")
    assert [(n.start, n.text) for n in read_captions(path)] == [
        (0.0, "a\u2028b\x0bc"),
        (16.0, "last"),
    ]
    # A line separator may stand in a JSON string as it is.
    rows = '{"start": 1, "end": 2, "text": "a\u2028b"}\r\n{"start": 2, "end": 3, "text": "c"}'
    assert len(read_captions(put(tmp_path / "c.ndjson", rows))) == 2


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=20)))
def test_the_nth_line_is_the_nth_clip(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder) / "captions_2s" / "c.txt", "\n".join(["first", *texts]))
        lines = read_captions(path)
    told = {index: text.strip() for index, text in enumerate(["first", *texts]) if text.strip()}
    assert {round(n.start / 2): n.text for n in lines} == told


@pytest.mark.parametrize("length", [0.0, -3.0, float("nan"), float("inf")])
def test_a_clip_has_a_length(tmp_path: Path, length: float) -> None:
    with pytest.raises(UsageError, match="cannot last"):
        read_captions(put(tmp_path / "c.txt", "a"), length)


def test_a_length_that_is_taken_for_granted_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    read_captions(put(tmp_path / "c.txt", "a"), None, told.append)
    read_captions(put(tmp_path / "captions_0s" / "d.json", '["a"]'), None, told.append)
    read_captions(put(tmp_path / "captions_2.5s" / "e.json", '["a"]'), None, told.append)
    read_captions(put(tmp_path / "c.txt", "a"), 8.0, told.append)
    read_captions(
        put(tmp_path / "f.json", '[{"start": 1, "end": 2, "text": "x"}]'), None, told.append
    )
    assert [note.split(":")[0] for note in told] == ["c.txt", "d.json"]
    assert "8 seconds" in told[0]
    assert read_own_text(tmp_path / "c.txt", None, None)[0].warnings == (told[0],)
    assert read_own_text(tmp_path / "c.txt", None, 4.0)[0].warnings == ()


def test_a_caption_with_times_can_be_merged_by_its_length(tmp_path: Path) -> None:
    items = [
        '{"start": 1, "end": 3.5, "text": "a"}',
        '{"start": 4, "end": 4, "text": "b"}',
        '{"start": 5, "end": 9, "text": "c", "level": 8}',
        '{"start": 5, "end": 9, "text": "d", "kind": "speech"}',
    ]
    lines = read_captions(put(tmp_path / "c.json", f"[{','.join(items)}]"))
    assert [n.level for n in lines] == [2.5, None, 8.0, None]


def test_text_alone_makes_a_video(tmp_path: Path) -> None:
    captions = put(tmp_path / "c.txt", "a\nb\n")
    subtitles = put(tmp_path / "s.srt", "1\n00:00:01,000 --> 00:00:20,500\nHello\n")
    video, lines = read_own_text(captions, subtitles, None)
    assert (video.duration, video.path, len(lines)) == (20.5, None, 3)
    assert video.id.startswith("text:")
    assert read_own_text(captions, subtitles, None)[0].id == video.id


EMPTY = {
    "e.txt": "\n",
    "e.json": '[{"start": 1, "end": 2, "text": ""}]',
    "e.srt": "",
    "f.srt": "1\n00:00:01,000 --> 00:00:02,000\n \n",
    "e.vtt": "WEBVTT\n",
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_file_without_text_is_told_whatever_stands_beside_it(tmp_path: Path, name: str) -> None:
    empty, full = put(tmp_path / name, EMPTY[name]), put(tmp_path / "c.txt", "a\n")
    brought: list[tuple[Path | None, Path | None]] = [(empty, None)]
    if empty.suffix in (".srt", ".vtt"):
        brought += [(None, empty), (full, empty)]
    for captions, subtitles in brought:
        with pytest.raises(InputError, match=f"{name} holds no text"):
            read_own_text(captions, subtitles, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_subtitles_in_the_encodings_found_in_the_wild(tmp_path: Path, encoding: str) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n<i>Café</i> &amp; {\\an8}crème\n"
    (line,) = read_subtitles(put(tmp_path / "s.srt", text, encoding))
    assert (line.start, line.end, line.text, line.kind) == (1.0, 2.0, "Café & crème", "speech")


def test_rolling_captions_are_told_once(tmp_path: Path) -> None:
    cue = "00:00:0{}.000 --> 00:00:0{}.000\nhello there\n\n"
    text = "WEBVTT\n\n" + cue.format(1, 2) + cue.format(2, 4)
    (line,) = read_subtitles(put(tmp_path / "s.vtt", text))
    assert (line.start, line.end) == (1.0, 4.0)


def test_the_sidecar_of_the_wanted_language_is_found(tmp_path: Path) -> None:
    video = tmp_path / "talk.mp4"
    assert find_sidecar(video) is None
    put(tmp_path / "talk.de.srt", "")
    put(tmp_path / "talkative.srt", "")
    assert find_sidecar(video) == tmp_path / "talk.de.srt"
    put(tmp_path / "talk.vtt", "")
    assert find_sidecar(video) == tmp_path / "talk.vtt"
    assert find_sidecar(video, "de") == tmp_path / "talk.de.srt"


def test_real_subtitles(shared: Path) -> None:
    lines = read_subtitles(shared / "long" / "sample8.srt")
    assert len(lines) > 30
    assert lines[0].text.startswith("Fewer Forms.")


def test_a_folder_of_many_videos_is_listed_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    listing = os.listdir

    def counted(folder: Path) -> list[str]:
        listed.append(str(folder))
        return listing(folder)

    monkeypatch.setattr(os, "listdir", counted)
    (tmp_path / "a.en.srt").touch()
    os.utime(tmp_path, (1e9, 1e9))
    found = [find_sidecar(tmp_path / name) for name in ("a.mp4", "b.mp4", "c.mp4")]
    assert found == [tmp_path / "a.en.srt", None, None]
    assert listed == [str(tmp_path)]
    (tmp_path / "b.vtt").touch()
    assert find_sidecar(tmp_path / "b.mp4") == tmp_path / "b.vtt"
    (tmp_path / "b.vtt").unlink()
    assert find_sidecar(tmp_path / "b.mp4") is None, "a folder that has just changed is looked at"


@pytest.fixture
def talk(make_video: VideoMaker) -> Path:
    pictures = [np.full((36, 64, 3), 40 + 150 * (i // 10 % 2), np.uint8) for i in range(20)]
    return make_video("talk.mp4", pictures, 10, np.zeros(16_000 * 2, np.float32))


@pytest.fixture
def session() -> Iterator[pipeline.Session]:
    flags = {f"models.{role}": "fake" for role in ("llm", "speech", "vision", "reader")}
    with pipeline.Session.open(load(flags).settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("role", "name"), [("subtitles", "e.srt"), ("subtitles", "e.vtt"), ("captions", "e.json")]
)
def test_a_file_without_text_takes_no_place_of_what_the_video_has(
    talk: Path, session: pipeline.Session, role: str, name: str
) -> None:
    brought: dict[str, Any] = {role: put(talk.with_name(name), EMPTY[name])}
    with pytest.raises(InputError, match=f"{name} holds no text"):
        pipeline.describe(pipeline.Source(talk, **brought), session)


def test_where_the_subtitles_beside_a_video_hold_no_text_its_sound_is_heard(
    talk: Path, session: pipeline.Session
) -> None:
    heard = pipeline.describe(pipeline.Source(talk), session).timeline.lines
    beside = put(talk.with_suffix(".srt"), EMPTY["f.srt"])
    found = pipeline.describe(pipeline.Source(talk), session)
    assert found.timeline.lines == heard
    assert "speech: talk.srt beside the video holds no text and is not used" in found.notes
    put(beside, "1\n0:00 --> 0:01\nHello.\n\n2\n0:0x --> 0:02\nlost\n")
    found = pipeline.describe(pipeline.Source(talk), session)
    assert [n.text for n in found.timeline.lines if n.kind == "speech"] == ["Hello."]
    assert "talk.srt: 1 cue is left out: the times in line 6 cannot be read" in found.notes
