"""A user's own captions and subtitles, in every layout that is promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from silvr_cli.errors import InputError
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
        1.0, 2.5, "caption", "a dog", None, "c.json"
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
        ("c.json", '[{"start": 1}]', "caption 1: start, end and text"),
        ("c.json", '[{"start": 5, "end": 1, "text": "x"}]', "from 5.0 to 1.0"),
        ("c.json", '[{"start": 1, "end": 2, "text": "x", "kind": "smell"}]', "smell"),
        ("c.txt", "\0\0", "not a text file"),
    ],
)
def test_bad_captions_are_told_in_one_sentence(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read_captions(put(tmp_path / name, text))


def test_text_alone_makes_a_video(tmp_path: Path) -> None:
    captions = put(tmp_path / "c.txt", "a\nb\n")
    subtitles = put(tmp_path / "s.srt", "1\n00:00:01,000 --> 00:00:20,500\nHello\n")
    video, lines = read_own_text(captions, subtitles, None)
    assert (video.duration, video.path, len(lines)) == (20.5, None, 3)
    assert video.id.startswith("text:")
    assert read_own_text(captions, subtitles, None)[0].id == video.id
    with pytest.raises(InputError, match="hold no text"):
        read_own_text(put(tmp_path / "e.txt", "\n"), None, None)


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
