"""SRT and WebVTT as they are found: times as people write them, words that look like markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from silvr_cli.errors import InputError
from silvr_cli.media.cues import cues
from silvr_cli.media.own_text import read_captions, read_own_text
from silvr_cli.media.subtitles import read_subtitles

CUE = "1\n00:00:00,000 --> 00:00:04,000\n{}\n"
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}Up\\Nand\\hdown{a remark}, sir
"""


def put(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def told(path: Path) -> list[tuple[float, float, str]]:
    return [(n.start, n.end, n.text) for n in read_subtitles(path)]


@pytest.mark.parametrize("ending", ["srt", "vtt"])
@pytest.mark.parametrize(
    "words",
    [
        "If a < b and c > d then the answer is 5 < 6.",
        "The set {1, 2, 3} has three members, say f(x) = {x | x > 2}.",
        "Type <your name> in the box and press <Enter>.",
        'In Go write func main() { fmt.Println("hi") } and save.',
        "Mail me at <jo@example.org> please.",
        'The file is C:\\new\\notes.txt and the tag is <div class="x">text</div>.',
        "Either a <b and c> d, or one\\Nliteral break, or C:\\home.",
        "<i",
        "a --> b, then 1 --> 2",
    ],
)
def test_what_is_no_markup_is_kept(tmp_path: Path, words: str, ending: str) -> None:
    text = ("WEBVTT\n\n" if ending == "vtt" else "") + CUE.format(words)
    assert told(put(tmp_path / f"s.{ending}", text)) == [(0.0, 4.0, words)]


@pytest.mark.parametrize(
    "words",
    [
        "<i>Hello</i> <B>you</B>",
        '<font color="#ff0000" size=12>Hello</font> you',
        "{\\an8}Hello {\\i1}you{\\i0}",
        "<v.loud Roger Bingham>Hello</v> <c.yellow.bg_blue>you</c>",
        "<lang en-GB>Hello</lang> <00:00:01.000><c> you</c>",
        "<ruby>Hello<rt></rt></ruby> <u class='x'>you</u >",
        "Hello<br/>you",
        "Hello\r\nyou",
    ],
)
def test_markup_is_dropped(tmp_path: Path, words: str) -> None:
    assert told(put(tmp_path / "s.srt", CUE.format(words))) == [(0.0, 4.0, "Hello you")]


@pytest.mark.parametrize("name", ["s.ass", "s.ssa"])
def test_only_substation_has_breaks_after_a_backslash(tmp_path: Path, name: str) -> None:
    assert told(put(tmp_path / name, ASS)) == [(1.0, 2.0, "Up and down, sir")]
    # A guess finds what the ending does not tell.
    assert told(put(tmp_path / name, CUE.format("C:\\new {1}"))) == [(0.0, 4.0, "C:\\new {1}")]


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ("00:00:05 --> 00:00:08", (5.0, 8.0)),
        ("00:00:01.5 --> 00:00:02,25", (1.5, 2.25)),
        ("1:02 --> 1:05", (62.0, 65.0)),
        ("00:16,000-->00:18,000", (16.0, 18.0)),
        ("00:00:10,000 -> 00:00:12,000", (10.0, 12.0)),
        ("7 1:00:00.000 --> 1:00:01.000 align:start position:0%", (3600.0, 3601.0)),
        ("00:00:01,000 --> 00:00:02,000 X1:40 X2:600 Y1:20 Y2:50", (1.0, 2.0)),
        ("00:00:05,000 --> 00:00:03,000", (5.0, 5.0)),
    ],
)
@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
def test_times_as_people_write_them(
    tmp_path: Path, times: str, span: tuple[float, float], head: str
) -> None:
    text = f"{head}1\n00:00:00.000 --> 00:00:00.500\nfirst\n\n2\n{times}\nsecond\n"
    path = put(tmp_path / "s.srt", text)
    assert told(path) == [(0.0, 0.5, "first"), (*span, "second")]


def test_a_word_behind_the_times_is_kept() -> None:
    assert [c.text for c in cues("0:01 --> 0:02 Anna: hello\nthere", vtt=False)] == [
        " Anna: hello\nthere"
    ]


@pytest.mark.parametrize(
    ("bad", "note"),
    [
        (["0:0x:05 --> 0:00:08"], "1 cue is left out: the times in line 6 cannot be read"),
        (
            ["-0:00:05 --> 0:00:08", "five --> eight"],
            "2 cues are left out: the times in lines 6, 10 cannot be read",
        ),
        (["5 --> 8"] * 9, "9 cues are left out: the times in lines 6, 10, 14, 18, 22, … cannot"),
    ],
)
def test_cues_whose_times_cannot_be_read_are_told(
    tmp_path: Path, bad: list[str], note: str
) -> None:
    text = CUE.format("fine") + "".join(f"\n2\n{times}\nlost\n" for times in bad)
    notes: list[str] = []
    path = put(tmp_path / "s.srt", text)
    assert [n.text for n in read_subtitles(path, notes.append)] == ["fine"]
    assert len(notes) == 1
    assert notes[0].startswith(f"s.srt: {note}")
    assert read_own_text(None, path, None)[0].warnings == (notes[0],)
    read_captions(path, None, notes.append)
    assert notes[0] == notes[1]


def test_a_file_without_a_time_that_can_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as subtitles") as raised:
        read_subtitles(put(tmp_path / "s.srt", "1\none --> two\nwords\n"))
    assert str(raised.value.hint).startswith("line 2: expected times such as")


def test_numbers_and_names_of_cues_are_no_words(tmp_path: Path) -> None:
    rows = "1\n0:01 --> 0:02\n42\n\n2\n0:03 --> 0:04\n3\n0:05 --> 0:06\nIt is\n7\n\n0:07 --> 0:08\n"
    assert [n.text for n in read_subtitles(put(tmp_path / "s.srt", rows + "and\n9"))] == [
        "42",
        "It is 7",
        "and 9",
    ]
    head = "WEBVTT\n\nSTYLE\n::cue {}\n\n"
    text = "intro\n0:01 --> 0:02\nNOTE this\n\nNOTE a\nremark\n\nlast one\n0:03 --> 0:04\nBye.\n"
    assert [n.text for n in read_subtitles(put(tmp_path / "s.vtt", head + text))] == [
        "NOTE this",
        "Bye.",
    ]
